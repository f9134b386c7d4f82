"""Errors as they cross the wire: ``google.rpc.Status`` with ``ErrorInfo`` and field violations (AIP-193).

The *reason* is the stable part, in UPPER_SNAKE_CASE; the message is for people and may change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN: Final = "alatau"
DETAILS_KEY: Final = "grpc-status-details-bin"
"""Trailing metadata that carries the ``Status`` (the convention of every gRPC library)."""

_MESSAGE_BYTES_MAX: Final = 1_000
"""Longest message sent, percent-encoded as gRPC does. It is sent twice, by itself and in the details."""
DETAILS_BYTES_MAX: Final = 5_120
"""Of the encoded ``Status``. Many clients take 8 KiB of trailers (gRPC's own default); base64 makes 6.8 KiB of this.
A client that gets more than it takes reports an error that nobody can read."""
METADATA_VALUE_MAX: Final = 256
"""Longest value, or path or description of a field, that stays whole where there is too much."""
_WRAPPING_BYTES: Final = 256
"""For the types of the details, the time to retry, and the line about violations that were left out."""


class Code(Enum):
    """gRPC's status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request."""

    field: str
    """Path in the request, as ``transactions[3].signature``."""
    description: str
    reason: str = ""
    """Stable, in UPPER_SNAKE_CASE; empty where the error's own reason says it."""


class RpcError(Exception):
    """A call failed with a status. A handler raises it to say so; a client gets it when a server did.

    ``code`` says whose move it is: INVALID_ARGUMENT and FAILED_PRECONDITION are the caller's fault,
    RESOURCE_EXHAUSTED and UNAVAILABLE pass with time (see ``retry_after_s``), INTERNAL is the server's fault.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        reason: str,
        metadata: Mapping[str, str] | None = None,
        field_violations: Sequence[FieldViolation] = (),
        retry_after_s: float | None = None,
        details: Sequence[AnyMessage] = (),
    ) -> None:
        """``details`` are further messages of the status, packed; a reason that is empty leaves ``ErrorInfo`` out."""
        super().__init__(f"{reason}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.field_violations = tuple(field_violations)
        self.retry_after_s = retry_after_s
        self.details = tuple(details)
        if retry_after_s is not None:  # RetryInfo's time again, for those who read metadata only; never below it
            self.metadata.setdefault("retry_in_ms", str(whole_ms(retry_after_s)))


def detached(error: RpcError) -> RpcError:
    """The same as a value: without the frames that it came through.

    They hold what they worked on, a request of 4 MB for instance, and somewhere the error itself: such a circle waits
    for the collector, which a node runs seldom.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def channel_closed() -> RpcError:
    """What a call gets whose channel is closed on this side: CANCELLED by us, unlike one that gRPC's core dropped."""
    return RpcError(Code.CANCELLED, "the channel was closed on this side", reason="CHANNEL_CLOSED")


class MalformedMessageError(RpcError):
    """Bytes that came in are no message, or one that may not be: the fault of who sent them, client or server."""


def whole_ms(seconds: float) -> int:
    """A time to wait in whole milliseconds: never shorter than asked, at least one."""
    return max(1, ceil(round(seconds * 1_000, 3)))


def to_status(error: RpcError) -> Status:
    """The wire form of an error, cut to what every client can read: the last violations go, then long values."""
    status = Status(code=error.code.value, message=short_message(error.message))
    metadata = {name: _text(value) for name, value in error.metadata.items()}
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    if info.ByteSize() > DETAILS_BYTES_MAX - status.ByteSize() - _WRAPPING_BYTES:
        for name, value in metadata.items():
            info.metadata[name] = value[:METADATA_VALUE_MAX]
    if error.reason:
        status.details.add().Pack(info)
    status.details.extend(error.details)
    if error.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        status.details.add().Pack(retry)
    if error.field_violations:
        bad = _violations(error.field_violations, DETAILS_BYTES_MAX - status.ByteSize())
        status.details.add().Pack(bad)
    return status


def short_message(message: str) -> str:
    """As much of a message as fits into its bound on the wire."""
    room, message = _MESSAGE_BYTES_MAX, _text(message)
    for index, character in enumerate(message):
        room -= 1 if " " <= character <= "~" and character != "%" else 3 * len(character.encode())
        if room < 0:
            return message[:index]
    return message


def _text(text: str) -> str:
    """The same where it can be encoded; half characters become question marks."""
    return text.encode(errors="replace").decode()


def _violations(violations: Sequence[FieldViolation], room: int) -> BadRequest:
    """As many as fit, and how many more there are."""
    bad = BadRequest()
    room -= _WRAPPING_BYTES
    for index, violation in enumerate(violations):
        added = bad.field_violations.add(
            field=_text(violation.field)[:METADATA_VALUE_MAX],
            description=short_message(violation.description)[:METADATA_VALUE_MAX],
            reason=violation.reason,
        )
        room -= added.ByteSize() + 4
        if room < 0:
            del bad.field_violations[-1]
            more = len(violations) - index
            bad.field_violations.add(description=f"and {more} more violations", reason="MORE_VIOLATIONS")
            break
    return bad


def from_status(code: Code, message: str, details: bytes | None) -> RpcError:
    """The error that a server sent. Details that are missing or unreadable leave the code's name as reason."""
    status = Status()
    if details is not None:
        try:
            status.ParseFromString(details)
        except DecodeError:
            status = Status()
    reason, metadata, retry_after_s = code.name, {}, None
    violations: list[FieldViolation] = []
    for detail in status.details:
        info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(bad.DESCRIPTOR) and detail.Unpack(bad):
            violations += [FieldViolation(v.field, v.description, v.reason) for v in bad.field_violations]
        elif detail.Is(retry.DESCRIPTOR) and detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    return RpcError(
        code,
        message,
        reason=reason,
        metadata=metadata,
        field_violations=violations,
        retry_after_s=retry_after_s,
    )
