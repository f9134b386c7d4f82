"""Why the network does or does not get on, in words: what an operator would otherwise read out of vote tables.

Every answer is a function of what the node has seen at one moment.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from alatau.consensus.state_machine import Step
from alatau.consensus.view import RoundView
from alatau.rpc.final_block import tip_height
from alatau.rpc.node import Node, NodeStatus, SyncState
from alatau.types.chain_config import ConsensusParameters
from alatau.types.validator import Validator, ValidatorSet

_ROUNDS_PATIENT = 3
"""Rounds that an ordinary hiccup takes at most; more mean that something is wrong."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a node waits for."""

    stalled: bool
    """Whether blocks should be coming but are not."""
    sentences: tuple[str, ...]
    """The gravest first; never empty."""


def diagnose_node(node: Node) -> Diagnosis:
    """Say what ``node`` waits for, by what it has seen at this moment."""
    height = tip_height(node.store)
    return diagnose(
        node.round_view(),
        node.status(),
        connected_validators(node),
        node.config.consensus,
        height,
        node.validators(height + 1),
    )


def connected_validators(node: Node) -> set[bytes]:
    """Addresses of the validators that ``node`` is connected to, itself included."""
    connected = {peer.id for peer in node.peers() if peer.validator}
    own = node.status().validator_address
    return connected if own is None else {*connected, own}


def diagnose(
    view: RoundView | None,
    status: NodeStatus,
    connected: Collection[bytes],
    timing: ConsensusParameters,
    height: int,
    validators: ValidatorSet | None,
) -> Diagnosis:
    """Say what the node waits for.

    Args:
        view: the round; None before the node joined consensus.
        status: sync state and pool.
        connected: addresses of the validators that the node is connected to, itself included.
        timing: the network's intervals.
        height: height of the last decided block.
        validators: those that decide the next one; None where the node does not know them.
    """
    kept_out = (why_kept_out(status.kept_out_by),) if status.kept_out_by else ()
    due_ms = timing.block_interval_ms if status.pool_transactions else timing.heartbeat_ms
    patience_ms = due_ms + timing.timeout_propose_ms + 2 * timing.timeout_vote_ms
    if status.sync_state is not SyncState.SYNCED or view is None:
        alone: tuple[str, ...] = ()
        if status.sync_state is SyncState.STARTING and status.since_last_block_ms > patience_ms:
            alone = tuple(_quorum_out_of_reach(validators, status.validator_address, connected))
        return Diagnosis(bool(alone), (*kept_out, *alone, _behind(status, height)))
    stalled = status.since_last_block_ms > patience_ms or view.round >= _ROUNDS_PATIENT
    sentences = [*kept_out, *_lost_quorum(view.validators, connected)]
    if stalled or view.round > 0:
        sentences += _progress(view)
    if stalled and not sentences[:1]:
        sentences.append("This node has seen nothing that explains the wait: look at its log and its clock.")
    if not stalled:
        sentences.append(_healthy(view, status, timing))
    elif status.since_last_block_ms > patience_ms:
        sentences.append(
            f"The last block, {view.height - 1}, was decided {status.since_last_block_ms / 1000:.1f} s ago; "
            f"with {_waiting(status.pool_transactions)} the next was due after {due_ms / 1000:.1f} s."
        )
    return Diagnosis(stalled, tuple(sentences))


def why_kept_out(by: Mapping[str, str]) -> str:
    """That others have banned this node, why, and what its operator does about it."""
    reasons = ", ".join(sorted(set(by.values())))
    return (
        f"{', '.join(sorted(by))} {'keeps' if len(by) == 1 else 'keep'} this node out for a while, because its key "
        f"sent what no correct node sends ({reasons}). If this node did not, somebody else holds its TLS key: "
        "rotate it."
    )


def _behind(status: NodeStatus, height: int) -> str:
    missing = status.highest_peer_height - height
    if status.sync_state is SyncState.SYNCING and missing > 0:
        return f"This node is catching up: it is at height {height}, {missing} blocks behind its peers."
    if status.sync_state is SyncState.SYNCED:
        return f"This node follows the network at height {height} and takes no part in consensus."
    return f"This node is at height {height} and has not heard yet how far the network is."


def _quorum_out_of_reach(
    validators: ValidatorSet | None, own: bytes | None, connected: Collection[bytes]
) -> Iterable[str]:
    """Who must come back before a validator that has started can hear where the network stands, and sign."""
    if validators is not None and own in validators.by_address:
        reachable = sum(v.power for v in validators.validators if v.address in connected)
        if not validators.has_quorum(reachable):
            yield from _lost_quorum(validators, connected)


def _lost_quorum(validators: ValidatorSet, connected: Collection[bytes]) -> Iterable[str]:
    """Whether enough validators can be reached at all."""
    missing = [v for v in validators.validators if v.address not in connected]
    reachable = validators.total_power - sum(v.power for v in missing)
    if missing and not validators.has_quorum(reachable):
        yield (
            f"No decision is possible: validators with {reachable} of {validators.total_power} voting power can be "
            f"reached, more than two thirds are needed. Bring back {_names(missing)}."
        )
    elif missing:
        yield (
            f"{_names(missing)} cannot be reached; decisions go on with {reachable} of "
            f"{validators.total_power} voting power."
        )


def _progress(view: RoundView) -> Iterable[str]:
    """What the round lacks."""
    validators = view.validators
    proposer = validators.by_address.get(view.proposer)
    match view.step:
        case Step.PROPOSE if not view.proposal_received:
            yield f"Round {view.round} waits for the proposal of {_name(proposer)}."
        case Step.PREVOTE | Step.PROPOSE:
            yield from _votes(view, "prevotes", view.prevotes)
        case Step.PRECOMMIT:
            yield from _votes(view, "precommits", view.precommits)
        case _:
            return


def _votes(view: RoundView, what: str, votes: Iterable[bytes]) -> Iterable[str]:
    validators = view.validators
    seen = set(votes)
    power = sum(validators.power_of(address) for address in seen)
    silent = [v for v in validators.validators if v.address not in seen]
    if silent:
        yield (
            f"Round {view.round} of height {view.height} has {what} of {power} of {validators.total_power} voting "
            f"power; those of {_names(silent)} are missing."
        )
    else:
        yield f"All validators sent their {what} of round {view.round}, not all for one block: the next round follows."


def _healthy(view: RoundView, status: NodeStatus, timing: ConsensusParameters) -> str:
    if view.step in (Step.UNSTARTED, Step.DECIDED):
        if status.pool_transactions == 0:
            left_ms = max(0, timing.heartbeat_ms - status.since_last_block_ms)
            return f"No transaction waits; an empty block follows in {left_ms / 1000:.1f} s at the latest."
        return f"{_waiting(status.pool_transactions).capitalize()}; block {view.height} is due."
    return f"Block {view.height} is being decided, round {view.round}."


def _waiting(count: int) -> str:
    if count == 0:
        return "no transaction waiting"
    return "1 transaction waiting" if count == 1 else f"{count} transactions waiting"


def _names(validators: list[Validator]) -> str:
    return ", ".join(_name(v) for v in validators)


def _name(validator: Validator | None) -> str:
    if validator is None:
        return "a validator that left the set"
    return validator.name or f"0x{validator.address.hex()}"
