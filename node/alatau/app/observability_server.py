"""``/metrics``, ``/livez`` and ``/readyz`` over plain HTTP/1.1 on Trio, spoken by h11.

For a scraper and an orchestrator on the operator's own network: three fixed answers to GET, nothing to post, so the
whole of it is smaller than the configuration of a web framework.

Whoever asks slowly, or not at all, cannot keep an orchestrator from its answer: every step has a deadline, and a new
connection takes the place of the one that has waited longest (``http_connections``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import h11
import trio

from alatau.app.http_connections import HttpConnections
from alatau.transport.rates import TokenBucket
from alatau.types.endpoint import Endpoint

_CONNECTIONS_MAX: Final = 64
"""A scraper and an orchestrator use one each. They are part of the descriptors kept from other connections."""
_PER_SOURCE_MAX: Final = 32
_IDLE_S: Final = 75.0
"""Longer than the usual scrape interval, so that a scraper keeps its connection."""
_REQUEST_S: Final = 5.0
"""From the first byte of a request to its last. The first request of a connection has this long from the start."""
_ANSWER_S: Final = 10.0
"""For a reader to take an answer: metrics have some 30 KB."""
_REQUESTS_PER_S: Final = 50.0
"""Answered on one connection; more are answered later. Rendering metrics takes about a millisecond of the one loop."""
_METRICS_FRESH_S: Final = 0.5
"""How long a rendering is given again, so that a flood of scrapes costs two a second."""
_REQUEST_SIZE_MAX: Final = 16 * 1024
_READ_SIZE: Final = 4096
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Probes:
    """What the three paths answer from."""

    metrics: Callable[[], bytes]
    failure: Callable[[], str | None]
    """Why the process must be restarted, in words; None while it lives."""
    unreadiness: Callable[[], str | None]
    """Why clients should not be sent here now, in words; None when ready."""


class ListenError(OSError):
    """The configured address cannot be listened on: taken by another process, or not this machine's."""


async def open_listener(endpoint: Endpoint, setting: str) -> list[trio.SocketListener]:
    """Listen on ``endpoint``; raises ``ListenError`` naming ``setting``, the line to change."""
    try:
        return await trio.open_tcp_listeners(endpoint.port, host=endpoint.host)
    except OSError as error:
        raise ListenError(f"cannot listen on {endpoint} ({setting}): {error.strerror or error}") from error


async def serve_observability(listeners: list[trio.SocketListener], probes: Probes) -> None:
    """Answer until cancelled."""
    connections = HttpConnections(_CONNECTIONS_MAX, _PER_SOURCE_MAX)
    probes = replace(probes, metrics=_kept_for(_METRICS_FRESH_S, probes.metrics))

    async def handle(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                address = stream.socket.getpeername()[0]
            except OSError:
                return  # Gone before we looked.
            with connections.enter(address) as place:
                await _serve_connection(stream, probes, lambda: connections.asked(address, place))

    await trio.serve_listeners(handle, listeners)


def _kept_for(seconds: float, render: Callable[[], bytes]) -> Callable[[], bytes]:
    """The same, rendered at most once in so many seconds."""
    rendered, at = b"", -math.inf

    def kept() -> bytes:
        nonlocal rendered, at
        if trio.current_time() - at >= seconds:
            rendered, at = render(), trio.current_time()
        return rendered

    return kept


async def _serve_connection(stream: trio.SocketStream, probes: Probes, asked: Callable[[], None]) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_REQUEST_SIZE_MAX)
    rate, first_byte_s = TokenBucket(_REQUESTS_PER_S, _REQUESTS_PER_S), _REQUEST_S
    try:
        while request := await _next_request(connection, stream, first_byte_s):
            asked()
            with trio.fail_after(_ANSWER_S):
                await _respond(connection, stream, request, probes)
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()
            first_byte_s = _IDLE_S
            await trio.sleep(rate.spend(1.0))
    except h11.RemoteProtocolError as error:
        await _refuse(connection, stream, error)
    except (trio.BrokenResourceError, trio.TooSlowError):
        return  # The scraper went away or fell asleep in the middle; it owes us nothing.


async def _next_request(
    connection: h11.Connection, stream: trio.SocketStream, first_byte_s: float
) -> h11.Request | None:
    """The next request, its body read and thrown away. Raises ``trio.TooSlowError`` for one that takes its time."""
    with trio.fail_after(first_byte_s) as deadline:
        if connection.trailing_data[0]:
            deadline.deadline = trio.current_time() + _REQUEST_S
        return await _read_request(connection, stream, deadline)


async def _read_request(
    connection: h11.Connection, stream: trio.SocketStream, deadline: trio.CancelScope
) -> h11.Request | None:
    request, begun = None, False
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(_READ_SIZE))
                if not begun:
                    begun, deadline.deadline = True, trio.current_time() + _REQUEST_S
            case h11.Request() as event:
                request = event
            case h11.EndOfMessage():
                return request
            case h11.ConnectionClosed() | h11.PAUSED:
                return None
            case h11.Data():
                pass  # A body means nothing here.


async def _respond(connection: h11.Connection, stream: trio.SocketStream, request: h11.Request, probes: Probes) -> None:
    status, content_type, body = _answer(request.method, request.target.split(b"?")[0], probes)
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    out = connection.send(h11.Response(status_code=status, headers=headers)) or b""
    if request.method != b"HEAD":
        out += connection.send(h11.Data(data=body)) or b""
    out += connection.send(h11.EndOfMessage()) or b""
    await stream.send_all(out)


def _answer(method: bytes, path: bytes, probes: Probes) -> tuple[int, str, bytes]:
    if method not in (b"GET", b"HEAD"):
        return 405, _TEXT_TYPE, b"only GET\n"
    match path:
        case b"/metrics":
            return 200, _METRICS_TYPE, probes.metrics()
        case b"/livez":
            return _verdict(probes.failure())
        case b"/readyz":
            return _verdict(probes.unreadiness())
        case _:
            return 404, _TEXT_TYPE, b"/metrics, /livez or /readyz\n"


def _verdict(trouble: str | None) -> tuple[int, str, bytes]:
    return (200, _TEXT_TYPE, b"ok\n") if trouble is None else (503, _TEXT_TYPE, f"{trouble}\n".encode())


async def _refuse(connection: h11.Connection, stream: trio.SocketStream, error: h11.RemoteProtocolError) -> None:
    if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
        headers = [("Content-Length", "0"), ("Connection", "close")]
        out = connection.send(h11.Response(status_code=error.error_status_hint, headers=headers)) or b""
        with trio.move_on_after(_ANSWER_S):
            await stream.send_all(out + (connection.send(h11.EndOfMessage()) or b""))
