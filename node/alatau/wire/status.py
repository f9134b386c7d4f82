"""A node's status, its validators and peers, and its view of consensus."""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from alatau.pb.api.v1 import node_pb2, node_service_pb2
from alatau.types.chain_config import Fork
from alatau.types.validator import Validator
from alatau.wire.amount import read_amount


class SyncState(IntEnum):
    """Whether a node is at the tip. Values as in ``alatau.api.v1.SyncState``."""

    STARTING = 1
    """It has not heard yet how far the network is."""
    SYNCING = 2
    """It fetches blocks that others have decided."""
    SYNCED = 3


class Step(IntEnum):
    """Step of a consensus round. Values as in ``alatau.api.v1.ConsensusStep``."""

    NEW_HEIGHT = 1
    """Between two blocks."""
    PROPOSE = 2
    PREVOTE = 3
    PRECOMMIT = 4
    IDLE = 5
    """The node takes no part now: it catches up, or observes."""


class Seen(IntEnum):
    """What a validator voted, as a node has seen it. Values as in ``alatau.api.v1.VoteSeen``."""

    NIL = 1
    BLOCK = 2
    NOTHING = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask a node for."""

    batch_transactions_max: int
    batch_bytes_max: int
    transaction_bytes_max: int
    call_gas_max: int
    message_bytes_max: int
    streams_max: int
    """Subscriptions and submit streams, of all clients."""
    waits_max: int
    """Calls that wait for finality, of all clients."""
    calls_max: int
    """Calls of one client under way at once, streams and waits included."""


@dataclass(frozen=True, slots=True)
class SystemContract:
    """A contract of genesis."""

    name: str
    address: bytes
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class SystemContractInterface:
    """How a contract of genesis is called, as a node's software knows it."""

    contract: SystemContract
    abi: list[dict[str, Any]]
    storage_layout: dict[str, Any]
    """The compiler's."""
    matches: bool
    """Whether the code at the address is that of the node's software, but for its immutables."""


@dataclass(frozen=True, slots=True)
class Status:
    """Network, tip, sync state and pool of a node."""

    network: str
    chain_id: int
    genesis_hash: bytes
    version: str
    height: int
    block_hash: bytes
    state_root: bytes
    timestamp: int
    """Of the last block, seconds since 1970."""
    sync_state: SyncState
    highest_peer_height: int
    peer_count: int
    pool_transactions: int
    pool_bytes: int
    validator_address: bytes | None
    fork: str
    """Rules of the EVM in force, as ``"osaka"``; a number for those that this software does not know."""
    base_fee_per_gas: int
    block_gas_limit: int
    limits: Limits
    damage: tuple[str, ...]
    """What the node's background scrub found damaged, in words."""
    scrub_passes: int
    """Times that it has read everything since the node started."""
    silence: str
    """Why this validator does not sign, as a stable word; empty where it signs, and for an observer."""
    warnings: tuple[str, ...]
    """What its operator must know at once, the gravest first, with what to do."""
    system_contracts: tuple[SystemContract, ...]
    """Contracts of genesis that stand where it puts them."""


@dataclass(frozen=True, slots=True)
class ValidatorVotes:
    """A validator's votes in the current round, as a node has seen them."""

    validator: Validator
    prevote: Seen
    precommit: Seen
    connected: bool
    """Whether the node is connected to it, or is it."""


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """The round of consensus as a node sees it."""

    height: int
    round: int
    step: Step
    proposer: Validator | None
    """None where the node takes no part."""
    proposal_received: bool
    votes: tuple[ValidatorVotes, ...]
    quorum_power: int
    total_power: int
    since_last_block_ms: int
    stalled: bool
    explanation: tuple[str, ...]
    """What it waits for, in sentences."""
    silence: str
    """As in ``Status``."""


@dataclass(frozen=True, slots=True)
class PeerRecord:
    """A node that a node is connected to."""

    id: bytes
    """Validator address, or an observer's TLS key hash."""
    name: str
    endpoint: str
    """``host:port``."""
    validator: bool
    outbound: bool
    height: int
    round_trip_us: int | None
    """None where it is not measured yet."""
    connected_at_ms: int


def read_peer(message: node_pb2.Peer) -> PeerRecord:
    """From the wire."""
    return PeerRecord(
        message.id,
        message.name,
        message.endpoint,
        message.validator,
        message.outbound,
        message.height,
        message.round_trip_us if message.HasField("round_trip_us") else None,
        message.connected_at_ms,
    )


def write_validator(validator: Validator) -> node_pb2.Validator:
    """For the wire."""
    return node_pb2.Validator(
        address=validator.address,
        power=validator.power,
        name=validator.name,
        endpoint=validator.endpoint,
        tls_key_hash=validator.tls_key_hash,
    )


def read_validator(message: node_pb2.Validator) -> Validator:
    """From the wire."""
    return Validator(message.address, message.power, message.tls_key_hash, message.endpoint, message.name)


def read_status(message: node_service_pb2.GetStatusResponse) -> Status:
    """From the wire."""
    limits = message.limits
    return Status(
        network=message.network,
        chain_id=message.chain_id,
        genesis_hash=message.genesis_hash,
        version=message.version,
        height=message.height,
        block_hash=message.block_hash,
        state_root=message.state_root,
        timestamp=message.timestamp_s,
        sync_state=SyncState(message.sync_state),
        highest_peer_height=message.highest_peer_height,
        peer_count=message.peer_count,
        pool_transactions=message.pool_transactions,
        pool_bytes=message.pool_bytes,
        validator_address=message.validator_address or None,
        fork=_read_fork(message.fork),
        base_fee_per_gas=read_amount(message.base_fee_per_gas),
        block_gas_limit=message.block_gas_limit,
        limits=Limits(
            limits.batch_transactions_max,
            limits.batch_bytes_max,
            limits.transaction_bytes_max,
            limits.call_gas_max,
            limits.message_bytes_max,
            limits.streams_max,
            limits.waits_max,
            limits.calls_max,
        ),
        damage=tuple(message.damages),
        scrub_passes=message.scrub_passes,
        silence=message.silence,
        warnings=tuple(message.warnings),
        system_contracts=tuple(map(_read_system_contract, message.system_contracts)),
    )


def read_interface(message: node_service_pb2.GetSystemContractResponse) -> SystemContractInterface:
    """From the wire; raises ``ValueError`` where the node sent no JSON."""
    return SystemContractInterface(
        _read_system_contract(message.contract),
        json.loads(message.abi_json),
        json.loads(message.storage_layout_json),
        message.matches,
    )


def _read_system_contract(message: node_pb2.SystemContract) -> SystemContract:
    return SystemContract(message.name, message.address, message.code_hash)


def read_consensus_state(message: node_service_pb2.GetConsensusStateResponse) -> ConsensusState:
    """From the wire."""
    return ConsensusState(
        height=message.height,
        round=message.round,
        step=Step(message.step),
        proposer=read_validator(message.proposer) if message.HasField("proposer") else None,
        proposal_received=message.proposal_received,
        votes=tuple(
            ValidatorVotes(
                read_validator(entry.validator),
                Seen(entry.prevote),
                Seen(entry.precommit),
                entry.connected,
            )
            for entry in message.votes
        ),
        quorum_power=message.quorum_power,
        total_power=message.total_power,
        since_last_block_ms=message.since_last_block_ms,
        stalled=message.stalled,
        explanation=tuple(message.explanations),
        silence=message.silence,
    )


def write_fork(fork: Fork) -> "node_pb2.Fork.ValueType":
    """For the wire."""
    return node_pb2.Fork.Value(f"FORK_{fork.name}")


def _read_fork(number: "node_pb2.Fork.ValueType") -> str:
    known = number in node_pb2.Fork.values()
    return node_pb2.Fork.Name(number).removeprefix("FORK_").lower() if known else str(number)


def write_sync_state(state: SyncState) -> "node_pb2.SyncState.ValueType":
    """For the wire."""
    return cast("node_pb2.SyncState.ValueType", state.value)


def write_step(step: Step) -> "node_pb2.ConsensusStep.ValueType":
    """For the wire."""
    return cast("node_pb2.ConsensusStep.ValueType", step.value)


def write_seen(seen: Seen) -> "node_pb2.VoteSeen.ValueType":
    """For the wire."""
    return cast("node_pb2.VoteSeen.ValueType", seen.value)
