"""A session ends as a whole, with one reason."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from alatau.p2p.budget import Budget
from alatau.p2p.counters import Counters
from alatau.p2p.methods import Lane
from alatau.p2p.session import Session
from alatau.p2p.settings import Settings
from alatau.transport.errors import Code, RpcError
from alatau.wire.bounds import WireError
from alatau.wire.session import Hello, Ping, write_session
from tests.support.ministries import CHAIN, ministry

SETTINGS = Settings(host="127.0.0.1", consensus_queue_max=2)
MEMBER = ministry(2).member()
HELLO = Hello(1, CHAIN.chain_id, CHAIN.genesis_hash, 5, "test", CHAIN.genesis_file_hash)


def opened(bans: list[str] | None = None) -> Session:
    """A session with a peer at height 5; what it is banned for ends it, as in a node."""

    def ban(reason: str) -> None:
        if bans is not None:
            bans.append(reason)
        session.end(reason)

    budget = Budget(SETTINGS, Counters())
    session = Session(MEMBER, HELLO, dialed=True, channel=None, settings=SETTINGS, budget=budget, ban=ban)
    return session


async def silent() -> AsyncIterator[Any]:
    """A peer that says nothing."""
    await trio.sleep_forever()
    yield


async def nowhere(_message: Any) -> None:
    """A stream that takes everything."""


def saying(*messages: Any, then: Exception | None = None, after_s: float = 0.0) -> AsyncIterator[Any]:
    """A peer that says this, and ends the stream after a while (with an error)."""

    async def stream() -> AsyncIterator[Any]:
        for message in messages:
            await trio.lowlevel.checkpoint()
            yield message
        await trio.sleep(after_s)
        if then is not None:
            raise then

    return stream()


@pytest.mark.trio
async def test_all_streams_end_together_with_the_first_reason() -> None:
    """Whoever ends it; what comes later changes nothing, and nothing new starts in it."""
    session = opened()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for lane in Lane:
                nursery.start_soon(session.run_lane, lane, silent(), nowhere, nowhere)
            await trio.testing.wait_all_tasks_blocked()
            session.end("REMOVED", "it is no member any more")
            session.end("STALLED", by_peer=True)
        with session.scope():
            await trio.sleep_forever()
    assert (session.reason, session.detail) == ("REMOVED", "it is no member any more")
    assert session.ended_by_peer is False


@pytest.mark.trio
@pytest.mark.parametrize(
    ("then", "reason", "by_peer", "bans"),
    [
        (None, "CLOSED", True, []),
        (RpcError(Code.UNAVAILABLE, "gone", reason="GOODBYE"), "GOODBYE", True, []),
        (trio.BrokenResourceError(), "CONNECTION_LOST", True, []),
        (WireError("no vote"), "MALFORMED_MESSAGE", False, ["MALFORMED_MESSAGE"]),
    ],
    ids=["the stream ends", "the peer says why", "the connection breaks", "no message"],
)
async def test_how_a_stream_ends_is_how_the_session_ends(
    then: Exception | None, reason: str, by_peer: bool, bans: list[str]
) -> None:
    """And only what the peer did wrong bans it."""
    banned: list[str] = []
    session, heard = opened(banned), list[Any]()

    async def handle(message: Any) -> None:
        heard.append(message)

    with trio.fail_after(10):
        await session.run_lane(Lane.CONSENSUS, saying(write_session(Ping(1)), then=then), nowhere, handle)
    assert len(heard) == 1
    assert (session.reason, session.ended_by_peer, banned) == (reason, by_peer, bans)


@pytest.mark.trio
async def test_a_broken_stream_waits_for_the_peers_reason(autojump_clock: trio.testing.MockClock) -> None:
    """Sending fails first where a peer says why and closes: its reason counts if it comes within a moment."""

    async def broken(_message: Any) -> None:
        raise trio.BrokenResourceError

    why = RpcError(Code.ABORTED, "again", reason="DUPLICATE")
    for delay_s, reason in ((0.5, "DUPLICATE"), (5.0, "CONNECTION_LOST")):
        session = opened()
        session.put(Lane.PROPOSALS, b"block", Counters())
        await session.run_lane(Lane.PROPOSALS, saying(then=why, after_s=delay_s), broken, nowhere)
        assert session.reason == reason


@pytest.mark.trio
async def test_a_peer_that_does_not_answer_pings_has_stalled(autojump_clock: trio.testing.MockClock) -> None:
    """One that answers is measured; the answer to another ping counts for nothing."""

    async def run(answer: Callable[[Session, int], Awaitable[None]]) -> Session:
        session, sent = opened(), 0

        async def send(_message: Any) -> None:
            nonlocal sent
            sent += 1
            await answer(session, sent)

        with trio.move_on_after(100 * SETTINGS.ping_interval_s):
            await session.run_lane(Lane.CONSENSUS, silent(), send, nowhere)
        return session

    async def honest(session: Session, nonce: int) -> None:
        await trio.sleep(0.25)
        session.pong(nonce)

    async def wrong(session: Session, nonce: int) -> None:
        session.pong(nonce + 1)

    measured, stalled = await run(honest), await run(wrong)
    assert (measured.reason, measured.round_trip_ms) == ("", 250.0)
    assert (stalled.reason, stalled.round_trip_ms, stalled.ended_by_peer) == ("STALLED", None, False)


@pytest.mark.trio
async def test_a_full_lane_counts_what_it_drops() -> None:
    """Votes: the oldest goes. Other lanes have queues of their own."""
    session, counters = opened(), Counters()
    for number in range(5):
        session.put(Lane.CONSENSUS, b"vote %d" % number, counters)
    session.put(Lane.TRANSACTIONS, b"payment", counters)
    assert [session.queued(lane) for lane in Lane] == [2, 0, 1]
    assert (counters.dropped[Lane.CONSENSUS], counters.dropped[Lane.TRANSACTIONS]) == (3, 0)
