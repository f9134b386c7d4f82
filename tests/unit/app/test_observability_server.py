import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from alatau.app.observability_server import ListenError, Probes, open_listener, serve_observability
from alatau.types.endpoint import Endpoint


@asynccontextmanager
async def _server(
    failure: str | None = None,
    unreadiness: str | None = None,
    metrics: Callable[[], bytes] = lambda: b"consensus_height 7.0\n",
) -> AsyncIterator[trio.SocketStream]:
    probes = Probes(metrics, lambda: failure, lambda: unreadiness)
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


async def _probe(port: int, source: str, path: str = "/livez") -> bytes:
    sock = trio.socket.socket()
    await sock.bind((source, 0))
    await sock.connect(("127.0.0.1", port))
    async with trio.SocketStream(sock) as stream:
        return await _ask(stream, _get(path))


async def _trickle(port: int, said: bytes) -> None:
    """Say something, then a byte now and then, over connection after connection."""
    while True:
        try:
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(said)
                while True:
                    await trio.sleep(0.2)
                    await stream.send_all(b"a" if said else b"")
        except (OSError, trio.BrokenResourceError):
            await trio.sleep(1)


@pytest.mark.trio
@pytest.mark.parametrize(
    "said", [b"", b"GET /livez HTTP/1.1\r\nX-Slow: a", _get("/livez")], ids=["idle", "half", "kept"]
)
async def test_however_many_connections_dawdle_a_probe_is_answered(said: bytes) -> None:
    """From another address and from theirs: idle, half-sent and kept connections, more than there are places."""
    async with _server() as stream, trio.open_nursery() as nursery:
        port = stream.socket.getpeername()[1]
        for _ in range(100):
            nursery.start_soon(_trickle, port, said)
        await trio.sleep(0.3)
        for source in ("127.0.0.1", "127.0.0.2") * 5:
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await _probe(port, source, path)).startswith(b"HTTP/1.1 200")
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_request_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte in time after a byte does not put its deadline off; nor does a body."""
    monkeypatch.setattr("alatau.app.observability_server._REQUEST_S", 0.3)
    for head in (b"GET /livez HTTP/1.1\r\nX-Slow: ", b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"):
        async with _server() as stream:
            with trio.fail_after(20), pytest.raises(trio.BrokenResourceError):  # noqa: PT012
                await stream.send_all(head)
                while True:
                    await stream.send_all(b"a")
                    await trio.sleep(0.05)


@pytest.mark.trio
async def test_a_reader_that_falls_asleep_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is dropped with its connection; others get theirs meanwhile."""
    monkeypatch.setattr("alatau.app.observability_server._ANSWER_S", 0.3)
    async with _server(metrics=lambda: bytes(20_000_000)) as stream:
        await stream.send_all(_get("/metrics"))
        assert (await _probe(stream.socket.getpeername()[1], "127.0.0.1")).startswith(b"HTTP/1.1 200")
        await trio.sleep(0.5)
        with trio.fail_after(20):
            got = 0
            try:
                while data := await stream.receive_some():
                    got += len(data)
            except trio.BrokenResourceError:
                pass
            assert got < 20_000_000


@pytest.mark.trio
async def test_a_flood_of_scrapes_renders_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time for which a rendering counts as fresh."""
    monkeypatch.setattr("alatau.app.observability_server._METRICS_FRESH_S", 1_000.0)
    rendered = []
    async with _server(metrics=lambda: rendered.append(1) or b"x 1\n") as stream:  # type: ignore[func-returns-value]
        for _ in range(30):
            assert (await _ask(stream, _get("/metrics"))).endswith(b"x 1\n")
    assert len(rendered) == 1
