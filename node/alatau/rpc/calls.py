"""Calls, estimates and traces: from a client's message to what the EVM says, without holding up consensus."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

from alatau.chain.execution import block_environment, next_block_environment
from alatau.chain.message import CallFailedError, CallRequest, call, estimate_gas
from alatau.chain.transaction import InvalidTransactionError, TransactionResult
from alatau.evm.environment import BlockEnvironment
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc.committed_state import readable_height
from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.requests import Checks
from alatau.rpc.state_worker import Piece, StateWorker
from alatau.rpc.tracing import Traced, trace_call, trace_in_block, trace_message
from alatau.storage.frozen_state import FrozenState
from alatau.types.block import Block
from alatau.wire.reverts import describe_revert, revert_reason

_pb = transaction_service_pb2
T = TypeVar("T")

_DATA_SIZE_MAX = 131_072
"""Bytes of call data: what a transaction may carry."""
_REVERT_DATA_SIZE_MAX = 2_048
"""Bytes of revert data given back: errors travel in headers, which hold about 8 KiB."""

_REASONS = {"insufficient_funds": "INSUFFICIENT_FUNDS", "intrinsic_gas": "INTRINSIC_GAS_TOO_LOW"}
"""The catalogue's names for what ``chain.message`` refuses; the rest are ``TRANSACTION_INVALID``."""


class Calls:
    """Runs message calls on committed state.

    Without a height a call runs as a transaction of the next block would, at the time and number that a block proposed
    now would have: on an idle chain the tip's own time lies behind by up to a heartbeat, and what waits for a time
    would be refused although it is due. With a height it runs in that block's own environment.
    """

    def __init__(self, node: Node, worker: StateWorker, limits: Limits) -> None:
        self._node = node
        self._worker = worker
        self._limits = limits

    async def call(self, caller: Hashable, message: _pb.CallMessage, height: int | None) -> _pb.CallResponse:
        """Run a message call after a block."""
        piece = _piece("Call", caller, message)
        request = self._request(message, piece)
        height, result = await self.run(piece, height, lambda block, state: _call(block, request, state))
        if not result.succeeded:
            raise self._failed(result, message.gas_limit, request.gas or 0)
        return _pb.CallResponse(output=result.output, gas_used=result.gas_used, height=height)

    async def estimate(self, caller: Hashable, message: _pb.CallMessage, height: int | None) -> _pb.EstimateGasResponse:
        """The least gas limit with which a transaction succeeds after a block."""
        piece = _piece("EstimateGas", caller, message)
        request = self._request(message, piece)
        height, found = await self.run(piece, height, lambda block, state: _estimate(block, request, state))
        if isinstance(found, TransactionResult):
            raise self._failed(found, message.gas_limit, request.gas or 0)
        return _pb.EstimateGasResponse(gas_limit=found, height=height)

    async def trace(self, caller: Hashable, message: _pb.CallMessage, height: int | None) -> _pb.TraceResponse:
        """What a message call does after a block."""
        piece = _piece("Trace", caller, message)
        request = self._request(message, piece)
        height, traced = await self.run(piece, height, lambda block, state: _trace(block, request, state))
        return trace_message(traced, height)

    async def trace_transaction(self, caller: Hashable, block: Block, index: int) -> _pb.TraceResponse:
        """What a final transaction did."""
        piece = Piece(caller, ("Trace", caller, block.header.number))
        work = partial(trace_in_block, block, index)
        return trace_message(await self.run_before(piece, block, work), block.header.number)

    async def run(
        self, piece: Piece, height: int | None, work: Callable[[BlockEnvironment, FrozenState], T]
    ) -> tuple[int, T]:
        """Do ``work`` on the state after a block; gives the height too.

        Without a height it sees the block that would be proposed now.
        """
        after, block = self._setting(height)
        return after, await self._worker.on_state(piece, after, partial(work, block))

    async def run_before(self, piece: Piece, block: Block, work: Callable[[BlockEnvironment, FrozenState], T]) -> T:
        """Do ``work`` on the state that a decided block found, in its environment."""
        store, height = self._node.store, block.header.number
        if not height:
            raise failure("BLOCK_NOT_FOUND", "genesis has no transactions, and nothing came before it")
        readable_height(store, height - 1)
        environment = block_environment(self._node.config, block.header, store.hash_of)
        return await self._worker.on_state(piece, height - 1, partial(work, environment))

    def gas_max(self, piece: Piece) -> int:
        """Gas that a call of this kind gets at the moment."""
        return self._worker.gas_max(piece)

    def _request(self, message: _pb.CallMessage, piece: Piece) -> CallRequest:
        """Check a message and read it; without a gas limit it gets what a call of its kind gets at the moment."""
        checks, gas_max = Checks(), self._limits.call_gas_max
        sender = checks.optional_address("message.sender", message.sender)
        to = checks.optional_address("message.to", message.to)
        if not message.to and not message.data:
            checks.add("message", "has neither `to`, an account to call, nor `data`, init code to run")
        value = checks.amount("message.value", message.value)
        gas_price = checks.amount("message.gas_price", message.gas_price)
        if len(message.data) > _DATA_SIZE_MAX:
            checks.add("message.data", f"has {len(message.data)} bytes, more than {_DATA_SIZE_MAX}")
        checks.finish()
        if message.gas_limit > gas_max:
            raise failure(
                "CALL_GAS_TOO_HIGH",
                f"gas limit {message.gas_limit} is above {gas_max}, what this node gives to a call",
                metadata={"gas_max": str(gas_max)},
            )
        gas_now = self._worker.gas_max(piece)
        if message.gas_limit > gas_now:
            raise _busy(gas_now, f"gas limit {message.gas_limit} is above {gas_now}")
        return CallRequest(
            sender=sender or bytes(20),
            to=to,
            value=value,
            data=message.data,
            gas=message.gas_limit or gas_now,
            gas_price=gas_price,
        )

    def _failed(self, result: TransactionResult, asked: int, given: int) -> Exception:
        """The error for a call that failed; it is the node's load where more gas is given on a quiet one."""
        if not result.reverted and not asked and given < self._limits.call_gas_max:
            return _busy(given, f"the call used all of {given} gas")
        return execution_failure(result)

    def _setting(self, height: int | None) -> tuple[int, BlockEnvironment]:
        """The height to run after, and what a contract learns of its block."""
        node, store = self._node, self._node.store
        after = readable_height(store, height)
        header = store.header(after)
        assert header is not None, "a readable height has a header"
        if height is not None:
            return after, block_environment(node.config, header, store.hash_of)
        parent_hash = store.hash_of(after)
        return after, next_block_environment(node.config, header, parent_hash, node.next_block_time(), store.hash_of)


def _piece(what: str, caller: Hashable, message: _pb.CallMessage) -> Piece:
    """Calls of one function of one contract take about as long, whoever makes them; init code is the caller's own."""
    if not message.to:
        return Piece(caller, (what, caller))
    return Piece(caller, (what, message.to, message.data[:4]))


def _busy(gas_now: int, found: str) -> Exception:
    return failure(
        "SERVER_BUSY",
        f"{found}, what this node gives to a long call while several callers have some; try again later",
        metadata={"gas_max": str(gas_now)},
        retry_after_s=2.0,
    )


def _call(block: BlockEnvironment, request: CallRequest, state: FrozenState) -> TransactionResult:
    try:
        return call(block, state, request)
    except InvalidTransactionError as error:
        raise _refusal(error) from error


def _estimate(block: BlockEnvironment, request: CallRequest, state: FrozenState) -> int | TransactionResult:
    """The gas limit, or how the call failed with all the gas that it may have."""
    try:
        return estimate_gas(block, state, request)
    except InvalidTransactionError as error:
        raise _refusal(error) from error
    except CallFailedError as error:
        return error.result


def _trace(block: BlockEnvironment, request: CallRequest, state: FrozenState) -> Traced:
    try:
        return trace_call(block, request, state)
    except InvalidTransactionError as error:
        raise _refusal(error) from error


def _refusal(error: InvalidTransactionError) -> Exception:
    values = {name: str(value) for name, value in error.values.items()}
    return failure(_REASONS.get(error.reason, "TRANSACTION_INVALID"), str(error), metadata=values)


def execution_failure(result: TransactionResult) -> Exception:
    """The error for a call that did not succeed."""
    if not result.reverted:
        return failure(
            "EXECUTION_HALTED",
            f"the call used all of its {result.gas_used} gas: it ran out, or broke a rule of the EVM",
            metadata={"gas_used": str(result.gas_used)},
        )
    metadata = {"revert_data": f"0x{result.output[:_REVERT_DATA_SIZE_MAX].hex()}"}
    reason = revert_reason(result.output)
    if reason is not None:
        metadata["revert_reason"] = reason
    return failure("EXECUTION_REVERTED", f"the contract reverted: {describe_revert(result.output)}", metadata=metadata)
