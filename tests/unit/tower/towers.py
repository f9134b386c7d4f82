"""A tower on a real disk that follows a node in this process over gRPC."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from alatau.artifacts import addresses
from alatau.channels.protection import Protection
from alatau.crypto.secp256k1 import PrivateKey
from alatau.tower import store
from alatau.tower.group_commit import Changes
from alatau.tower.protecting import take_protection
from alatau.tower.tower import Tower, TowerOptions, build_tower
from tests.support.channel_network import TOWERS
from tests.support.solo_node import Running, SoloNode, running
from tests.support.waiting import eventually

OPTIONS = TowerOptions(addresses.CITY_CHANNELS)


@asynccontextmanager
async def standing(
    folder: Path, run: Running, key: PrivateKey = TOWERS[0], options: TowerOptions = OPTIONS
) -> AsyncIterator[Tower]:
    """A tower whose tasks do not run; its clock is the chain's."""
    database = store.open_store(folder)
    try:
        async with run.connect() as client:
            yield await build_tower(database, client, key, options, run.node.next_block_time)
    finally:
        database.close()


@asynccontextmanager
async def watching(
    folder: Path, run: Running, key: PrivateKey = TOWERS[0], options: TowerOptions = OPTIONS
) -> AsyncIterator[Tower]:
    """A tower that runs, and has followed the chain to its tip."""
    async with standing(folder, run, key, options) as tower, trio.open_nursery() as nursery:
        nursery.start_soon(tower.run)
        await followed(tower, run)
        yield tower
        nursery.cancel_scope.cancel()


async def followed(tower: Tower, run: Running) -> None:
    """Wait until the tower knows all that the chain has said."""
    height = run.node.store.tip.number
    await eventually(lambda: tower.post.height >= height, "the tower follows")


async def hand_over(tower: Tower, offered: Sequence[Protection]) -> None:
    """Give a tower vouchers, past the wire."""

    def take(changes: Changes) -> None:
        for each in offered:
            take_protection(changes, each, tower.post.height, tower.post.network.settle_blocks)

    await tower.post.commits.commit(take)
    for each in offered:
        tower.post.docket.refresh(each.voucher.channel_id)


async def serve_until(
    node: SoloNode,
    stopping: trio.CancelScope,
    port: int = 0,
    *,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve a node until ``stopping`` is cancelled, whatever else goes on."""
    with stopping:
        async with running(node, port=port, produce=True) as run:
            task_status.started(run)
            await trio.sleep_forever()
