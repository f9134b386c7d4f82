"""The facts that survive a crash: the consensus log, and what was signed last.

The log holds facts, not inputs to run again: a restart rebuilds votes, proposals and the lock from them and
never depends on two versions of the program taking the same path. A record of another height is ignored.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from alatau.codec import rlp
from alatau.codec.rlp import RlpError
from alatau.consensus.messages import ProposalMessage
from alatau.types.block import decode_block, encode_block
from alatau.types.transaction import TransactionError
from alatau.types.vote import Proposal, Vote, VoteKind


class RecordError(ValueError):
    """The log holds bytes that are no record although their checksum is right: another program wrote them."""


class SignStep(IntEnum):
    """What a validator signs in a round, in order."""

    PROPOSAL = 1
    PREVOTE = 2
    PRECOMMIT = 3


@dataclass(frozen=True, slots=True, order=True)
class SignState:
    """The last thing that this validator signed. Kept outside the database; only ever grows."""

    height: int
    round: int
    step: SignStep
    digest: bytes
    """32 bytes: the digest that was signed."""


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A proposal with its block and proof of lock: our own, or one whose block got a polka here.

    What nobody signed for rests on nothing in the log: other proposals are asked for again after a crash.
    """

    message: ProposalMessage
    timely: bool
    """Whether its time was close to our clock on arrival (its own proposer is always timely)."""

    @property
    def height(self) -> int:
        """The height that the record belongs to."""
        return self.message.proposal.height


@dataclass(frozen=True, slots=True)
class OwnProposalRecord:
    """Our own proposal without its block: proposed again, its block stands in an earlier record, or in none."""

    proposal: Proposal

    @property
    def height(self) -> int:
        """The height that the record belongs to."""
        return self.proposal.height


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """A vote of a peer: in a polka on which our lock or valid value rests, or one that let us enter a later round.

    Other votes are not worth a write: their voters say them again.
    """

    vote: Vote

    @property
    def height(self) -> int:
        """The height that the record belongs to."""
        return self.vote.height


@dataclass(frozen=True, slots=True)
class OwnVoteRecord:
    """Our own vote together with the lock that it left: one record, so that no crash can keep half of it."""

    vote: Vote
    locked_round: int
    """-1 without a lock."""
    locked_hash: bytes | None
    valid_round: int
    """-1 without a valid value."""
    valid_hash: bytes | None

    @property
    def height(self) -> int:
        """The height that the record belongs to."""
        return self.vote.height


Record: TypeAlias = ProposalRecord | OwnProposalRecord | VoteRecord | OwnVoteRecord


class _Tag(IntEnum):
    PROPOSAL = 1
    VOTE = 2
    OWN_VOTE = 3
    OWN_PROPOSAL = 4


def encode_record(record: Record) -> bytes:
    """The record's one encoding: RLP of (tag, fields). Rounds are stored plus one, since -1 means none."""
    match record:
        case ProposalRecord(message, timely):
            votes = [_vote_item(vote) for vote in message.proof_of_lock]
            item = _proposal_item(message.proposal)
            return rlp.encode((_Tag.PROPOSAL, int(timely), item, encode_block(message.block), votes))
        case OwnProposalRecord(proposal):
            return rlp.encode((_Tag.OWN_PROPOSAL, _proposal_item(proposal)))
        case VoteRecord(vote):
            return rlp.encode((_Tag.VOTE, _vote_item(vote)))
        case OwnVoteRecord(vote, locked_round, locked_hash, valid_round, valid_hash):
            locked = (locked_round + 1, locked_hash or b"")
            valid = (valid_round + 1, valid_hash or b"")
            return rlp.encode((_Tag.OWN_VOTE, _vote_item(vote), *locked, *valid))


def decode_record(data: bytes) -> Record:
    """Read a record back.

    Raises:
        RecordError: the bytes are none.
    """
    try:
        f = rlp.decode_list(data)
        match _Tag(rlp.to_uint(f[0], 8)):
            case _Tag.PROPOSAL:
                timely, proposal, block, votes = f[1:]
                proof = tuple(_read_vote(vote) for vote in rlp.to_list(votes))
                message = ProposalMessage(_read_proposal(proposal), decode_block(rlp.to_bytes(block)), proof)
                return ProposalRecord(message, rlp.to_uint(timely, 8) == 1)
            case _Tag.OWN_PROPOSAL:
                return OwnProposalRecord(_read_proposal(f[1]))
            case _Tag.VOTE:
                return VoteRecord(_read_vote(f[1]))
            case _Tag.OWN_VOTE:
                vote, locked_round, locked_hash, valid_round, valid_hash = f[1:]
                return OwnVoteRecord(
                    vote=_read_vote(vote),
                    locked_round=rlp.to_uint(locked_round, 32) - 1,
                    locked_hash=_read_hash(locked_hash),
                    valid_round=rlp.to_uint(valid_round, 32) - 1,
                    valid_hash=_read_hash(valid_hash),
                )
    except (RlpError, TransactionError, ValueError, IndexError) as error:
        msg = f"the log holds a record that cannot be read: {error}"
        raise RecordError(msg) from error


def _vote_item(vote: Vote) -> rlp.Item:
    return (vote.kind, vote.height, vote.round, vote.block_hash or b"", vote.validator, vote.signature)


def _read_vote(item: rlp.Decoded) -> Vote:
    kind, height, round_, block_hash, validator, signature = rlp.to_list(item, 6)
    return Vote(
        kind=VoteKind(rlp.to_uint(kind, 8)),
        height=rlp.to_uint(height, 64),
        round=rlp.to_uint(round_, 32),
        block_hash=_read_hash(block_hash),
        validator=rlp.to_bytes(validator, 20),
        signature=rlp.to_bytes(signature, 65),
    )


def _proposal_item(p: Proposal) -> rlp.Item:
    return (p.height, p.round, p.block_hash, p.valid_round + 1, p.timestamp_ms, p.proposer, p.signature)


def _read_proposal(item: rlp.Decoded) -> Proposal:
    height, round_, block_hash, valid_round, timestamp_ms, proposer, signature = rlp.to_list(item, 7)
    return Proposal(
        height=rlp.to_uint(height, 64),
        round=rlp.to_uint(round_, 32),
        block_hash=rlp.to_bytes(block_hash, 32),
        valid_round=rlp.to_uint(valid_round, 32) - 1,
        timestamp_ms=rlp.to_uint(timestamp_ms, 64),
        proposer=rlp.to_bytes(proposer, 20),
        signature=rlp.to_bytes(signature, 65),
    )


def _read_hash(item: rlp.Decoded) -> bytes | None:
    return None if item == b"" else rlp.to_bytes(item, 32)
