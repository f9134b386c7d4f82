"""A Byzantine validator: the real node's messages, changed on their way out.

Its key signs whatever it likes, differently to everybody. (The other adversary, *twins*, needs no code: two nodes
with one key, which by themselves do everything that a forgetful or copied validator does.)
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from alatau.consensus.authenticity import digest_of
from alatau.consensus.messages import (
    Message,
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.types.block import Block
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind
from tests.simulation.chain import address_of, authority_of, forge, sign_as, signed_vote

if TYPE_CHECKING:
    from tests.simulation.node import Node


@dataclass(slots=True)
class Adversary:
    """Decides what each peer of a Byzantine node hears instead of what the node said."""

    chance: Random
    nodes: set["Node"] = field(default_factory=set)
    boldness: float = 0.5
    """Chance that a message is tampered with."""
    _blocks: dict[int, list[Block]] = field(default_factory=dict)

    def corrupt(self, node: "Node", to: "Node", message: Message) -> list[Message]:
        """What ``to`` hears."""
        if self.chance.random() >= self.boldness:
            return [message]
        match message:
            case VotesMessage(votes) | RoundCertificate(votes=votes):
                return self._votes(node, votes)
            case ProposalMessage():
                return self._proposal(node, message)
            case _:
                return self._chatter(node)

    def _votes(self, node: "Node", votes: tuple[Vote, ...]) -> list[Message]:
        assert node.address is not None
        said: list[Vote] = []
        for vote in votes:
            if vote.validator == node.address:
                said += self._lie(node.address, vote)
            else:
                said.append(vote)
        return [VotesMessage(tuple(said))] if said else []

    def _lie(self, address: bytes, vote: Vote) -> list[Vote]:
        """Withhold, equivocate, jump ahead or hand in garbage."""
        others = [b.hash for b in self._blocks.get(vote.height, ())] + [None, bytes(range(32))]
        elsewhere = self.chance.choice(others)
        match self.chance.randrange(6):
            case 0:
                return []
            case 1:
                return [vote, signed_vote(address, vote.kind, vote.height, vote.round, elsewhere)]
            case 2:
                return [signed_vote(address, vote.kind, vote.height, vote.round, elsewhere)]
            case 3:
                kind = self.chance.choice(list(VoteKind))
                far = vote.round + self.chance.choice((1, 2, 50, 10**6))
                return [signed_vote(address, kind, vote.height, far, elsewhere)]
            case 4:
                return [replace(vote, signature=forge(address)), replace(vote, validator=address_of(999))]
            case _:
                ahead = vote.height + self.chance.choice((1, 2, 10**9))
                return [vote, signed_vote(address, vote.kind, ahead, 0, elsewhere)]

    def _proposal(self, node: "Node", message: ProposalMessage) -> list[Message]:
        """Another block for some, a lock that never was, an invalid block, or nothing."""
        assert node.address is not None
        proposal, block = message.proposal, message.block
        known = self._blocks.setdefault(proposal.height, [])
        if len(known) < 4 and block.hash not in [b.hash for b in known]:
            known.append(block)
        if proposal.proposer != node.address:
            return [message]
        match self.chance.randrange(5):
            case 0:
                return []
            case 1:
                other = _variant(block, timestamp=block.header.timestamp + 1)
                return [message, self._sign(node.address, proposal, other, NO_ROUND)]
            case 2:
                return [self._sign(node.address, proposal, _variant(block, state_root=bytes(32)), NO_ROUND)]
            case 3:
                other = _variant(block, timestamp=block.header.timestamp + 1)
                chosen = self.chance.choice((*known, other))
                return [self._sign(node.address, proposal, chosen, proposal.round - 1)]
            case _:
                late = replace(proposal, timestamp_ms=proposal.timestamp_ms + 60_000)
                return [self._sign(node.address, late, block, NO_ROUND)]

    def _sign(self, address: bytes, like: Proposal, block: Block, valid_round: int) -> ProposalMessage:
        known = self._blocks.setdefault(like.height, [])
        if len(known) < 4:
            known.append(block)
        unsigned = replace(like, block_hash=block.hash, valid_round=valid_round, proposer=address, signature=b"")
        return ProposalMessage(
            replace(unsigned, signature=sign_as(address, digest_of(authority_of(address), unsigned))), block
        )

    def _chatter(self, node: "Node") -> list[Message]:
        """Status and requests that mean to waste time."""
        height = node.disk.ledger.height
        claim = self.chance.choice((0, height, height + 5, 2**63))
        return [
            StatusMessage(claim, self.chance.choice((0, 10**6)), bytes(32)),
            ProposalRequest(height + 1, self.chance.choice((0, 1, 10**6)), None),
        ]


def _variant(block: Block, **changes: object) -> Block:
    return Block(replace(block.header, **changes), block.transactions, block.last_commit)  # type: ignore[arg-type]
