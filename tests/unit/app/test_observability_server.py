import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from alatau.app.endpoint import Endpoint
from alatau.app.observability_server import ListenError, Probes, open_listener, serve_observability


@asynccontextmanager
async def _server(failure: str | None = None, unreadiness: str | None = None) -> AsyncIterator[trio.SocketStream]:
    probes = Probes(lambda: b"consensus_height 7.0\n", lambda: failure, lambda: unreadiness)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_observability, listeners, probes)
        async with await trio.open_tcp_stream(*listeners[0].socket.getsockname()[:2]) as stream:
            yield stream
        nursery.cancel_scope.cancel()


async def _ask(stream: trio.SocketStream, request: bytes) -> bytes:
    await stream.send_all(request)
    with trio.fail_after(5):
        return bytes(await stream.receive_some(65536))


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: node\r\n\r\n".encode()


@pytest.mark.trio
async def test_metrics_and_probes_answer_on_one_connection() -> None:
    """A scraper keeps its connection over several requests."""
    async with _server(unreadiness="catching up: at height 3, peers are at 9") as stream:
        metrics = await _ask(stream, _get("/metrics"))
        assert metrics.startswith(b"HTTP/1.1 200")
        assert metrics.endswith(b"consensus_height 7.0\n")
        assert (await _ask(stream, _get("/livez"))).startswith(b"HTTP/1.1 200")
        ready = await _ask(stream, _get("/readyz?verbose"))
        assert ready.startswith(b"HTTP/1.1 503")
        assert b"peers are at 9" in ready


@pytest.mark.trio
async def test_a_failed_node_says_why_it_should_be_restarted() -> None:
    """The orchestrator's log then tells the operator."""
    async with _server(failure="the engine stopped") as stream:
        answer = await _ask(stream, _get("/livez"))
        assert answer.startswith(b"HTTP/1.1 503")
        assert answer.endswith(b"the engine stopped\n")


@pytest.mark.trio
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"405"),
        (_get("/"), b"404"),
        (b"\x16\x03\x01 garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, b"431"),
    ],
)
async def test_anything_else_is_refused(request_bytes: bytes, status: bytes) -> None:
    """Wrong methods, paths, protocols and sizes get their status and harm nobody."""
    async with _server() as stream:
        assert (await _ask(stream, request_bytes)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.trio
async def test_a_taken_port_names_the_setting_to_change() -> None:
    """The error says which line of the configuration to look at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port} \(metrics\.listen\): Address already in use"):
            await open_listener(Endpoint("127.0.0.1", port), "metrics.listen")
