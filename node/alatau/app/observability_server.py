"""``/metrics``, ``/livez`` and ``/readyz`` over plain HTTP/1.1 on Trio, spoken by h11.

For a scraper and an orchestrator on the operator's own network: three fixed answers to GET, nothing to post, so the
whole of it is smaller than the configuration of a web framework.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import h11
import trio

from alatau.app.endpoint import Endpoint

_CONNECTIONS_MAX: Final = 16
"""A scraper and an orchestrator use one each."""
_IDLE_S: Final = 75.0
"""Longer than the usual scrape interval, so that a scraper keeps its connection."""
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
    limiter = trio.CapacityLimiter(_CONNECTIONS_MAX)

    async def handle(stream: trio.SocketStream) -> None:
        async with limiter, stream:
            await _serve_connection(stream, probes)

    await trio.serve_listeners(handle, listeners)


async def _serve_connection(stream: trio.SocketStream, probes: Probes) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_REQUEST_SIZE_MAX)
    try:
        with trio.move_on_after(_IDLE_S) as idle:
            while request := await _next_request(connection, stream):
                idle.deadline = trio.current_time() + _IDLE_S
                await _respond(connection, stream, request, probes)
                if connection.our_state is h11.MUST_CLOSE:
                    return
                connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        await _refuse(connection, stream, error)
    except trio.BrokenResourceError:
        return  # The scraper went away in the middle; it owes us nothing.


async def _next_request(connection: h11.Connection, stream: trio.SocketStream) -> h11.Request | None:
    request = None
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(_READ_SIZE))
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
        await stream.send_all(out + (connection.send(h11.EndOfMessage()) or b""))
