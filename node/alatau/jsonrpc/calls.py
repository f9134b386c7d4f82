"""``eth_call``, ``eth_estimateGas``, ``eth_createAccessList``: calls of nobody's, with overrides of state and block.

At ``latest`` a call sees the tip's number and time, as tools expect that ask for that block afterwards. Without a
block, and at ``pending``, it sees those of the block that would be proposed now, as the gRPC services do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from alatau.chain.message import CallFailedError, CallRequest, call_on, estimate_gas
from alatau.chain.transaction import InvalidTransactionError, TransactionResult
from alatau.evm.calls import create_address
from alatau.evm.environment import BlockEnvironment
from alatau.evm.precompiles import precompiles
from alatau.evm.tracing import CallTracer, PrestateTracer
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.block_id import PENDING, BlockId, height_of, read_block_id
from alatau.jsonrpc.call_object import read_call
from alatau.jsonrpc.errors import SERVER_ERROR, JsonRpcError, reverted
from alatau.jsonrpc.overrides import (
    BlockOverrides,
    OverriddenState,
    StateOverrides,
    read_block_overrides,
    read_state_overrides,
)
from alatau.jsonrpc.transactions import access_list_object
from alatau.jsonrpc.values import data, quantity
from alatau.rpc.access import caller_of
from alatau.rpc.services import Parts
from alatau.rpc.state_worker import Piece
from alatau.state.block_state import BlockState
from alatau.state.parent import ParentState
from alatau.storage.frozen_state import FrozenState
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.transaction import AccessList

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a call runs."""

    block: BlockId
    state: StateOverrides
    environment: BlockOverrides


class CallMethods:
    """The methods that run code."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def call(self, asked: Asked) -> Any:
        """What a message call returns."""
        asked.most(4)
        request, setting = self._request(asked), _setting(asked)
        result, why = await self.run(asked, request, setting, _call)
        if not result.succeeded:
            raise failed(result, why)
        return data(result.output)

    async def estimate_gas(self, asked: Asked) -> Any:
        """The least gas limit with which a transaction succeeds."""
        asked.most(4)
        request, setting = self._request(asked), _setting(asked)
        return quantity(await self.run(asked, request, setting, _estimate))

    async def create_access_list(self, asked: Asked) -> Any:
        """The accounts and slots that a transaction reads, and the gas that it uses with them declared."""
        asked.most(3)
        request, setting = self._request(asked), _setting(asked)
        accessed, result, why = await self.run(asked, request, setting, _access_list)
        body = {"accessList": access_list_object(accessed), "gasUsed": quantity(result.gas_used)}
        return body if result.succeeded else body | {"error": failed(result, why).message}

    async def run(
        self,
        asked: Asked,
        request: CallRequest,
        setting: Setting,
        work: Callable[[BlockEnvironment, ParentState, CallRequest], T],
    ) -> T:
        """Do ``work`` in a thread, with as much gas as a call may have now."""
        piece = _piece(asked, request)
        gas_max = self._parts.calls.gas_max(piece)
        bounded = replace(request, gas=min(request.gas or gas_max, gas_max))

        def within(block: BlockEnvironment, state: FrozenState) -> T:
            parent: ParentState = OverriddenState(state, setting.state) if setting.state else state
            try:
                return work(setting.environment(block), parent, bounded)
            except InvalidTransactionError as error:
                raise refused(error, request.sender) from error

        height = None if setting.block.pending else height_of(self._parts.node.store, setting.block)
        _, result = await self._parts.calls.run(piece, height, within)
        return result

    def _request(self, asked: Asked) -> CallRequest:
        return asked.at(0, lambda value: read_call(value, self._parts.node.config.chain_id))


def _setting(asked: Asked) -> Setting:
    """The block, the state and the environment that the arguments after the first name."""
    return Setting(
        asked.get(1, read_block_id, PENDING),
        asked.get(2, read_state_overrides, {}),
        asked.get(3, read_block_overrides, lambda block: block),
    )


def failed(result: TransactionResult, why: str) -> JsonRpcError:
    """The error of a call that did not succeed."""
    return reverted(result.output) if result.reverted else JsonRpcError(SERVER_ERROR, why)


def refused(error: InvalidTransactionError, sender: bytes) -> JsonRpcError:
    """The error of a call that could not begin."""
    if error.reason == "insufficient_funds":
        have, want = error.values["balance"], error.values["needed"]
        text = f"insufficient funds for gas * price + value: address 0x{sender.hex()} have {have} want {want}"
        return JsonRpcError(SERVER_ERROR, text)
    if error.reason == "intrinsic_gas":
        return JsonRpcError(SERVER_ERROR, f"intrinsic gas too low: {error}")
    return JsonRpcError(SERVER_ERROR, str(error))


def _piece(asked: Asked, request: CallRequest) -> Piece:
    """Calls of one function of one contract take about as long, whoever makes them; init code is the caller's own."""
    caller = caller_of(asked.call)
    if request.to is None:
        return Piece(caller, (asked.method, caller))
    return Piece(caller, (asked.method, request.to, request.data[:4]))


def _call(block: BlockEnvironment, parent: ParentState, request: CallRequest) -> tuple[TransactionResult, str]:
    """The result and, where it halted, why."""
    result = call_on(block, BlockState(parent), request)
    return result, "" if result.succeeded or result.reverted else why_halted(block, parent, request)


def why_halted(block: BlockEnvironment, parent: ParentState, request: CallRequest) -> str:
    """What broke a call that used up its gas, by running it again with somebody watching."""
    tracer = CallTracer()
    call_on(block, BlockState(parent), request, tracer)
    root = tracer.root
    return "execution failed" if root is None or root.error is None else root.error


def _estimate(block: BlockEnvironment, parent: ParentState, request: CallRequest) -> int:
    try:
        return estimate_gas(block, parent, request)
    except CallFailedError as error:
        if error.result.reverted:
            raise reverted(error.result.output) from error
        raise JsonRpcError(SERVER_ERROR, f"gas required exceeds allowance ({request.gas})") from error


def _access_list(
    block: BlockEnvironment, parent: ParentState, request: CallRequest
) -> tuple[AccessList, TransactionResult, str]:
    state = BlockState(parent)
    nonce = (parent.account(request.sender) or EMPTY_ACCOUNT).nonce
    to = create_address(request.sender, nonce) if request.to is None else request.to
    tracer = PrestateTracer(state, (request.sender, to))
    call_on(block, state, request, tracer)
    needless = {request.sender, to, block.beneficiary, *(number.to_bytes(20) for number in precompiles(block.fork))}
    accessed = tuple(
        (address, tuple(seen.storage))
        for address, seen in tracer.before.items()
        if seen.storage or address not in needless
    )
    result, why = _call(block, parent, replace(request, access_list=accessed))
    return accessed, result, why
