"""Attacks on the port for browsers and curl: HTTP/1.1, no credential, from four addresses."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from alatau.types.endpoint import parse_endpoint
from alatau_devnet.attack.calls import SOURCES
from alatau_devnet.attack.scene import Scene
from alatau_devnet.attack.tls import GONE, Outcome
from alatau_devnet.attack.withheld import BIG_ANSWER, CALL_PATH

BATCH_PATH: Final = "/alatau.api.v1.TransactionService/BatchSubmitTransactions"
SUBSCRIBE_PATH: Final = "/alatau.api.v1.BlockService/SubscribeBlocks"
STATUS_PATH: Final = "/alatau.api.v1.NodeService/GetStatus"

_IDLE: Final = 1_200
"""More than twice the connections that the port takes."""
_SLOW: Final = 512
_UNREAD: Final = 500
_BODIES: Final = 128
_HEADS: Final = 64
_BODY_BYTES: Final = 4_000_000
_PIECE_BYTES: Final = 64_000
_PAUSE_S: Final = 0.2
"""Before a connection that was closed is opened again."""
_DEAR_JSON: Final = b'{"transactions":[' + b",".join([b'""'] * 16_000) + b"]}"
"""As many values as a request in JSON may have: what is dearest to read."""
_FROM_GENESIS: Final = b'{"fromHeight":"0","view":"BLOCK_VIEW_FULL"}'

Act = Callable[[trio.SocketStream, Counter[str]], Awaitable[None]]
"""What is done on one connection; it is held until the node closes it."""


async def idle(scene: Scene, seconds: float) -> object:
    """Connections that say nothing."""
    return await keep_open(scene.victim.http, seconds, Outcome("idle connections over HTTP"), _IDLE, _silent)


async def slow(scene: Scene, seconds: float) -> object:
    """Heads and bodies that come a byte a second."""
    return await keep_open(scene.victim.http, seconds, Outcome("a byte a second over HTTP"), _SLOW, trickle)


async def heads(scene: Scene, seconds: float) -> object:
    """Heads without an end, and whole ones that are longer than one may be, one after the other."""
    return await keep_open(scene.victim.http, seconds, Outcome("floods of headers"), _HEADS, endless_head)


async def bodies(scene: Scene, seconds: float) -> object:
    """Bodies of 4 MB without their last byte, and JSON that is dear to read."""
    return await keep_open(scene.victim.http, seconds, Outcome("bodies over HTTP"), _BODIES, huge_body)


async def unread(scene: Scene, seconds: float) -> object:
    """Subscriptions from genesis on, and answers of 1 MB, which nobody takes."""
    return await keep_open(scene.victim.http, seconds, Outcome("answers left over HTTP"), _UNREAD, no_reader)


async def keep_open(endpoint: str, seconds: float, outcome: Outcome, count: int, act: Act) -> Outcome:
    """Keep ``count`` connections at work, each opened anew after the node ended it."""
    target, events = parse_endpoint(endpoint), outcome.events

    async def one(source: str) -> None:
        while True:
            try:
                async with await trio.open_tcp_stream(target.host, target.port, local_address=source) as stream:
                    events["connections"] += 1
                    await act(stream, events)
            except* GONE:
                pass
            events["ended by node"] += 1
            await trio.sleep(_PAUSE_S)

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(one, SOURCES[number % len(SOURCES)])
                await trio.sleep(0.001)  # the listener's backlog is short
    return outcome


async def trickle(stream: trio.SocketStream, events: Counter[str]) -> None:
    """A byte a second, of a head, or of the body after it."""
    begun = _head("POST", CALL_PATH, 4_000) if events["connections"] % 2 else b""
    await stream.send_all(begun)
    for byte in _head("POST", CALL_PATH, 4_000) + bytes(4_000):
        await stream.send_all(bytes((byte,)))
        await trio.sleep(1)


async def endless_head(stream: trio.SocketStream, events: Counter[str]) -> None:
    """Header after header: without an end where the connection's number is odd, else heads that are too long."""
    is_whole = events["connections"] % 2 == 0
    field = b"x-%d: " + b"a" * 1_000 + b"\r\n"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_drain, stream)
        while True:
            block = b"".join(field % number for number in range(60))
            await stream.send_all(_head("POST", STATUS_PATH, 0)[:-2] + block + b"\r\n" if is_whole else block)
            events["heads" if is_whole else "kB of one head"] += 1 if is_whole else len(block) // 1_000


async def huge_body(stream: trio.SocketStream, events: Counter[str]) -> None:
    """A body that lacks its last byte where the connection's number is odd, else JSON that is as dear as it may be."""
    if events["connections"] % 2:
        await stream.send_all(_head("POST", CALL_PATH, _BODY_BYTES))
        for _ in range(_BODY_BYTES // _PIECE_BYTES):
            await stream.send_all(bytes(_PIECE_BYTES))
            events["kB"] += _PIECE_BYTES // 1_000
        await _silent(stream, events)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_drain, stream)
        while True:
            await stream.send_all(_head("POST", BATCH_PATH, len(_DEAR_JSON), "application/json") + _DEAR_JSON)
            events["JSON"] += 1


async def no_reader(stream: trio.SocketStream, events: Counter[str]) -> None:
    """Ask for a subscription, or for a large answer, and take nothing."""
    if events["connections"] % 2:
        body = b"\0" + len(_FROM_GENESIS).to_bytes(4, "big") + _FROM_GENESIS
        await stream.send_all(_head("POST", SUBSCRIBE_PATH, len(body), "application/connect+json") + body)
    else:
        await stream.send_all(_head("POST", CALL_PATH, len(BIG_ANSWER)) + BIG_ANSWER)
    await trio.sleep(3_600)


def _head(method: str, path: str, length: int, content_type: str = "application/proto") -> bytes:
    first = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{first}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()


async def _silent(stream: trio.SocketStream, _events: Counter[str]) -> None:
    while await stream.receive_some(4_096):
        pass


async def _drain(stream: trio.SocketStream) -> None:
    while await stream.receive_some(65_536):
        pass
    raise trio.BrokenResourceError
