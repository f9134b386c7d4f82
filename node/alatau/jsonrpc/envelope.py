"""Requests and answers of JSON-RPC 2.0 (https://www.jsonrpc.org/specification), by themselves and in batches.

Ids come back as they came, whatever they are. A request without an id is a notification: it is done and not answered.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from alatau.jsonrpc.asked import Encoded
from alatau.jsonrpc.errors import INVALID_REQUEST, PARSE_ERROR, JsonRpcError, invalid_params

BATCH_MAX: Final = 100
"""Requests in a batch: what Infura takes too. Each is counted like one that comes alone."""
ENTRIES_MAX: Final = 65_536
"""Commas in a body, before it is parsed: each may stand for a value to build."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    id: Any
    """Any JSON; meaningless in a notification."""
    notifies: bool
    method: str
    params: list[Any]


@dataclass(frozen=True, slots=True)
class Invalid:
    """What stands where a request should."""

    id: Any
    error: JsonRpcError


def read_body(body: bytes) -> list[Request | Invalid] | Request | Invalid:
    """A request, or a batch of them.

    Raises:
        JsonRpcError: PARSE_ERROR, where the bytes are no JSON.
    """
    if body.count(b",") > ENTRIES_MAX:
        raise JsonRpcError(INVALID_REQUEST, f"the request has more than {ENTRIES_MAX} entries")
    try:
        document = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise JsonRpcError(PARSE_ERROR, f"parse error: {error}"[:200]) from error
    if not isinstance(document, list):
        return _read(document)
    if not document:
        raise JsonRpcError(INVALID_REQUEST, "empty batch")
    if len(document) > BATCH_MAX:
        too_large = JsonRpcError(INVALID_REQUEST, f"batch too large: {len(document)} requests, at most {BATCH_MAX}")
        return [Invalid(one.get("id") if isinstance(one, dict) else None, too_large) for one in document]
    return [_read(one) for one in document]


def answer(id_: Any, result: Any) -> bytes:
    """The answer to a request that was done."""
    body = result.json if isinstance(result, Encoded) else encode(result)
    return b'{"jsonrpc":"2.0","id":' + encode(id_) + b',"result":' + body + b"}"


def failure(id_: Any, error: JsonRpcError) -> bytes:
    """The answer to one that was not: an error, and neither a result nor a null in its place."""
    return encode({"jsonrpc": "2.0", "id": id_, "error": error.as_object()})


def batch(answers: list[bytes]) -> bytes:
    """The answers to a batch."""
    return b"[" + b",".join(answers) + b"]"


def notification(method: str, subscription: str, result: Any) -> bytes:
    """What a subscription says."""
    body = result.json if isinstance(result, Encoded) else encode(result)
    head = encode(method), encode(subscription)
    return b'{"jsonrpc":"2.0","method":%b,"params":{"subscription":%b,"result":%b}}' % (*head, body)


def encode(document: Any) -> bytes:
    """JSON without spaces, in UTF-8."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def _read(document: Any) -> Request | Invalid:
    if not isinstance(document, dict):
        return Invalid(None, JsonRpcError(INVALID_REQUEST, "invalid request: expected an object"))
    id_ = document.get("id")
    method, params = document.get("method"), document.get("params")
    if document.get("jsonrpc") != "2.0":
        return Invalid(id_, JsonRpcError(INVALID_REQUEST, 'invalid request: "jsonrpc" is not "2.0"'))
    if not isinstance(method, str):
        return Invalid(id_, JsonRpcError(INVALID_REQUEST, 'invalid request: "method" is no string'))
    if params is not None and not isinstance(params, list):
        return Invalid(id_, invalid_params("non-array args"))
    return Request(id_, "id" not in document, method, params or [])


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
