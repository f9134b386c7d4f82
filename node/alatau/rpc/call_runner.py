"""Running contracts for reads, without holding up consensus.

A call runs in a worker thread, one at a time: the interpreter's lock lets only one thread run Python, and a second
one would only make the node's own thread wait longer for its turn (at most ``sys.getswitchinterval()``, 5 ms,
each time it wants one). Its gas bounds the work; a caller whose call takes longer than it may gets an answer, and the
thread is left to run out of its gas. The thread reads a snapshot of its own and shares no cache with execution.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from alatau.chain.message import CallFailedError, CallRequest, call, estimate_gas
from alatau.chain.transaction import InvalidTransactionError, TransactionResult
from alatau.evm.environment import BlockEnvironment
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc.committed_state import readable_height
from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.requests import Checks
from alatau.state.parent import ParentState
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.wire.reverts import describe_revert, revert_reason

_pb = transaction_service_pb2
T = TypeVar("T")

_DATA_SIZE_MAX = 131_072
"""Bytes of call data: what a transaction may carry."""
_REVERT_DATA_SIZE_MAX = 2_048
"""Bytes of revert data given back: errors travel in headers, which hold about 8 KiB."""

_REASONS = {
    "insufficient_funds": "INSUFFICIENT_FUNDS",
    "intrinsic_gas": "INTRINSIC_GAS_TOO_LOW",
    "initcode_too_large": "TRANSACTION_INVALID",
}
"""The catalogue's names for what ``chain.message`` refuses."""


class CallRunner:
    """Runs calls and estimates, a bounded number of them."""

    def __init__(self, node: Node, limits: Limits) -> None:
        self._node = node
        self._limits = limits
        self._turn = trio.CapacityLimiter(limits.calls_at_once)
        self._present = 0

    async def call(self, message: _pb.CallMessage, height: int | None) -> _pb.CallResponse:
        """Run a message call after a block."""
        request = self._request(message)
        height, block = self._setting(height)
        result = await self._run(partial(_on_frozen_state, call, self._node.store, block, request))
        if not result.succeeded:
            raise execution_failure(result)
        return _pb.CallResponse(output=result.output, gas_used=result.gas_used, height=height)

    async def estimate(self, message: _pb.CallMessage, height: int | None) -> _pb.EstimateGasResponse:
        """The least gas limit with which a transaction succeeds after a block."""
        request = self._request(message)
        height, block = self._setting(height)
        try:
            gas_limit = await self._run(partial(_on_frozen_state, estimate_gas, self._node.store, block, request))
        except CallFailedError as error:
            raise execution_failure(error.result) from error
        return _pb.EstimateGasResponse(gas_limit=gas_limit, height=height)

    def _request(self, message: _pb.CallMessage) -> CallRequest:
        """Check a message and read it."""
        checks, gas_max = Checks(), self._limits.call_gas_max
        sender = checks.optional_address("message.sender", message.sender)
        to = checks.optional_address("message.to", message.to)
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
        return CallRequest(
            sender=sender or bytes(20),
            to=to,
            value=value,
            data=message.data,
            gas=message.gas_limit or gas_max,
            gas_price=gas_price,
        )

    def _setting(self, height: int | None) -> tuple[int, BlockEnvironment]:
        """The height to run after, and what a contract learns of its block."""
        height = readable_height(self._node.store, height)
        return height, block_environment(self._node.store, self._node.config, height)

    async def _run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the thread, in its turn."""
        limits = self._limits
        if self._present >= limits.calls_waiting_max + limits.calls_at_once:
            raise failure("SERVER_BUSY", f"{self._present} calls wait already", retry_after_s=1)
        self._present += 1
        try:
            with trio.move_on_after(limits.call_time_s_max):
                return await trio.to_thread.run_sync(work, limiter=self._turn, abandon_on_cancel=True)
        except InvalidTransactionError as error:
            raise failure(_REASONS.get(error.reason, "TRANSACTION_INVALID"), str(error)) from error
        finally:
            self._present -= 1
        raise failure("CALL_TOO_SLOW", f"the call took longer than {limits.call_time_s_max:g} s, waiting included")


def _on_frozen_state(
    execute: Callable[[BlockEnvironment, ParentState, CallRequest], T],
    store: Store,
    block: BlockEnvironment,
    request: CallRequest,
) -> T:
    """In the thread: execute a request on the state after ``block``."""
    with store.frozen_state(block.number) as state:
        return execute(block, state, request)


def block_environment(store: Store, config: ChainConfig, height: int) -> BlockEnvironment:
    """What contracts see of the block at ``height``."""
    header = store.header(height)
    assert header is not None, "the state of a height was opened, so its header is there"
    return BlockEnvironment(
        fork=config.fork_at(height),
        chain_id=config.chain_id,
        number=height,
        timestamp=header.timestamp,
        beneficiary=header.beneficiary,
        gas_limit=header.gas_limit,
        base_fee_per_gas=header.base_fee_per_gas,
        prev_randao=header.mix_hash,
        block_hash=partial(_block_hash, store),
    )


def _block_hash(store: Store, height: int) -> bytes:
    known = store.block_hash(height)
    assert known is not None, "a contract asks for hashes of earlier blocks only"
    return known


def execution_failure(result: TransactionResult) -> Exception:
    """The error for a call that did not succeed."""
    if not result.reverted:
        return failure(
            "EXECUTION_HALTED",
            f"the call used all of its {result.gas_used} gas: it ran out, or broke a rule of the EVM",
            metadata={"gas_used": str(result.gas_used)},
        )
    metadata = {"revert_data": result.output[:_REVERT_DATA_SIZE_MAX].hex()}
    reason = revert_reason(result.output)
    if reason is not None:
        metadata["revert_reason"] = reason
    return failure("EXECUTION_REVERTED", f"the contract reverted: {describe_revert(result.output)}", metadata=metadata)
