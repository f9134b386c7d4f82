"""Each attack that leaves something away, on a real server, until it costs the attacker its connection."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from alatau.transport.channel import open_channel
from alatau.transport.credentials import dial_node
from alatau.transport.holdings import CALL_BYTES
from alatau.transport.limits import Limits
from alatau.types.endpoint import Endpoint
from alatau_devnet.attack import withheld
from alatau_devnet.attack.tls import Outcome
from tests.support.echo import UNARY, rig, value
from tests.support.waiting import eventually

UNARY_PATH, CHAT_PATH = "/test.Echo/Unary", "/test.Echo/Chat"
MANY = 8_192
LIMITS = Limits(
    held_bytes_max=64 * CALL_BYTES,
    concurrent_calls_max=MANY,
    concurrent_calls_per_peer_max=MANY,
    calls_waiting_soft=MANY,
    calls_waiting_max=MANY,
    shutdown_grace_s=0.2,
)
ANSWER = value(bytes(100_000)).SerializeToString()


@pytest.mark.parametrize(
    "attack",
    [
        partial(withheld.half_open_calls, path=UNARY_PATH),
        partial(withheld.unfinished_requests, path=UNARY_PATH),
        partial(withheld.unfinished_requests, path=CHAT_PATH),
        partial(withheld.unfinished_requests, path=withheld.WATCH_PATH),
        partial(withheld.unread_answers, path=UNARY_PATH, request=ANSWER),
        partial(withheld.unread_answers, path=CHAT_PATH, request=ANSWER),
        partial(withheld.byte_by_byte, path=UNARY_PATH, request=ANSWER),
    ],
    ids=["headers", "unary", "stream", "health", "answers", "streamed answers", "a byte at a time"],
)
def test_who_leaves_something_away_loses_its_connection(attack: Callable[..., Awaitable[Outcome]]) -> None:
    """The end of requests, or the window of answers: what is kept is bounded, others are served, all is let go."""

    async def main() -> None:
        async with rig(LIMITS, public=True) as r:
            endpoint = Endpoint("127.0.0.1", r.server.ports[1])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(attack, endpoint, 60.0)
                await eventually(lambda: r.server.connections.refused["HELD_BYTES"], "one gives way", 30)
                # Looked at from another thread, perhaps between a piece of the relay and the relief.
                assert r.server.held_bytes <= LIMITS.held_bytes_max + 64 * 1024 + CALL_BYTES
                nursery.cancel_scope.cancel()
            await eventually(lambda: not r.server.held_bytes and not r.server.calls_under_way, "all is let go", 30)
            tls = dial_node(r.server_identity.current.public_key)
            async with open_channel(str(endpoint), tls) as channel:
                assert (await channel.unary(UNARY, value(b"hi"), timeout_s=30)).value == b"hi"

    trio.run(main)
