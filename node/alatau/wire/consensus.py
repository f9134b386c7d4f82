"""Consensus messages between validators: votes, certificates, status, proposals."""

from collections.abc import Callable, Generator, Iterable
from typing import Final, TypeAlias

from alatau.codec.rlp import RlpError
from alatau.consensus.messages import (
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.pb.types.v1 import consensus_pb2
from alatau.types.block import Block, decode_block_in_steps, encode_block
from alatau.types.transaction import Transaction, TransactionError
from alatau.types.vote import NO_ROUND, Commit, CommitSignature, Proposal, Vote, VoteKind
from alatau.wire.bounds import WireError, sized

ControlMessage: TypeAlias = VotesMessage | RoundCertificate | StatusMessage | ProposalRequest
"""What travels on the Consensus stream; a :class:`ProposalMessage` has a stream of its own."""

ConsensusEnvelope: TypeAlias = p2p_pb2.ConsensusRequest | p2p_pb2.ConsensusResponse
"""Equal on the wire: which one it is depends only on who opened the stream."""

ROUND_MAX: Final = 2**31 - 1
"""Rounds are signed as int32 where they may be -1; a greater one cannot be voted on."""

_HASH = 32
_ADDRESS = 20
_SIGNATURE = 65


def write_control(message: ControlMessage) -> ConsensusEnvelope:
    """For the Consensus stream, in either direction."""
    match message:
        case VotesMessage(votes):
            return p2p_pb2.ConsensusRequest(votes=p2p_pb2.Votes(votes=map(write_vote, votes)))
        case RoundCertificate(height, round_, votes):
            return p2p_pb2.ConsensusRequest(
                round_certificate=p2p_pb2.RoundCertificate(height=height, round=round_, votes=map(write_vote, votes))
            )
        case StatusMessage(height, round_, tip_hash):
            return p2p_pb2.ConsensusRequest(status=p2p_pb2.Status(height=height, round=round_, tip_hash=tip_hash))
        case ProposalRequest(height, round_, block_hash):
            return p2p_pb2.ConsensusRequest(
                proposal_request=p2p_pb2.ProposalRequest(height=height, round=round_, block_hash=block_hash or b"")
            )


def read_control(envelope: ConsensusEnvelope) -> ControlMessage | None:
    """From the Consensus stream; None for what this version does not know. Raises ``WireError``."""
    match envelope.WhichOneof("message"):
        case "votes":
            return VotesMessage(_read_votes(envelope.votes.votes))
        case "round_certificate":
            certificate = envelope.round_certificate
            return RoundCertificate(certificate.height, _round(certificate.round), _read_votes(certificate.votes))
        case "status":
            status = envelope.status
            return StatusMessage(status.height, _round(status.round), sized(status.tip_hash, _HASH, "tip hash"))
        case "proposal_request":
            request = envelope.proposal_request
            return ProposalRequest(request.height, _round(request.round), _optional_hash(request.block_hash))
        case _:
            return None


def votes_in(envelope: ConsensusEnvelope) -> int:
    """How many votes a message carries, before it is read."""
    return len(envelope.votes.votes) + len(envelope.round_certificate.votes)


def write_proposal(message: ProposalMessage) -> p2p_pb2.ProposalsRequest:
    """For the Proposals stream, in either direction."""
    return p2p_pb2.ProposalsRequest(
        proposal=p2p_pb2.ProposedBlock(
            proposal=_write_proposal(message.proposal),
            block=encode_block(message.block),
            proof_of_lock=map(write_vote, message.proof_of_lock),
            prevote=None if message.prevote is None else write_vote(message.prevote),
        )
    )


def read_proposal(
    envelope: p2p_pb2.ProposalsRequest | p2p_pb2.ProposalsResponse,
    block_size_bytes_max: int,
    known: Callable[[bytes], Transaction | None] | None = None,
) -> Generator[None, None, ProposalMessage]:
    """From the Proposals stream, in steps (``types.block``). Checks form, not validity; raises ``WireError``."""
    proposed = envelope.proposal
    if len(proposed.block) > block_size_bytes_max:
        raise WireError(f"block has {len(proposed.block)} bytes, more than {block_size_bytes_max}", "BLOCK_TOO_LARGE")
    proposal, proof = _read_proposal(proposed.proposal), _read_votes(proposed.proof_of_lock)
    prevote = read_vote(proposed.prevote) if proposed.HasField("prevote") else None
    block = yield from read_block(proposed.block, known)
    return ProposalMessage(proposal, block, proof, prevote)


def read_block(data: bytes, known: Callable[[bytes], Transaction | None] | None = None) -> Generator[None, None, Block]:
    """RLP of a block, in steps; raises ``WireError``."""
    try:
        return (yield from decode_block_in_steps(data, known))
    except (RlpError, TransactionError) as error:
        raise WireError(f"block cannot be read: {error}") from error


def write_vote(vote: Vote) -> consensus_pb2.Vote:
    """One vote."""
    return consensus_pb2.Vote(
        kind=vote.kind.value,  # type: ignore[arg-type]  # equal numbers, see the test
        height=vote.height,
        round=vote.round,
        block_hash=vote.block_hash or b"",
        validator=vote.validator,
        signature=vote.signature,
    )


def read_vote(vote: consensus_pb2.Vote) -> Vote:
    """One vote; raises ``WireError``."""
    try:
        kind = VoteKind(vote.kind)
    except ValueError as error:
        raise WireError(f"no vote is of kind {vote.kind}") from error
    return Vote(
        kind=kind,
        height=vote.height,
        round=_round(vote.round),
        block_hash=_optional_hash(vote.block_hash),
        validator=sized(vote.validator, _ADDRESS, "validator"),
        signature=sized(vote.signature, _SIGNATURE, "signature"),
    )


def write_commit(commit: Commit) -> consensus_pb2.Commit:
    """A commit."""
    return consensus_pb2.Commit(
        height=commit.height,
        round=commit.round,
        block_hash=commit.block_hash,
        signatures=[
            consensus_pb2.CommitSignature(validator=s.validator, signature=s.signature) for s in commit.signatures
        ],
    )


def read_commit(commit: consensus_pb2.Commit) -> Commit:
    """A commit; raises ``WireError``."""
    return Commit(
        height=commit.height,
        round=_round(commit.round),
        block_hash=sized(commit.block_hash, _HASH, "block hash"),
        signatures=tuple(
            CommitSignature(sized(s.validator, _ADDRESS, "validator"), sized(s.signature, _SIGNATURE, "signature"))
            for s in commit.signatures
        ),
    )


def _write_proposal(proposal: Proposal) -> consensus_pb2.Proposal:
    return consensus_pb2.Proposal(
        height=proposal.height,
        round=proposal.round,
        block_hash=proposal.block_hash,
        valid_round=proposal.valid_round,
        timestamp_ms=proposal.timestamp_ms,
        proposer=proposal.proposer,
        signature=proposal.signature,
    )


def _read_proposal(proposal: consensus_pb2.Proposal) -> Proposal:
    if proposal.valid_round < NO_ROUND:
        raise WireError(f"valid round is {proposal.valid_round}, less than {NO_ROUND}")
    return Proposal(
        height=proposal.height,
        round=_round(proposal.round),
        block_hash=sized(proposal.block_hash, _HASH, "block hash"),
        valid_round=proposal.valid_round,
        timestamp_ms=proposal.timestamp_ms,
        proposer=sized(proposal.proposer, _ADDRESS, "proposer"),
        signature=sized(proposal.signature, _SIGNATURE, "signature"),
    )


def _read_votes(votes: Iterable[consensus_pb2.Vote]) -> tuple[Vote, ...]:
    return tuple(map(read_vote, votes))


def _round(round_: int) -> int:
    if round_ > ROUND_MAX:
        raise WireError(f"round is {round_}, more than {ROUND_MAX}")
    return round_


def _optional_hash(data: bytes) -> bytes | None:
    return sized(data, _HASH, "block hash") if data else None
