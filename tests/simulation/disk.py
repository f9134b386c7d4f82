"""What survives a crash of a simulated node, and what does not."""

from dataclasses import dataclass, field
from random import Random

from alatau.consensus.records import Record, SignState
from tests.simulation.chain import Ledger


@dataclass(slots=True)
class Disk:
    """The chain, the consensus log and the sign state of one node."""

    ledger: Ledger
    log: list[Record] = field(default_factory=list)
    """Flushed."""
    unflushed: list[Record] = field(default_factory=list)
    sign_state: SignState | None = None
    past_sign_states: list[SignState] = field(default_factory=list)
    """What a backup of the file may hold."""

    def flush(self) -> None:
        """What a flush of the log does."""
        self.log += self.unflushed
        self.unflushed.clear()

    def record_sign_state(self, sign_state: SignState) -> None:
        """As the file does: it only grows, whatever it is asked."""
        self.flush()
        last = self.sign_state
        if last is not None and last != sign_state:
            assert (last.height, last.round, last.step) < (sign_state.height, sign_state.round, sign_state.step)
        self.sign_state = sign_state
        if last is None or last.height != sign_state.height:
            self.past_sign_states.append(sign_state)

    def crash(self, chance: Random) -> None:
        """Keep what was flushed and, of the rest, whatever the disk had already written: a torn tail."""
        self.log += self.unflushed[: chance.randint(0, len(self.unflushed))]
        self.unflushed.clear()

    def sign_state_is_stale(self, address: bytes, depth: int) -> bool:
        """Whether the chain has a precommit of this validator that is later than its sign state.

        As the node compares them when it starts: with the last of ``depth`` commits that carries its signature.
        """
        for commit in reversed(self.ledger.commits[-depth:]):
            if commit is not None and any(entry.validator == address for entry in commit.signatures):
                last = self.sign_state
                return last is None or (last.height, last.round) < (commit.height, commit.round)
        return False
