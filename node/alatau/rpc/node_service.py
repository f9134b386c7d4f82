"""NodeService: the node, its network, and what it waits for."""

from collections.abc import Mapping
from typing import Final

import trio

import alatau
from alatau.consensus.state_machine import Step as RoundStep
from alatau.consensus.view import RoundView
from alatau.pb.api.v1 import node_pb2, node_service_pb2
from alatau.rpc.failures import failure
from alatau.rpc.final_block import height_not_reached, tip_height
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node, PeerView
from alatau.rpc.paging import Tokens, request_identity
from alatau.rpc.requests import Checks, page_size
from alatau.rpc.stall import connected_validators, diagnose_node
from alatau.rpc.system_contracts import describe_contract, system_contracts
from alatau.rpc.warnings import warnings_of
from alatau.transport.call import Call
from alatau.types.header import header_hash
from alatau.types.validator import ValidatorSet
from alatau.wire.amount import write_amount
from alatau.wire.status import Seen, Step, write_fork, write_seen, write_step, write_sync_state, write_validator

_pb = node_service_pb2

_PAGE_MAX = 1_000
"""Validators or peers in a page: there are dozens, not thousands."""


class NodeApi:
    """Serves ``alatau.api.v1.NodeService``."""

    def __init__(self, node: Node, tokens: Tokens, limits: Limits) -> None:
        self._node = node
        self._tokens = tokens
        self._limits = limits
        self._describing = trio.CapacityLimiter(1)

    async def get_status(self, _request: _pb.GetStatusRequest, _call: Call) -> _pb.GetStatusResponse:
        """Network, tip, sync state, pool and limits."""
        node, config, limits = self._node, self._node.config, self._limits
        height = tip_height(node.store)
        tip, genesis = node.store.header(height), node.store.header(0)
        assert tip is not None
        assert genesis is not None
        status, view = node.status(), node.round_view()
        return _pb.GetStatusResponse(
            network=config.name,
            chain_id=config.chain_id,
            genesis_hash=header_hash(genesis),
            version=alatau.__version__,
            height=height,
            block_hash=header_hash(tip),
            state_root=tip.state_root,
            timestamp_s=tip.timestamp,
            sync_state=write_sync_state(status.sync_state),
            highest_peer_height=status.highest_peer_height,
            peer_count=len(node.peers()),
            pool_transactions=status.pool_transactions,
            pool_bytes=status.pool_bytes,
            validator_address=status.validator_address or b"",
            fork=write_fork(config.fork_at(height)),
            base_fee_per_gas=write_amount(config.base_fee_per_gas),
            block_gas_limit=config.block_gas_limit,
            damages=status.scrub.findings,
            scrub_passes=status.scrub.passes,
            silence=_silence(view),
            warnings=self._warnings(view, status.validator_address),
            limits=_pb.Limits(
                batch_transactions_max=limits.batch_transactions_max,
                batch_bytes_max=limits.batch_bytes_max,
                transaction_bytes_max=limits.transaction_bytes_max,
                call_gas_max=limits.call_gas_max,
                message_bytes_max=limits.message_bytes_max,
                streams_max=limits.streams_max,
                waits_max=limits.waits_max,
                wait_ms_max=int(limits.wait_s_max * 1_000),
                calls_waiting_max=limits.calls_waiting_each_max,
                calls_max=limits.calls_each_max,
            ),
            system_contracts=system_contracts(node.store.state()),
        )

    async def get_system_contract(
        self, request: _pb.GetSystemContractRequest, _call: Call
    ) -> _pb.GetSystemContractResponse:
        """A contract of genesis with its ABI and storage layout."""
        checks, state = Checks(), self._node.store.state()
        contracts = {contract.name: contract for contract in system_contracts(state)}
        if request.name not in contracts:
            checks.add("name", f"is none of this network's: {', '.join(contracts) or 'its genesis has no contracts'}")
        checks.finish()
        contract = contracts[request.name]
        code = state.code(contract.code_hash)
        return await trio.to_thread.run_sync(describe_contract, contract, code, limiter=self._describing)

    async def list_validators(self, request: _pb.ListValidatorsRequest, _call: Call) -> _pb.ListValidatorsResponse:
        """The set that decides a height; pages of one listing show the same height."""
        checks = Checks()
        size = page_size(checks, request.page_size, _PAGE_MAX, _PAGE_MAX)
        checks.finish()
        identity = request_identity(request)
        first = 0
        if request.page_token:
            first, height = self._tokens.redeem(request.page_token, identity, 2)
        else:
            height = request.height if request.HasField("height") else tip_height(self._node.store) + 1
        validators = self._validators(height)
        page = validators.validators[first : first + size]
        more = first + size < len(validators.validators)
        return _pb.ListValidatorsResponse(
            validators=[write_validator(v) for v in page],
            next_page_token=self._tokens.issue(identity, (first + size, height)) if more else "",
            height=height,
            set_hash=validators.hash,
            total_power=validators.total_power,
        )

    async def list_peers(self, request: _pb.ListPeersRequest, _call: Call) -> _pb.ListPeersResponse:
        """Connected nodes. Peers that come and go between pages may be missed or shown twice."""
        checks = Checks()
        size = page_size(checks, request.page_size, _PAGE_MAX, _PAGE_MAX)
        checks.finish()
        identity = request_identity(request)
        first = self._tokens.redeem(request.page_token, identity, 1)[0] if request.page_token else 0
        peers = sorted(self._node.peers(), key=lambda peer: peer.id)
        more = first + size < len(peers)
        return _pb.ListPeersResponse(
            peers=[_peer(peer) for peer in peers[first : first + size]],
            next_page_token=self._tokens.issue(identity, (first + size,)) if more else "",
        )

    async def get_consensus_state(
        self, _request: _pb.GetConsensusStateRequest, _call: Call
    ) -> _pb.GetConsensusStateResponse:
        """The round, and in words what it waits for."""
        node = self._node
        view, status, height = node.round_view(), node.status(), tip_height(node.store)
        connected = connected_validators(node)
        diagnosis = diagnose_node(node)
        explanations = (*self._warnings(view, status.validator_address), *diagnosis.sentences)
        if view is None:
            return _pb.GetConsensusStateResponse(
                height=height + 1, step=write_step(Step.IDLE), stalled=diagnosis.stalled, explanations=explanations
            )
        validators = view.validators
        proposer = validators.by_address.get(view.proposer)
        return _pb.GetConsensusStateResponse(
            height=view.height,
            round=view.round,
            step=write_step(_STEPS[view.step]),
            proposer=None if proposer is None else write_validator(proposer),
            proposal_received=view.proposal_received,
            votes=[
                node_pb2.ValidatorVotes(
                    validator=write_validator(validator),
                    prevote=_seen(view.prevotes, validator.address),
                    precommit=_seen(view.precommits, validator.address),
                    connected=validator.address in connected,
                )
                for validator in validators.validators
            ],
            quorum_power=validators.total_power * 2 // 3 + 1,
            total_power=validators.total_power,
            since_last_block_ms=status.since_last_block_ms,
            stalled=diagnosis.stalled,
            explanations=explanations,
            silence=_silence(view),
        )

    def _warnings(self, view: RoundView | None, validator: bytes | None) -> tuple[str, ...]:
        return warnings_of(view, validator, self._node.validators(tip_height(self._node.store) + 1))

    def _validators(self, height: int) -> ValidatorSet:
        validators = self._node.validators(height)
        if validators is not None:
            return validators
        tip = tip_height(self._node.store)
        if height > tip:
            raise height_not_reached(height, tip, "the validators")
        raise failure("STATE_PRUNED", f"the state that names the validators of height {height} is pruned")


def _silence(view: RoundView | None) -> str:
    return "" if view is None or view.silence is None else view.silence.value


def _peer(peer: PeerView) -> node_pb2.Peer:
    return node_pb2.Peer(
        id=peer.id,
        name=peer.name,
        endpoint=peer.address,
        validator=peer.validator,
        outbound=peer.outbound,
        height=peer.height,
        round_trip_us=peer.round_trip_us,
        connected_at_ms=peer.connected_at_ms,
    )


def _seen(votes: Mapping[bytes, bytes | None], validator: bytes) -> "node_pb2.VoteSeen.ValueType":
    if validator not in votes:
        return write_seen(Seen.NOTHING)
    return write_seen(Seen.NIL if votes[validator] is None else Seen.BLOCK)


_STEPS: Final = {
    RoundStep.UNSTARTED: Step.NEW_HEIGHT,
    RoundStep.PROPOSE: Step.PROPOSE,
    RoundStep.PREVOTE: Step.PREVOTE,
    RoundStep.PRECOMMIT: Step.PRECOMMIT,
    RoundStep.DECIDED: Step.NEW_HEIGHT,
}
