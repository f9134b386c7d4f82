"""What an endpoint of JSON-RPC is to the HTTP face: it answers bodies, and converses over a WebSocket.

The face does what it does for every call: origins, TLS, places, deadlines, what is kept. The endpoint does the rest.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import trio

from alatau.transport.call import Call
from alatau.transport.web.exchange import Connection, ConnectionLostError
from alatau.transport.web.invocation import Caller
from alatau.transport.web.websocket import WebSocket

PATH: Final = "/"
"""Where Ethereum's tools look for it."""
BODY_BYTES_MAX: Final = 1024 * 1024
"""Of a request, or a batch: four times the longest transaction in hexadecimal."""

Counted = Callable[[], AbstractAsyncContextManager[None]]
"""Counts one call of this caller in, for as long as it lasts; raises ``RpcError`` where it has had its share."""


class JsonEndpoint(Protocol):
    """Serves JSON-RPC."""

    async def answer(self, body: bytes, call: Call, counted: Counted) -> bytes | None:
        """The answer to a body; None to notifications alone. Never raises for what a caller did."""

    async def converse(self, socket: WebSocket, call: Call, counted: Counted) -> None:
        """Serve a WebSocket until it closes."""


def call_of(caller: Caller) -> Call:
    """Who calls; a method's name comes with its request."""
    return Call(method="/jsonrpc", peer=caller.peer, address=caller.address, deadline=None, metadata={})


async def answer_or_gone(
    endpoint: JsonEndpoint, connection: Connection, body: bytes, call: Call, counted: Counted
) -> bytes | None:
    """The answer, unless the client goes first; raises ``ConnectionLostError`` then."""
    is_gone, result = False, b""

    async def look_out() -> None:
        nonlocal is_gone
        await connection.wait_until_gone()
        is_gone = True
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look_out)
        answered = await endpoint.answer(body, call, counted)
        result = b"" if answered is None else answered
        nursery.cancel_scope.cancel()
    if is_gone:
        raise ConnectionLostError
    return result or None


def wants_websocket(method: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a request asks to go on as a WebSocket (RFC 6455, 4.1)."""
    tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return method == b"GET" and "upgrade" in tokens and headers.get("upgrade", "").lower() == "websocket"
