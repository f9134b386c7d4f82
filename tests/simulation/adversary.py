"""Byzantine nodes: the real node's messages, changed on their way out, and what nobody asked for.

Their keys sign whatever they like, differently to everybody; all of them share what they know and whom they deceive.
An outsider, an observer without a key, can do what needs none. (The other adversary, *twins*, needs no code: two
nodes with one key, which by themselves do everything that a forgetful or copied validator does.)
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, TypeVar

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
from alatau.types.vote import NO_ROUND, Commit, Proposal, Vote, VoteKind
from tests.simulation.chain import address_of, authority_of, forge, payment, sign_as, signed_vote

if TYPE_CHECKING:
    from tests.simulation.node import Node

_T = TypeVar("_T")

_REMEMBERED_MAX = 400
"""Messages that can be replayed, old and new."""

_FLOOD_VOTES = 24
"""Votes of a flood in one message: six for each of four validators, the most that is looked at."""

_BLOCKS_MAX = 4
"""Blocks of a height that lies are about."""


@dataclass(slots=True)
class Adversary:
    """Decides what each peer of a Byzantine node hears instead of what the node said."""

    chance: Random
    nodes: set["Node"] = field(default_factory=set)
    boldness: float = 0.5
    """Chance that a message is tampered with."""
    splits: bool = False
    """Whether the two halves of the network are told two different things, by all liars alike."""
    acts: Counter[str] = field(default_factory=Counter)
    """How often it did what."""
    _blocks: dict[int, list[Block]] = field(default_factory=dict)
    _heard: list[Message] = field(default_factory=list)
    _locked: ProposalMessage | None = None
    """The last block that was proposed again, with its proof of lock."""

    def overhear(self, message: Message) -> None:
        """Something was said by anybody: it may come back."""
        if len(self._heard) < _REMEMBERED_MAX:
            self._heard.append(message)
        elif self.chance.random() < 0.1:
            self._heard[self.chance.randrange(_REMEMBERED_MAX)] = message
        if isinstance(message, ProposalMessage):
            self._know(message.block)
            if message.proof_of_lock:
                self._locked = message

    def corrupt(self, node: "Node", to: "Node", message: Message) -> list[Message]:
        """What ``to`` hears."""
        if isinstance(message, ProposalMessage) and message.prevote is not None:  # Each has its own lies.
            alone: list[Message] = [replace(message, prevote=None), VotesMessage((message.prevote,))]
            return [told for each in alone for told in self.corrupt(node, to, each)]
        if self.splits and node.address is not None:
            told = self._told_to_its_half(node.address, to, message)
            if told is not None:
                return told
        if self.chance.random() >= self.boldness:
            return [message]
        said = self._extra(node, message)
        match message:
            case VotesMessage(votes) | RoundCertificate(votes=votes):
                return said + self._votes(node, votes)
            case ProposalMessage():
                return said + self._proposal(node, message)
            case _:
                return said + self._chatter(node)

    # ------------------------------------------------------------ votes

    def _votes(self, node: "Node", votes: tuple[Vote, ...]) -> list[Message]:
        said: list[Vote] = []
        for vote in votes:
            if vote.validator == node.address:
                said += self._lie(vote)
            else:
                said.append(vote)
        return [VotesMessage(tuple(said))] if said else []

    def _lie(self, vote: Vote) -> list[Vote]:
        """Withhold, equivocate, jump ahead or hand in garbage."""
        address, elsewhere = vote.validator, self._elsewhere(vote.height)
        match self.chance.randrange(6):
            case 0:
                return self._did("withholds a vote", [])
            case 1:
                other = signed_vote(address, vote.kind, vote.height, vote.round, elsewhere)
                return self._did("votes twice", [vote, other])
            case 2:
                other = signed_vote(address, vote.kind, vote.height, vote.round, elsewhere)
                return self._did("votes otherwise", [other])
            case 3:
                kind = self.chance.choice(list(VoteKind))
                far = vote.round + self.chance.choice((1, 2, 50, 10**6))
                return self._did("votes in far rounds", [signed_vote(address, kind, vote.height, far, elsewhere)])
            case 4:
                strange = [replace(vote, signature=forge(address)), replace(vote, validator=address_of(999))]
                return self._did("sends garbage", strange)
            case _:
                ahead = vote.height + self.chance.choice((1, 2, 10**9))
                return self._did("votes ahead", [vote, signed_vote(address, vote.kind, ahead, 0, elsewhere)])

    def _told_to_its_half(self, address: bytes, to: "Node", message: Message) -> list[Message] | None:
        """One half hears the truth, the other the opposite: what each knows contradicts nothing."""
        odd = to.address is not None and to.address[-1] % 2 == 1
        if not odd or not isinstance(message, VotesMessage | RoundCertificate):
            return None
        if not any(vote.validator == address for vote in message.votes):
            return None
        votes = tuple(
            signed_vote(address, v.kind, v.height, v.round, self._opposite(v)) if v.validator == address else v
            for v in message.votes
        )
        told: list[Message] = [replace(message, votes=votes)]
        return self._did("tells two halves two things", told)

    def _opposite(self, vote: Vote) -> bytes | None:
        """What the other half hears of a vote: another block where there is one, else nil for a block."""
        known = [block.hash for block in self._blocks.get(vote.height, ())]
        return next((h for h in known if h != vote.block_hash), None)

    def _elsewhere(self, height: int) -> bytes | None:
        return self.chance.choice([b.hash for b in self._blocks.get(height, ())] + [None, bytes(range(32))])

    # ------------------------------------------------------------ proposals

    def _proposal(self, node: "Node", message: ProposalMessage) -> list[Message]:
        """Another block for some, a lock that never was, an invalid block, another body, or nothing."""
        proposal, block = message.proposal, message.block
        if proposal.proposer != node.address:
            return self._others_proposal(message)
        address, other = proposal.proposer, _variant(block, timestamp=block.header.timestamp + 1)
        match self.chance.randrange(6):
            case 0:
                return self._did("withholds a proposal", [])
            case 1:
                return self._did("proposes twice", [message, self._sign(address, proposal, other, NO_ROUND)])
            case 2:
                invalid = self._sign(address, proposal, _variant(block, state_root=bytes(32)), NO_ROUND)
                return self._did("proposes an invalid block", [invalid])
            case 3:
                chosen = self.chance.choice((*self._blocks.get(proposal.height, ()), other))
                return self._did("invents a lock", [self._sign(address, proposal, chosen, proposal.round - 1)])
            case 4:
                return self._did("swaps a body", [replace(message, block=self._other_body(block))])
            case _:
                late = replace(proposal, timestamp_ms=proposal.timestamp_ms + 60_000)
                return self._did("proposes off the clock", [self._sign(address, late, block, NO_ROUND)])

    def _others_proposal(self, message: ProposalMessage) -> list[Message]:
        """What can be done to a proposal without its proposer's key; the right one follows, or does not."""
        changed = self._did("swaps a body", replace(message, block=self._other_body(message.block)))
        return [changed, message] if self.chance.random() < 0.5 else [changed]

    def _other_body(self, block: Block) -> Block:
        """Another body under the same header, which is what the hash covers."""
        if block.last_commit is not None and self.chance.random() < 0.5:
            commit = replace(block.last_commit, signatures=block.last_commit.signatures[1:])
            return Block(block.header, block.transactions, commit)
        return Block(block.header, (*block.transactions, payment(99, 0)), block.last_commit)

    def _sign(self, address: bytes, like: Proposal, block: Block, valid_round: int) -> ProposalMessage:
        self._know(block)
        unsigned = replace(like, block_hash=block.hash, valid_round=valid_round, proposer=address, signature=b"")
        return ProposalMessage(
            replace(unsigned, signature=sign_as(address, digest_of(authority_of(address), unsigned))), block
        )

    def _know(self, block: Block) -> None:
        known = self._blocks.setdefault(block.header.number, [])
        if len(known) < _BLOCKS_MAX and block.hash not in [b.hash for b in known]:
            known.append(block)

    # ------------------------------------------------------------ what nobody asked for

    def _extra(self, node: "Node", message: Message) -> list[Message]:
        """Now and then: replays, forgeries in others' names, floods."""
        if self._locked is not None:
            locked, self._locked = self._locked, None
            stripped = replace(locked, proof_of_lock=locked.proof_of_lock[1:])
            return self._did("strips a proof of lock", [stripped])
        chosen: list[Callable[[], list[Message]]] = [self._replay, lambda: self._forge(message)]
        if node.address is not None:
            address = node.address
            chosen.append(lambda: self._flood(address, node.disk.ledger.height + 1))
        return self.chance.choice(chosen)() if self.chance.random() < 0.1 else []

    def _replay(self) -> list[Message]:
        if not self._heard:
            return []
        return self._did("replays", self.chance.sample(self._heard, min(4, len(self._heard))))

    def _forge(self, message: Message) -> list[Message]:
        """The same, in another's name."""
        match message:
            case VotesMessage(votes) if votes:
                other = self._elsewhere(votes[0].height)
                forged = tuple(replace(v, block_hash=other, signature=forge(v.validator)) for v in votes)
                return self._did("forges votes", [VotesMessage(forged)])
            case ProposalMessage(proposal, block):
                other_block = _variant(block, timestamp=block.header.timestamp + 1)
                changed = replace(proposal, block_hash=other_block.hash, signature=forge(proposal.proposer))
                return self._did("forges a proposal", [ProposalMessage(changed, other_block)])
            case _:
                return []

    def _flood(self, address: bytes, height: int) -> list[Message]:
        """Votes of ever later rounds, each with a right signature."""
        first = self.chance.randrange(10**6)
        kinds = list(VoteKind)
        votes = [signed_vote(address, kinds[n % 2], height, first + n // 2, None) for n in range(3 * _FLOOD_VOTES)]
        slices = [VotesMessage(tuple(votes[n : n + _FLOOD_VOTES])) for n in range(0, len(votes), _FLOOD_VOTES)]
        return self._did("floods", list(slices))

    def _chatter(self, node: "Node") -> list[Message]:
        """Status and requests that mean to waste time."""
        height = node.disk.ledger.height
        claim = self.chance.choice((0, height, height + 5, 2**63))
        return self._did(
            "lies about its height",
            [
                StatusMessage(claim, self.chance.choice((0, 10**6)), bytes(32)),
                ProposalRequest(height + 1, self.chance.choice((0, 1, 10**6)), None),
            ],
        )

    def serve(self, served: list[tuple[Block, Commit]]) -> list[tuple[Block, Commit]]:
        """What those behind get instead of these blocks and commits."""
        if not served or self.chance.random() >= self.boldness:
            return served
        block, commit = served[0]
        match self.chance.randrange(4):
            case 0:
                lie = []
            case 1:
                other = _variant(block, timestamp=block.header.timestamp + 1)
                own = [s for s in commit.signatures if s.validator in {node.address for node in self.nodes}]
                lie = [(other, replace(commit, block_hash=other.hash, signatures=tuple(own)))]
            case 2:
                lie = [(block, replace(commit, signatures=commit.signatures[:1]))]
            case _:
                lie = [(self._other_body(block), commit)]
        return self._did("lies in sync", lie + served[1:])

    # ------------------------------------------------------------ notes

    def _did(self, what: str, result: _T) -> _T:
        self.acts[what] += 1
        return result


def _variant(block: Block, **changes: object) -> Block:
    return Block(replace(block.header, **changes), block.transactions, block.last_commit)  # type: ignore[arg-type]
