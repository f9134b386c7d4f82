"""What a transaction did, call by call.

The calls travel as a list with depths: a tree of 1,024 levels is deeper than protobuf's readers go.
"""

from dataclasses import dataclass

from alatau.pb.api.v1 import transaction_service_pb2
from alatau.wire.amount import read_amount


@dataclass(frozen=True, slots=True)
class TracedCall:
    """A call or a creation."""

    depth: int
    """How many calls are around it."""
    kind: str
    """The instruction, as ``"STATICCALL"``; a number for one that this software does not know."""
    caller: bytes
    to: bytes | None
    value: int
    gas: int
    gas_used: int
    input: bytes
    """Its first bytes."""
    output: bytes
    """Its first bytes."""
    error: str | None
    revert_reason: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The calls of a transaction in the order in which they began."""

    calls: tuple[TracedCall, ...]
    truncated: bool
    gas_used: int
    height: int


def write_kind(instruction: str) -> "transaction_service_pb2.CallKind.ValueType":
    """For the wire, from the instruction's name; ``ValueError`` for one that makes no call."""
    return transaction_service_pb2.CallKind.Value(f"CALL_KIND_{instruction}")


def _read_kind(number: "transaction_service_pb2.CallKind.ValueType") -> str:
    kinds = transaction_service_pb2.CallKind
    return kinds.Name(number).removeprefix("CALL_KIND_") if number in kinds.values() else str(number)


def read_trace(message: transaction_service_pb2.TraceResponse) -> Trace:
    """From the wire."""
    calls = tuple(
        TracedCall(
            call.depth,
            _read_kind(call.kind),
            call.caller,
            call.to or None,
            read_amount(call.value),
            call.gas,
            call.gas_used,
            call.input,
            call.output,
            call.error or None,
            call.revert_reason or None,
        )
        for call in message.calls
    )
    return Trace(calls, message.truncated, message.gas_used, message.height)
