"""The one listener behind all subscriptions."""

import pytest
import trio

from alatau.rpc.feed import Feed
from alatau.rpc.limits import Limits
from alatau.transport.errors import RpcError
from tests.support.solo_node import SoloNode, payment
from tests.support.waiting import eventually


@pytest.mark.trio
async def test_it_knows_the_tip_from_the_start(node: SoloNode, nursery: trio.Nursery) -> None:
    """Blocks of before are there at once, later ones as they come; few are kept in memory."""
    node.commit_block()
    feed = Feed(node, Limits(recent_blocks=2))
    await nursery.start(feed.run)
    assert feed.height == 1
    for _ in range(3):
        node.commit_block()
        await trio.testing.wait_all_tasks_blocked()
    assert feed.height == 4
    assert sorted(feed._recent) == [3, 4]
    assert feed.recent(2) is None
    recent = feed.recent(3)
    assert recent is not None
    assert recent.block == node.store.block(3)
    with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED"):
        feed.recent(5)


@pytest.mark.trio
async def test_it_catches_up_when_it_was_cut_off(node: SoloNode, nursery: trio.Nursery) -> None:
    """Waiters of blocks that it never saw are released from the store."""
    feed = Feed(node, Limits())
    await nursery.start(feed.run)
    tx = payment()
    released = trio.Event()

    async def wait() -> None:
        await feed.wait_final(tx.hash)
        released.set()

    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    await node.submit([tx.encoded])
    for _ in range(10):  # without a turn for the feed: its channel holds 4
        node.commit_block()
    with trio.fail_after(5):
        await released.wait()
        await feed.wait_above(9)
    assert feed.height == 10


@pytest.mark.trio
async def test_waiting_is_bounded_and_leaves_nothing_behind(node: SoloNode, nursery: trio.Nursery) -> None:
    """A waiter that gives up is forgotten; too many are refused; two may wait for the same."""
    feed = Feed(node, Limits(waiting_transactions_max=1))
    await nursery.start(feed.run)
    scopes = [trio.CancelScope(), trio.CancelScope()]

    async def wait(scope: trio.CancelScope) -> None:
        with scope:
            await feed.wait_final(b"\x01" * 32)

    for scope in scopes:
        nursery.start_soon(wait, scope)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(RpcError, match="SERVER_BUSY"):
        await feed.wait_final(b"\x02" * 32)
    scopes[0].cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert len(feed._waiting) == 1
    scopes[1].cancel()
    await eventually(lambda: not feed._waiting)
