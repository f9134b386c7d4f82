"""Fetching decided blocks: one request at a time, and every one of them answered."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
import trio
import trio.testing

from alatau.engine.block_sync import PORTION, BlockSync, Fetched
from alatau.types.block import Block
from alatau.types.vote import Commit
from tests.support.ministries import Blocks

CHAIN = Blocks.of_height(3).chain
PEER, OTHER = b"\x01" * 20, b"\x02" * 20


class Peers:
    """Another node that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, int, int]] = []
        self.answer = trio.Event()

    async def fetch_blocks(
        self, preferred: bytes, start: int, count: int
    ) -> tuple[bytes, Sequence[tuple[Block, Commit]]]:
        """See ``engine.peers.Peers``."""
        self.asked.append((preferred, start, count))
        await self.answer.wait()
        return OTHER, CHAIN[start - 1 :]


@pytest.mark.trio
async def test_a_request_while_another_runs_is_a_reminder(nursery: trio.Nursery) -> None:
    """One at a time; the next may come when the blocks are handed on, with who gave them."""
    peers, got = Peers(), []

    async def deliver(fetched: Fetched) -> None:
        got.append((fetched, sync.running))

    sync = BlockSync(nursery, cast("Any", peers), deliver)
    assert not sync.running
    for height in (1, 2):
        sync.request(PEER, height)
    await trio.testing.wait_all_tasks_blocked()
    assert (peers.asked, sync.running) == ([(PEER, 1, PORTION)], True)
    peers.answer.set()
    await trio.testing.wait_all_tasks_blocked()
    assert got == [(Fetched(OTHER, CHAIN), False)]
    sync.request(PEER, 3)
    await trio.testing.wait_all_tasks_blocked()
    assert [fetched.blocks for fetched, _ in got] == [CHAIN, CHAIN[2:]]


@pytest.mark.trio
async def test_an_answer_of_nobody_is_handed_on_too(nursery: trio.Nursery) -> None:
    """Consensus has to know that what it asked for does not come."""
    peers, got = Peers(), []

    async def deliver(fetched: Fetched) -> None:
        got.append(fetched)

    sync = BlockSync(nursery, cast("Any", peers), deliver)
    peers.answer.set()
    sync.request(PEER, 4)
    await trio.testing.wait_all_tasks_blocked()
    assert got == [Fetched(OTHER, [])]
    assert not sync.running
