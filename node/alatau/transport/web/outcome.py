"""How a call ended, as its dialect says it: Connect's error in JSON, its last envelope, gRPC-Web's trailers."""

import json
from base64 import b64encode
from collections.abc import Iterable
from math import ceil
from typing import Any, Final
from urllib.parse import quote

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from alatau.transport.errors import DETAILS_KEY, Code, RpcError, short_message, to_status
from alatau.transport.web.envelope import END_OF_STREAM, TRAILERS, envelope

Fields = Iterable[tuple[str, str]]

_HTTP_STATUS: Final = {
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}
_DETAILS: Final[tuple[type[Message], ...]] = (ErrorInfo, BadRequest, RetryInfo)
_PRINTED_AS_IT_IS: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def http_status(code: Code) -> int:
    """The status of an answer that is an error, by Connect's table."""
    return _HTTP_STATUS[code]


def retry_after(error: RpcError) -> list[tuple[str, str]]:
    """The header that generic HTTP clients know, in whole seconds, never shorter than asked."""
    return [] if error.retry_after_s is None else [("Retry-After", str(ceil(error.retry_after_s)))]


def error_json(error: RpcError) -> bytes:
    """Connect's form of an error, the answer's body."""
    return json.dumps(_error_object(error), separators=(",", ":"), ensure_ascii=False).encode()


def end_of_connect_stream(error: RpcError | None, trailers: Fields) -> bytes:
    """The last envelope of a stream of Connect's."""
    end: dict[str, Any] = {}
    if error is not None:
        end["error"] = _error_object(error)
    metadata: dict[str, list[str]] = {}
    for name, value in trailers:
        metadata.setdefault(name, []).append(value)
    if metadata:
        end["metadata"] = metadata
    return envelope(END_OF_STREAM, json.dumps(end, separators=(",", ":"), ensure_ascii=False).encode())


def end_of_grpc_web(error: RpcError | None, trailers: Fields) -> bytes:
    """The last frame of a body of gRPC-Web."""
    fields = [("grpc-status", str(Code.OK.value if error is None else error.code.value)), *trailers]
    if error is not None:
        fields.append(("grpc-message", quote(short_message(error.message), safe=_PRINTED_AS_IT_IS)))
        fields.append((DETAILS_KEY, _unpadded(to_status(error).SerializeToString())))
    return envelope(TRAILERS, "".join(f"{name}: {value}\r\n" for name, value in fields).encode())


def _error_object(error: RpcError) -> dict[str, Any]:
    """With the details' bytes, as programs read them, and their JSON form beside, for people."""
    status = to_status(error)
    return {
        "code": "canceled" if error.code is Code.CANCELLED else error.code.name.lower(),
        "message": status.message,
        "details": [_detail(packed) for packed in status.details],
    }


def _detail(packed: AnyMessage) -> dict[str, Any]:
    detail: dict[str, Any] = {"type": packed.TypeName(), "value": _unpadded(packed.value)}
    for kind in _DETAILS:
        if packed.TypeName() == kind.DESCRIPTOR.full_name:
            detail["debug"] = MessageToDict(kind.FromString(packed.value))
    return detail


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")
