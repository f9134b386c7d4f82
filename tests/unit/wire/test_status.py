"""What a node says about itself, over the wire and back."""

import pytest

from alatau.pb.api.v1 import node_pb2, node_service_pb2
from alatau.types.chain_config import Fork
from alatau.types.validator import Validator
from alatau.wire import status
from alatau.wire.amount import write_amount
from alatau.wire.status import Seen, Step, SyncState, read_consensus_state, read_peer, read_status, read_validator

VALIDATOR = Validator(b"\x01" * 20, 7, b"\x02" * 32, "finance.example:7001", "Finance")


def test_a_validator_comes_back_whole() -> None:
    """Every field in its own place."""
    assert read_validator(status.write_validator(VALIDATOR)) == VALIDATOR


@pytest.mark.parametrize(
    ("ours", "write", "wire"),
    [
        (SyncState, status.write_sync_state, node_pb2.SyncState),
        (Step, status.write_step, node_pb2.ConsensusStep),
        (Seen, status.write_seen, node_pb2.VoteSeen),
    ],
)
def test_states_are_those_of_the_definitions(ours: type, write: object, wire: object) -> None:
    """Same numbers, same names behind the prefix; zero, which says nothing, has no name here."""
    names = {value.number: value.name for value in wire.DESCRIPTOR.values}  # type: ignore[attr-defined]
    written = {member: write(member) for member in ours}  # type: ignore[attr-defined,operator]
    assert len(written) > 2
    for member, number in written.items():
        assert names[number].endswith(f"_{member.name}"), member
    assert {name for number, name in names.items() if number not in written.values()} == {names[0]}


def test_a_status_is_read_field_by_field() -> None:
    """An observer has no validator address, a sound node no damage and no warnings."""
    message = node_service_pb2.GetStatusResponse(
        network="example",
        chain_id=7773,
        height=9,
        sync_state=node_pb2.SYNC_STATE_SYNCED,
        base_fee_per_gas=write_amount(300),
        limits=node_service_pb2.Limits(batch_transactions_max=1, batch_bytes_max=2, transaction_bytes_max=3),
    )
    read = read_status(message)
    assert (read.network, read.chain_id, read.height, read.sync_state) == ("example", 7773, 9, SyncState.SYNCED)
    assert (read.base_fee_per_gas, read.validator_address, read.damage, read.warnings) == (300, None, (), ())
    limits = read.limits
    assert (limits.batch_transactions_max, limits.batch_bytes_max, limits.transaction_bytes_max) == (1, 2, 3)
    message.validator_address = VALIDATOR.address
    message.warnings.append("the clock is off")
    assert read_status(message).validator_address == VALIDATOR.address
    assert read_status(message).warnings == ("the clock is off",)


def test_a_round_is_read_with_its_votes() -> None:
    """A node without a round names no proposer."""
    vote = node_pb2.ValidatorVotes(
        validator=status.write_validator(VALIDATOR),
        prevote=status.write_seen(Seen.NIL),
        precommit=status.write_seen(Seen.NOTHING),
        connected=True,
    )
    message = node_service_pb2.GetConsensusStateResponse(
        height=10, round=2, step=status.write_step(Step.PREVOTE), votes=[vote], quorum_power=5, total_power=7
    )
    read = read_consensus_state(message)
    assert (read.height, read.round, read.step, read.proposer) == (10, 2, Step.PREVOTE, None)
    (entry,) = read.votes
    assert (entry.validator, entry.prevote, entry.precommit, entry.connected) == (
        VALIDATOR,
        Seen.NIL,
        Seen.NOTHING,
        True,
    )
    message.proposer.CopyFrom(status.write_validator(VALIDATOR))
    assert read_consensus_state(message).proposer == VALIDATOR


@pytest.mark.parametrize("fork", list(Fork))
def test_a_fork_comes_back_by_its_name(fork: Fork) -> None:
    """Every rule set that a node can have; of a newer node's the number is kept."""
    message = node_service_pb2.GetStatusResponse(sync_state=node_pb2.SYNC_STATE_SYNCED, fork=status.write_fork(fork))
    assert read_status(message).fork == fork.value
    message.fork = 99  # type: ignore[assignment]
    assert read_status(message).fork == "99"


def test_a_peer_without_a_measured_round_trip_says_so() -> None:
    """Absent is not zero."""
    assert read_peer(node_pb2.Peer(round_trip_us=0)).round_trip_us == 0
    assert read_peer(node_pb2.Peer()).round_trip_us is None


def test_a_peer_is_read_field_by_field() -> None:
    """Each field has another value, so that none stands in the place of another."""
    message = node_pb2.Peer(
        id=b"\x05" * 20,
        name="Justice",
        endpoint="justice.example:7001",
        validator=True,
        outbound=False,
        height=4,
        round_trip_us=800,
        connected_at_ms=1_700_000_000_000,
    )
    peer = read_peer(message)
    assert {name: getattr(peer, name) for name in peer.__dataclass_fields__} == {
        field.name: value for field, value in message.ListFields()
    } | {"outbound": False}
