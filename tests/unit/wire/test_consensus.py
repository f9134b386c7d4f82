"""Consensus messages on the wire: what is written is read, what is wrong in form is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.consensus.messages import (
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.pb.types.v1 import consensus_pb2
from alatau.types.block import last
from alatau.types.vote import Commit, CommitSignature, Proposal, Vote, VoteKind
from alatau.wire.bounds import WireError
from alatau.wire.consensus import (
    ControlMessage,
    read_commit,
    read_control,
    read_proposal,
    write_commit,
    write_control,
    write_proposal,
)
from tests.support.ministries import Blocks

HASHES, ADDRESSES = st.binary(min_size=32, max_size=32), st.binary(min_size=20, max_size=20)
SIGNATURES = st.binary(min_size=65, max_size=65)
HEIGHTS, ROUNDS = st.integers(0, 2**64 - 1), st.integers(0, 2**31 - 1)
VOTES = st.lists(
    st.builds(Vote, st.sampled_from(VoteKind), HEIGHTS, ROUNDS, st.none() | HASHES, ADDRESSES, SIGNATURES), max_size=5
).map(tuple)
CONTROLS = (
    st.builds(VotesMessage, VOTES)
    | st.builds(RoundCertificate, HEIGHTS, ROUNDS, VOTES)
    | st.builds(StatusMessage, HEIGHTS, ROUNDS, HASHES)
    | st.builds(ProposalRequest, HEIGHTS, ROUNDS, st.none() | HASHES)
)
BLOCK = Blocks.of_height(1).chain[0][0]
VOTE = Vote(VoteKind.PREVOTE, 5, 0, b"h" * 32, b"v" * 20, b"s" * 65)
PROPOSAL = Proposal(1, 2, BLOCK.hash, -1, 1_700_000_000_000, b"p" * 20, b"q" * 65)


@given(CONTROLS)
def test_what_is_written_is_read(message: ControlMessage) -> None:
    """Through bytes, in either direction of a stream."""
    data = write_control(message).SerializeToString()
    for kind in (peer_service_pb2.ConsensusRequest, peer_service_pb2.ConsensusResponse):
        assert read_control(kind.FromString(data)) == message


@given(HEIGHTS, ROUNDS, st.integers(-1, 2**31 - 1), VOTES, VOTES)
def test_a_proposal_is_read_as_written(
    height: int, round_: int, valid_round: int, votes: tuple[Vote, ...], prevotes: tuple[Vote, ...]
) -> None:
    """With its block and proof of lock, with its proposer's prevote and without."""
    proposal = replace(PROPOSAL, height=height, round=round_, valid_round=valid_round)
    message = ProposalMessage(proposal, BLOCK, votes, prevotes[0] if prevotes else None)
    data = write_proposal(message).SerializeToString()
    assert last(read_proposal(peer_service_pb2.ProposalsResponse.FromString(data), 100_000)) == message


@given(HEIGHTS, ROUNDS, HASHES, st.lists(st.builds(CommitSignature, ADDRESSES, SIGNATURES), max_size=5))
def test_a_commit_is_read_as_written(height: int, round_: int, hash_: bytes, by: list[CommitSignature]) -> None:
    """With its signatures in order."""
    commit = Commit(height, round_, hash_, tuple(by))
    assert read_commit(consensus_pb2.Commit.FromString(write_commit(commit).SerializeToString())) == commit


def test_kinds_have_the_same_numbers_on_the_wire_as_in_signatures() -> None:
    """They are passed through as they are."""
    assert {kind.name: kind.value for kind in VoteKind} == {
        name.removeprefix("VOTE_KIND_"): number
        for name, number in consensus_pb2.VoteKind.items()
        if number != consensus_pb2.VOTE_KIND_UNSPECIFIED
    }


@pytest.mark.parametrize(
    "vote",
    [
        replace(VOTE, block_hash=b"h" * 31),
        replace(VOTE, validator=b""),
        replace(VOTE, signature=b"s" * 64),
        replace(VOTE, round=2**31),
    ],
    ids=["hash", "validator", "signature", "round"],
)
def test_a_vote_of_wrong_form_is_refused(vote: Vote) -> None:
    """Before anything is looked up or verified (GHSA-p7mv, GHSA-hrhf)."""
    for message in (VotesMessage((VOTE, vote)), RoundCertificate(5, 0, (vote,))):
        with pytest.raises(WireError):
            read_control(write_control(message))


def test_a_vote_of_no_known_kind_is_refused() -> None:
    """Also the kind 0 of a field that was not set."""
    for kind in (0, 3):
        envelope = write_control(VotesMessage((VOTE,)))
        envelope.votes.votes[0].kind = kind  # type: ignore[assignment]
        with pytest.raises(WireError, match=f"kind {kind}"):
            read_control(envelope)


def test_a_block_that_cannot_be_read_is_refused() -> None:
    """Not RLP, not a block, or trailing bytes."""
    for data in (b"", b"\xff", b"\xc0", write_proposal(ProposalMessage(PROPOSAL, BLOCK)).proposal.block + b"\x00"):
        envelope = write_proposal(ProposalMessage(PROPOSAL, BLOCK))
        envelope.proposal.block = data
        with pytest.raises(WireError, match="block cannot be read"):
            last(read_proposal(envelope, 100_000))


def test_a_valid_round_below_none_is_refused() -> None:
    """-1 is none; less is nothing."""
    envelope = write_proposal(ProposalMessage(PROPOSAL, BLOCK))
    envelope.proposal.proposal.valid_round = -2
    with pytest.raises(WireError, match="valid round"):
        last(read_proposal(envelope, 100_000))


def test_a_message_of_a_later_version_is_passed_over() -> None:
    """An unknown field of the oneof reads as no message."""
    later = peer_service_pb2.ConsensusRequest.FromString(b"\xfa\x7f\x00")
    assert read_control(later) is None


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_raise_nothing_else(data: bytes) -> None:
    """Whatever protobuf lets through is a message, nothing, or a ``WireError``."""
    envelope = peer_service_pb2.ConsensusRequest()
    try:
        envelope.ParseFromString(data)
    except Exception:  # noqa: BLE001  protobuf's own refusal
        return
    try:
        read_control(envelope)
    except WireError as error:
        assert error.reason == "MALFORMED_MESSAGE"  # noqa: PT017
