"""The metrics of a running node, read through the same interface as the client services."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from alatau.app.metrics import Metrics
from alatau.app.storage_watch import why_damaged
from alatau.consensus.signing import Silence
from alatau.consensus.view import RoundView
from alatau.rpc.node import Node, SyncState
from alatau.rpc.stall import connected_validators, diagnose_node
from alatau.rpc.warnings import why_silent
from alatau.types.header import Header
from alatau.types.validator import ValidatorSet

_DAY_S: Final = 86_400


def register_node_metrics(metrics: Metrics, node: Node, certificate_expires_s: Callable[[], float]) -> None:
    """Register everything that Grafana and the alert rules of docs/operators/monitoring.md read."""
    _register_chain(metrics, node)
    _register_consensus(metrics, node)
    _register_peers(metrics, node)
    metrics.gauge(
        "certificate_expiry_days",
        "Days until the node's TLS certificate expires.",
        lambda: (certificate_expires_s() - time.time()) / _DAY_S,
    )


def why_unready(node: Node) -> str | None:
    """Why clients should go elsewhere, for ``/readyz``; None when the node serves the tip and blocks can come.

    An idle network, whose next block is due after the heartbeat, is ready; one that cannot decide is not, from the
    moment in which a block is overdue, or a validator sees no quorum. An observer need not be connected to one.
    """
    status = node.status()
    if (damage := why_damaged(status.scrub)) is not None:
        return damage
    if status.sync_state is not SyncState.SYNCED:
        return " ".join(diagnose_node(node).sentences)
    if (cut_off := node.cut_off()) is not None:
        return cut_off
    view = node.round_view()
    if view is None:
        return None  # It follows, at the tip, and takes no part.
    if view.silence is not None:
        return why_silent(view.silence, view.silent_until)
    reachable = sum(v.power for v in view.validators.validators if v.address in connected_validators(node))
    diagnosis = diagnose_node(node)
    votes = status.validator_address is not None
    if diagnosis.stalled or (votes and not view.validators.has_quorum(reachable)):
        return " ".join(diagnosis.sentences)
    return None


def _register_chain(metrics: Metrics, node: Node) -> None:
    metrics.gauge("consensus_height", "Height of the last committed block.", lambda: _height(node))
    metrics.gauge("consensus_num_txs", "Transactions in the last block.", lambda: len(_tip_transactions(node)))
    metrics.gauge(
        "consensus_gas_used", "Gas used by the last block.", lambda: tip.gas_used if (tip := _tip(node)) else 0
    )
    metrics.gauge("mempool_size", "Transactions waiting for a block.", lambda: node.status().pool_transactions)
    metrics.gauge("mempool_size_bytes", "Bytes of transactions waiting for a block.", lambda: node.status().pool_bytes)
    metrics.gauge(
        "blocksync_syncing", "1 while the node catches up.", lambda: node.status().sync_state is not SyncState.SYNCED
    )


def _register_consensus(metrics: Metrics, node: Node) -> None:
    def of_view(read: Callable[[RoundView], float]) -> Callable[[], float]:
        return lambda: 0.0 if (view := node.round_view()) is None else read(view)

    metrics.gauge(
        "consensus_rounds", "Round of the height being decided; 0 when all goes well.", of_view(lambda v: v.round)
    )
    metrics.gauge(
        "consensus_silent",
        "1 while this validator does not sign, for the reason why; 0 for every other.",
        lambda: _silent(node.round_view()),
        labels=("reason",),
    )
    metrics.gauge("consensus_validators", "Validators.", of_view(lambda v: len(v.validators.validators)))
    metrics.gauge("consensus_validators_power", "Voting power in all.", of_view(lambda v: v.validators.total_power))
    metrics.gauge(
        "consensus_missing_validators", "Validators whose precommit the last commit lacks.", lambda: len(_missing(node))
    )
    metrics.gauge(
        "consensus_missing_validators_power",
        "Voting power of the validators whose precommit the last commit lacks.",
        lambda: sum(_missing(node).values()),
    )
    metrics.gauge(
        "consensus_since_last_block_seconds",
        "Seconds since the last block was committed.",
        lambda: node.status().since_last_block_ms / 1000,
    )


def _silent(view: RoundView | None) -> dict[tuple[str, ...], float]:
    """1 for the reason why this validator does not sign, 0 for all others."""
    return {(reason.value,): float(view is not None and view.silence is reason) for reason in Silence}


def _register_peers(metrics: Metrics, node: Node) -> None:
    metrics.gauge("p2p_peers", "Connected peers.", lambda: len(node.peers()))
    metrics.gauge(
        "p2p_validator_peers", "Connected peers that are validators.", lambda: sum(p.validator for p in node.peers())
    )
    metrics.gauge(
        "p2p_peer_round_trip_seconds",
        "Round trip to each peer.",
        lambda: {(p.name or p.id.hex(),): p.round_trip_us / 1e6 for p in node.peers() if p.round_trip_us is not None},
        labels=("peer",),
    )


def _missing(node: Node) -> Mapping[bytes, int]:
    """Voting power by address of the validators that the commit of the tip lacks."""
    height = _height(node)
    validators: ValidatorSet | None = node.validators(height) if height else None
    commit = node.store.commit_of(height) if height else None
    if validators is None or commit is None:
        return {}
    signed = {signature.validator for signature in commit.signatures}
    return {v.address: v.power for v in validators.validators if v.address not in signed}


def _tip(node: Node) -> Header | None:
    return node.store.tip


def _height(node: Node) -> int:
    return tip.number if (tip := _tip(node)) else 0


def _tip_transactions(node: Node) -> tuple[object, ...]:
    block = node.store.block(_height(node))
    return block.transactions if block else ()
