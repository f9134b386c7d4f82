"""Errors of JSON-RPC: codes of EIP-1474 and of geth, which tools switch on, and what the catalogue's reasons become.

An error has an integer code and a text. ``data`` of a revert is what the contract returned, in hexadecimal and also
where that is nothing; of other errors it is an object with the reason of docs/errors.md and its values.
"""

from typing import Any, Final

from alatau.transport.errors import Code, RpcError
from alatau.wire.reverts import revert_reason

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000
"""What geth says of everything that has no code of its own: wrong nonces, unknown blocks, calls that halt."""
LIMIT_EXCEEDED: Final = -32005
"""EIP-1474: more than this node does for one caller; ask for less, or later."""
REVERTED: Final = 3
"""geth's, which every library decodes."""


class JsonRpcError(Exception):
    """A call failed; the caller gets code, message and data as they are."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_object(self) -> dict[str, Any]:
        """The ``error`` of an answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        return body if self.data is None else body | {"data": self.data}


def invalid_params(message: str) -> JsonRpcError:
    """The caller's arguments are none that the method takes."""
    return JsonRpcError(INVALID_PARAMS, message)


def unknown_block() -> JsonRpcError:
    """As geth says it of a number above the tip and of a hash that is none."""
    return JsonRpcError(SERVER_ERROR, "header not found")


def reverted(output: bytes) -> JsonRpcError:
    """A call ended with REVERT."""
    reason = revert_reason(output)
    text = "execution reverted" if reason is None else f"execution reverted: {reason}"
    return JsonRpcError(REVERTED, text, f"0x{output.hex()}")


_LIMITS: Final = frozenset({Code.RESOURCE_EXHAUSTED})
_UNKNOWN: Final = frozenset({"HEIGHT_NOT_REACHED", "BLOCK_NOT_FOUND"})


def from_rpc(error: RpcError) -> JsonRpcError:
    """What a failure of the shared services is called here."""
    if error.reason in _UNKNOWN:
        return unknown_block()
    data: dict[str, Any] = {"reason": error.reason, **error.metadata}
    if error.code in _LIMITS:
        return JsonRpcError(LIMIT_EXCEEDED, error.message, data)
    if error.code is Code.INVALID_ARGUMENT:
        return JsonRpcError(INVALID_PARAMS, error.message, data)
    if error.reason == "INSUFFICIENT_FUNDS":
        return JsonRpcError(SERVER_ERROR, f"insufficient funds for gas * price + value: {error.message}", data)
    if error.reason == "INTRINSIC_GAS_TOO_LOW":
        return JsonRpcError(SERVER_ERROR, f"intrinsic gas too low: {error.message}", data)
    return JsonRpcError(SERVER_ERROR, error.message, data)
