"""Who sends a proof of equivocation to the registry, and when again.

Several validators may hold a proof, and one transaction is enough. So they take turns by height: in each turn of
``_TURN_BLOCKS`` blocks one validator, the same for everybody, sends what it holds. A proof is done with when the
registry hears none against its culprit any more, whoever sent it; until then, if the transaction was lost or whoever's
turn it was had no proof, the next one's turn comes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from alatau.types.validator import ValidatorSet

_TURN_BLOCKS: Final = 3
"""Blocks of a turn: the transaction reaches the proposers during the first and is in the second, or the third."""

_PROOFS_MAX: Final = 64
"""Culprits at a time; the fewer than a third of the validators that may be faulty are not as many."""

_TRIES_MAX: Final = 64
"""Turns of ours in which a proof is sent. A registry that refused it so often will not take it."""


@dataclass(slots=True)
class Proof:
    """One proof against one validator."""

    culprit: bytes
    """Address of its voting key."""
    call: bytes
    """Call data for the registry."""
    tries: int = 0
    last_turn: int = -1
    """The last turn of ours in which it was sent."""


@dataclass(slots=True)
class EvidencePool:
    """The proofs that a validator holds: one for each culprit."""

    ours: bytes
    """Address of our voting key."""
    _proofs: dict[bytes, Proof] = field(default_factory=dict)

    def add(self, culprit: bytes, call: bytes) -> bool:
        """Hold a proof; False where one is held already, or there are too many."""
        if culprit in self._proofs or len(self._proofs) >= _PROOFS_MAX:
            return False
        self._proofs[culprit] = Proof(culprit, call)
        return True

    def settle(self, answers: Callable[[bytes], bool]) -> list[bytes]:
        """Let go of proofs against every key that does not answer for what it signed any more; gives whose."""
        done = [culprit for culprit in self._proofs if not answers(culprit)]
        for culprit in done:
            del self._proofs[culprit]
        return done

    def due(self, height: int, validators: ValidatorSet) -> list[Proof]:
        """The proofs to send now, each marked as sent in this turn.

        Args:
            height: of the tip.
            validators: those that decide the next block; they take turns, but for the culprits that we know.
        """
        turn = height // _TURN_BLOCKS
        found = []
        for proof in self._proofs.values():
            reporters = [v.address for v in validators.validators if v.address != proof.culprit]
            mine = bool(reporters) and reporters[turn % len(reporters)] == self.ours
            if mine and proof.last_turn < turn and proof.tries < _TRIES_MAX:
                proof.last_turn = turn
                proof.tries += 1
                found.append(proof)
        return found
