"""Forgetting channels that have settled: nothing can be done about them, and nothing should be kept of them."""

import itertools
from typing import Final

import structlog
import trio

from alatau.tower import store
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post

_LOG = structlog.get_logger(__name__)

_EVERY_S: Final = 60.0
_BATCH: Final = 256
"""Channels forgotten in one change: it holds up nobody who waits for a receipt."""


async def prune(post: Post, kept_blocks: int, every_s: float = _EVERY_S) -> None:
    """Forget channels ``kept_blocks`` after they have settled, until cancelled."""
    while True:
        if forgotten := await forget_settled(post, post.height - kept_blocks):
            _LOG.info("tower.forgotten", channels=forgotten)
        await trio.sleep(every_s)


async def forget_settled(post: Post, height: int) -> int:
    """Forget all channels that settled in a block up to ``height``; gives how many."""
    forgotten = 0
    if height < 0:
        return forgotten
    while batch := list(itertools.islice(store.settled_until(post.database, height), _BATCH)):

        def write(changes: Changes, batch: list[tuple[int, bytes]] = batch) -> None:
            for block, channel_id in batch:
                store.forget(changes, block, channel_id)

        await post.commits.commit(write)
        forgotten += len(batch)
    if forgotten:
        post.docket.count()
    return forgotten
