"""A network slower than loopback: a handshake takes two round trips, and must be given the time."""

from functools import partial

import pytest
import trio

from alatau.client import connect
from tests.support.solo_node import SoloNode, running

DELAY_S = 0.15
"""One way: a satellite, or a very busy machine."""


async def delayed(source: trio.abc.ReceiveStream, sink: trio.abc.SendStream) -> None:
    """Pass bytes on, each some time after it came."""
    try:
        async for data in source:
            await trio.sleep(DELAY_S)
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


async def forward(port: int, inbound: trio.SocketStream) -> None:
    """Serve one connection of the slow network."""
    outbound = await trio.open_tcp_stream("127.0.0.1", port)
    async with inbound, outbound, trio.open_nursery() as nursery:
        nursery.start_soon(delayed, inbound, outbound)
        await delayed(outbound, inbound)
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_slow_handshake_succeeds(node: SoloNode, nursery: trio.Nursery) -> None:
    """A connection that takes longer than the first pause between attempts is still made."""
    async with running(node) as served:
        port = int(served.endpoint.rpartition(":")[2])
        slow = await nursery.start(partial(trio.serve_tcp, partial(forward, port), 0, host="127.0.0.1"))
        endpoint = f"127.0.0.1:{slow[0].socket.getsockname()[1]}"
        async with connect(endpoint, served.tls) as client:
            assert (await client.status()).chain_id == 7773
    nursery.cancel_scope.cancel()
