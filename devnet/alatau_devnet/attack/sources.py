"""Connections from another loopback address: grpc cannot choose its own, so a relay does.

``async with relay("127.0.0.9", "127.0.0.1:7101") as endpoint:`` gives the ``host:port`` to dial instead.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from alatau.types.endpoint import parse_endpoint

_READ_BYTES: Final = 65_536
_GONE: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


@asynccontextmanager
async def relay(source: str, endpoint: str) -> AsyncIterator[str]:
    """A listener whose connections reach ``endpoint`` (``host:port``) from ``source``."""
    target = parse_endpoint(endpoint)

    async def carry(near: trio.SocketStream) -> None:
        async with near:
            try:
                far = await trio.open_tcp_stream(target.host, target.port, local_address=source)
            except OSError:
                return  # refused there, so it ends here
            async with far, trio.open_nursery() as nursery:
                nursery.start_soon(_pump, near, far)
                nursery.start_soon(_pump, far, near)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, carry, listeners)
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _pump(source: trio.SocketStream, sink: trio.SocketStream) -> None:
    """Move bytes until one side ends, which ends the other."""
    try:
        while data := await source.receive_some(_READ_BYTES):
            await sink.send_all(data)
    except _GONE:
        pass
    finally:
        await trio.aclose_forcefully(sink)
        await trio.aclose_forcefully(source)
