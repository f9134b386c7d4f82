"""The proposals of a height, their blocks, and what the host found out about them.

A block is known by its hash, whatever round proposed it: the hash does not depend on the round (Besu 6732), so a
block is executed once however often it is proposed. That is sound because a body is only kept once it is the one
that the header covers (``message_checks.check_body``). A proposal is known by everything that its proposer signed:
the same block with another valid round or time is another proposal.

A proposer that signs two blocks for a round is caught, but both are kept: others may have got only the second,
and make a polka of it. Further ones are taken only once votes ask for them. So a round holds two blocks, rounds
ahead are bounded by the caller, and rounds that are over keep only what votes still speak of.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from alatau.consensus.messages import ProposalMessage
from alatau.types.block import Block
from alatau.types.vote import Proposal

_PROPOSALS_EACH_MAX = 2
"""Different proposals kept of one round without votes for their blocks."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A proposal whose signature and proposer are right."""

    message: ProposalMessage
    timely: bool
    """Whether its time was near our clock when it came."""


class ProposalKeeper:
    """Holds the proposals of one height."""

    def __init__(self) -> None:
        self._by_round: dict[int, list[Kept]] = {}
        self._blocks: dict[bytes, Block] = {}
        self._verdicts: dict[bytes, bool] = {}
        self.count = 0
        """Proposals kept so far, in whatever round."""

    def knows(self, proposal: Proposal) -> bool:
        """Whether this very proposal was kept, whoever brought it and however it was signed."""
        kept = self._by_round.get(proposal.round, ())
        return any(replace(k.message.proposal, signature=proposal.signature) == proposal for k in kept)

    def has_room(self, round_: int) -> bool:
        """Whether another proposal of ``round_`` may be kept whose block nobody votes for."""
        return len(self._by_round.get(round_, ())) < _PROPOSALS_EACH_MAX

    def add(self, kept: Kept) -> None:
        """Keep a proposal and its block."""
        proposal = kept.message.proposal
        if not self.knows(proposal):
            block = self._blocks.setdefault(proposal.block_hash, kept.message.block)
            one_body = replace(kept, message=replace(kept.message, block=block))
            self._by_round.setdefault(proposal.round, []).append(one_body)
            self.count += 1

    def in_round(self, round_: int) -> tuple[Kept, ...]:
        """The proposals of a round, in the order in which they came."""
        return tuple(self._by_round.get(round_, ()))

    def find(self, round_: int, block_hash: bytes | None) -> ProposalMessage | None:
        """The proposal of a block, of ``round_`` if possible, else of the latest; of any block for None."""
        kept = self.kept(round_, block_hash)
        return None if kept is None else kept.message

    def kept(self, round_: int, block_hash: bytes | None) -> Kept | None:
        """The same, with what was found out about it."""
        for kept in self._by_round.get(round_, ()):
            if block_hash in (None, kept.message.proposal.block_hash):
                return kept
        if block_hash is not None:
            for other in sorted(self._by_round, reverse=True):
                for kept in self._by_round[other]:
                    if kept.message.proposal.block_hash == block_hash:
                        return kept
        return None

    def block(self, block_hash: bytes) -> Block | None:
        """A proposed block."""
        return self._blocks.get(block_hash)

    def judge(self, block_hash: bytes, *, valid: bool) -> None:
        """Remember what the host found; an answer about a block that was forgotten meanwhile means nothing."""
        if block_hash in self._blocks:
            self._verdicts[block_hash] = valid

    def verdict(self, block_hash: bytes) -> bool | None:
        """The paper's valid(v); None while the host is at it."""
        return self._verdicts.get(block_hash)

    def forget(self, before: int, wanted: Collection[bytes]) -> None:
        """Drop the proposals of rounds below ``before``, but those of the ``wanted`` blocks."""
        for past in [r for r in self._by_round if r < before]:
            kept = [k for k in self._by_round[past] if k.message.proposal.block_hash in wanted]
            if kept:
                self._by_round[past] = kept
            else:
                del self._by_round[past]
        held = {k.message.proposal.block_hash for kept in self._by_round.values() for k in kept}
        self._blocks = {h: block for h, block in self._blocks.items() if h in held}
        self._verdicts = {h: valid for h, valid in self._verdicts.items() if h in held}
