"""Portions of blocks from several peers, the next ones ahead of their use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
import trio.testing

from alatau.p2p.block_fetcher import AHEAD_MAX, BlockFetcher, Fetched
from alatau.p2p.block_fetcher import Blocks as Portion
from alatau.transport.errors import Code, RpcError
from tests.support.ministries import Blocks

CHAIN = Blocks.of_height(40).chain
A, B, C = (bytes([n]) * 20 for n in (1, 2, 3))
COUNT = 4


@dataclass
class Peers:
    """Connected peers by their heights, and what each was asked for."""

    heights: dict[bytes, int]
    failing: set[bytes] = field(default_factory=set)
    slow: dict[bytes, float] = field(default_factory=dict)
    asked: list[tuple[bytes, int]] = field(default_factory=list)
    under_way: int = 0

    def table(self) -> Any:
        """The table of sessions, as far as the fetcher looks at it."""
        self.sessions = {peer: SimpleNamespace(height=height) for peer, height in self.heights.items()}
        return cast("Any", self)

    async def fetch(self, peer: bytes, start: int, count: int) -> Portion:
        """What a peer answers."""
        self.asked.append((peer, start))
        self.under_way += 1
        try:
            await trio.sleep(self.slow.get(peer, 0.01))
        finally:
            self.under_way -= 1
        if peer in self.failing:
            raise RpcError(Code.INTERNAL, "broken", reason="INTERNAL")
        return CHAIN[start - 1 : start - 1 + count]


@asynccontextmanager
async def fetching(peers: Peers) -> AsyncIterator[BlockFetcher]:
    """A fetcher that runs ahead."""
    fetcher = BlockFetcher(peers.table(), peers.fetch)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetcher.run)
        await trio.testing.wait_all_tasks_blocked()
        yield fetcher
        nursery.cancel_scope.cancel()


def heights(fetched: Fetched) -> list[int]:
    """Of the blocks."""
    return [block.header.number for block, _ in fetched.blocks]


@pytest.mark.trio
async def test_the_next_portions_are_fetched_ahead_from_other_peers(autojump_clock: trio.testing.MockClock) -> None:
    """Each from another one; when the engine asks for them they are there, and further ones are on their way."""
    peers = Peers({A: 40, B: 40, C: 40})
    async with fetching(peers) as fetcher:
        assert heights(await fetcher.get(A, 1, COUNT)) == [1, 2, 3, 4]
        await trio.sleep(1)
        assert sorted(start for _, start in peers.asked) == [1, 5, 9, 13]
        assert len({peer for peer, start in peers.asked if start > 1}) == AHEAD_MAX
        before = trio.current_time()
        assert [heights(await fetcher.get(A, start, COUNT))[0] for start in (5, 9)] == [5, 9]
        assert trio.current_time() == before


@pytest.mark.trio
async def test_who_fails_is_passed_over(autojump_clock: trio.testing.MockClock) -> None:
    """By the preferred peer and ahead of use alike; only where nobody delivers is the answer empty."""
    peers = Peers({A: 40, B: 40}, failing={A})
    async with fetching(peers) as fetcher:
        first = await fetcher.get(A, 1, COUNT)
        assert (first.peer_id, heights(first)) == (B, [1, 2, 3, 4])
        await trio.sleep(1)
        second = await fetcher.get(A, 5, COUNT)
        assert (second.peer_id, heights(second)) == (B, [5, 6, 7, 8])
        peers.failing.add(B)
        assert await fetcher.get(A, 21, COUNT) == Fetched(A, [])


@pytest.mark.trio
async def test_a_peer_that_claims_what_it_does_not_have_is_believed_no_more(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Its claim falls below the block that it lacks, so that it is not asked again."""
    peers = Peers({A: 99})
    async with fetching(peers) as fetcher:
        assert (await fetcher.get(A, 41, COUNT)).blocks == []
        assert peers.sessions[A].height == 40


@pytest.mark.trio
async def test_what_a_liar_gave_is_forgotten(autojump_clock: trio.testing.MockClock) -> None:
    """Portions of others stay; the liar's are asked for again."""
    peers = Peers({A: 40, B: 40, C: 40})
    async with fetching(peers) as fetcher:
        await fetcher.get(A, 1, COUNT)
        await trio.sleep(1)
        liar, start = next((peer, start) for peer, start in peers.asked if start == 5)
        fetcher.forget(liar)
        del peers.sessions[liar]
        again = await fetcher.get(A, start, COUNT)
        assert (again.peer_id != liar, heights(again)) == (True, [5, 6, 7, 8])


@pytest.mark.trio
async def test_portions_that_no_longer_meet_or_that_nobody_takes_are_dropped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Consensus went on by itself: what lies there is behind; in time nothing is kept."""
    peers = Peers({A: 40, B: 40}, slow={B: 10_000.0})
    async with fetching(peers) as fetcher:
        await fetcher.get(A, 1, COUNT)
        await trio.sleep(1)
        assert peers.under_way == 1
        assert heights(await fetcher.get(A, 7, COUNT)) == [7, 8, 9, 10]
        await trio.sleep(0.001)
        assert 5 in [start for _, start in peers.asked]
        assert min(fetcher._ahead) == 11
        peers.sessions.clear()
        await trio.sleep(60)
        assert [portion.peer_id for portion in fetcher._ahead.values()] == [B]  # still under way; what A gave is gone


@pytest.mark.trio
async def test_without_its_task_nothing_is_fetched_ahead() -> None:
    """Every portion then waits for its own answer."""
    peers = Peers({A: 40, B: 40})
    fetcher = BlockFetcher(peers.table(), peers.fetch)
    assert heights(await fetcher.get(B, 1, COUNT)) == [1, 2, 3, 4]
    assert peers.asked == [(B, 1)]
