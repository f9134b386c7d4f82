"""Length-prefixed messages of Connect's streams and of gRPC-Web: a byte of flags, four of length, the message."""

from typing import Final

from alatau.transport.errors import Code, RpcError

COMPRESSED: Final = 0x01
END_OF_STREAM: Final = 0x02
"""Connect: the last one of a stream, a JSON object with the error, if there is one, and trailers."""
TRAILERS: Final = 0x80
"""gRPC-Web: the last one, with the trailers as lines."""
PREFIX_SIZE: Final = 5


def envelope(flags: int, data: bytes) -> bytes:
    """One message as it goes over the wire."""
    return bytes((flags,)) + len(data).to_bytes(4, "big") + data


def only_message(body: bytes) -> bytes:
    """The one message of a request.

    Raises:
        RpcError: INVALID_REQUEST for a part of one; as the protocols prescribe UNIMPLEMENTED for none or several, and
            INTERNAL for one that is compressed, since no encoding can have been agreed.
    """
    if not body:
        raise unimplemented("the request has no message")
    end = PREFIX_SIZE + int.from_bytes(body[1:PREFIX_SIZE], "big")
    if len(body) < PREFIX_SIZE or len(body) < end:
        raise RpcError(Code.INVALID_ARGUMENT, "the request ended within its message", reason="INVALID_REQUEST")
    if body[0] & COMPRESSED:
        raise RpcError(Code.INTERNAL, "the message is compressed, and no encoding was named", reason="")
    if body[0]:
        raise RpcError(Code.INVALID_ARGUMENT, f"flags {body[0]:#x} mean nothing here", reason="INVALID_REQUEST")
    if len(body) > end:
        raise unimplemented("the request has more than one message")
    return body[PREFIX_SIZE:end]


def unimplemented(message: str) -> RpcError:
    """What no handler is asked for. As where gRPC's core refuses, there is no reason of the catalogue."""
    return RpcError(Code.UNIMPLEMENTED, message, reason="")
