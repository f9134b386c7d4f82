"""Tracing for clients: running a final transaction, or a message call, again under a tracer."""

from collections.abc import Iterator
from dataclasses import dataclass

from alatau.chain.message import CallRequest, call
from alatau.chain.system import run_block_start
from alatau.chain.tracing import trace_transaction
from alatau.chain.transaction import TransactionResult
from alatau.evm.environment import BlockEnvironment
from alatau.evm.tracing import CallTrace, CallTracer
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.state.block_state import BlockState
from alatau.storage.frozen_state import FrozenState
from alatau.types.block import Block
from alatau.types.transaction import recover_sender
from alatau.wire.amount import write_amount
from alatau.wire.trace import write_kind

_pb = transaction_service_pb2

_CALLS_MAX = 10_000
"""Calls in a trace: with little data each, about 2 MB. The tracer keeps ten times as many."""
_DATA_SIZE_MAX = 4_096
"""Bytes of a call's input or output that are shown."""
_TRACE_BYTES_MAX = 3 * 1024 * 1024 + 512 * 1024
"""Where a trace ends although there are more calls: below the 4 MiB that gRPC's clients take by default."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A transaction that was run again."""

    tracer: CallTracer
    result: TransactionResult


def trace_in_block(block: Block, index: int, environment: BlockEnvironment, state: FrozenState) -> Traced:
    """Run a block up to the transaction at ``index``, and that one under a tracer. ``state`` is the parent's."""
    block_state = open_block(block, environment, state)
    signed = [(tx, recover_sender(tx)) for tx in block.transactions[: index + 1]]
    tracer = CallTracer()
    return Traced(tracer, trace_transaction(environment, block_state, signed, index, lambda _: tracer))


def open_block(block: Block, environment: BlockEnvironment, state: FrozenState) -> BlockState:
    """The state that the first transaction of a block finds."""
    block_state = BlockState(state)
    run_block_start(environment, block_state, block.header.parent_hash, block.header.parent_beacon_block_root)
    return block_state


def trace_call(environment: BlockEnvironment, request: CallRequest, state: FrozenState) -> Traced:
    """Run a message call under a tracer."""
    tracer = CallTracer()
    return Traced(tracer, call(environment, state, request, tracer))


def trace_message(traced: Traced, height: int) -> _pb.TraceResponse:
    """The answer to a client."""
    response = _pb.TraceResponse(gas_used=traced.result.gas_used, height=height, truncated_by=_pb.TRACE_BOUND_NONE)
    assert traced.tracer.root is not None, "a transaction is a call"
    room = _TRACE_BYTES_MAX
    for depth, entry in _in_order(traced.tracer.root):
        message = _message(depth, entry)
        room -= message.ByteSize()
        if room < 0:
            response.truncated_by = _pb.TRACE_BOUND_BYTES
            break
        if len(response.calls) == _CALLS_MAX:
            response.truncated_by = _pb.TRACE_BOUND_CALLS
            break
        response.calls.append(message)
    else:
        if traced.tracer.truncated:
            response.truncated_by = _pb.TRACE_BOUND_DATA
    response.truncated = response.truncated_by != _pb.TRACE_BOUND_NONE
    return response


def _in_order(root: CallTrace) -> Iterator[tuple[int, CallTrace]]:
    """The calls in the order in which they began, each with its depth. No recursion: they nest 1,024 deep."""
    waiting = [(0, root)]
    while waiting:
        depth, entry = waiting.pop()
        yield depth, entry
        waiting += [(depth + 1, inner) for inner in reversed(entry.calls)]


def _message(depth: int, entry: CallTrace) -> _pb.TracedCall:
    return _pb.TracedCall(
        depth=depth,
        kind=write_kind(entry.kind),
        caller=entry.caller,
        to=entry.to or b"",
        value=write_amount(entry.value or 0),
        gas=entry.gas,
        gas_used=entry.gas_used,
        input=entry.data[:_DATA_SIZE_MAX],
        input_size=len(entry.data),
        output=entry.output[:_DATA_SIZE_MAX],
        output_size=len(entry.output),
        error=entry.error or "",
        revert_reason=entry.revert_reason or "",
    )
