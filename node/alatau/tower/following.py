"""Following the chain: every event of the channels contract is in the database before anything is done about it.

As each block is decided, the events since the cursor are listed and written together with the new cursor. So the cursor
is exact, also where nothing happens for an hour, and a tower that was down for a day catches up in pages instead of in
blocks. Told twice, after a kill between two writes, an event changes nothing (:mod:`alatau.channels.watching`).
"""

from collections.abc import Sequence
from typing import Final

import structlog
import trio

from alatau.channels.watching import News, told
from alatau.client import Client
from alatau.storage.errors import DiskFullError
from alatau.tower import store
from alatau.tower.events import channel_events, news_of
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post, Tip
from alatau.transport.errors import RpcError
from alatau.wire.logs import EventLog

_LOG = structlog.get_logger(__name__)

_EVENTS_MAX: Final = 2_000
"""Events that become one batch, and those of the block that they end in: 40 ms of the writer, which others wait for."""
_PAUSE_S: Final = 1.0
"""Before another attempt, after a node failed or the disk was full."""
CLOCK_S_MAX: Final = 10
"""Seconds that a fresh block's time may be from this machine's: validators take a tenth of that among themselves."""
_WAITED_S: Final = 0.05
"""A block that this side had to wait for has just been decided; one of a backlog is there at once."""


class Follower:
    """Keeps the database at the tip. :meth:`run` is its task."""

    def __init__(self, post: Post, client: Client) -> None:
        self._post = post
        self._client = client
        self._events = channel_events(post.abi, post.network.contract)
        self._advanced = trio.Event()

    async def advanced(self) -> None:
        """Wait until the cursor moves."""
        await self._advanced.wait()

    async def caught_up(self) -> None:
        """Wait until the cursor has been at the tip once."""
        while self._post.tip.height == 0 or self._post.height < self._post.tip.height:
            await self._advanced.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except RpcError as error:
                _LOG.warning("tower.chain_lost", error=error.message, reason=error.reason)
            except DiskFullError as error:
                self._post.alarms.say("disk", str(error))
            await trio.sleep(_PAUSE_S)

    async def catch_up(self, height: int) -> None:
        """Write the events of all blocks up to ``height`` that are not in the database yet."""
        if self._post.height >= height:
            return
        batch: list[EventLog] = []
        async for log in self._client.logs(self._events, self._post.height + 1, height):
            if len(batch) >= _EVENTS_MAX and log.height > batch[-1].height:
                await self._write(batch, batch[-1].height)
                batch = []
            batch.append(log)
        await self._write(batch, height)

    async def _follow(self) -> None:
        status = await self._client.status()
        await self.catch_up(status.height)
        self._post.tip = Tip(status.height, status.timestamp)
        self._advanced.set()
        self._advanced = trio.Event()
        async with self._client.follow_blocks(self._post.height + 1) as blocks:
            asked_at = trio.current_time()
            async for block in blocks:
                self._post.tip = Tip(block.height, block.header.timestamp)
                if trio.current_time() - asked_at > _WAITED_S:
                    self._judge_clock(block.header.timestamp)
                await self.catch_up(block.height)
                asked_at = trio.current_time()

    def _judge_clock(self, block_time: int) -> None:
        """Compare clocks by a block that has just been decided."""
        ahead_s = self._post.now() - block_time
        trouble = None
        if abs(ahead_s) > CLOCK_S_MAX:
            which = "ahead of" if ahead_s > 0 else "behind"
            trouble = f"this machine's clock is {abs(ahead_s):.0f} s {which} the chain's: set it by NTP"
        self._post.alarms.say("clock", trouble)

    async def _write(self, logs: Sequence[EventLog], height: int) -> None:
        """Write the events of whole blocks, up to ``height``."""
        news = list(news_of(self._post.abi, logs))

        def write(changes: Changes) -> list[bytes]:
            changed = apply_news(changes, news)
            store.keep_cursor(changes, height)
            return changed

        changed = await self._post.commits.commit(write)
        self._post.height = height
        for channel_id in changed:
            self._post.docket.refresh(channel_id)
        self._post.alarms.say("disk", None)
        self._advanced.set()
        self._advanced = trio.Event()


def apply_news(changes: Changes, news: Sequence[tuple[bytes, News]]) -> list[bytes]:
    """Fold news into what is stored; gives the ids of the channels that changed, each once."""
    changed: dict[bytes, None] = {}
    for channel_id, each in news:
        before = store.channel(changes, channel_id)
        after = told(before, each)
        if after is not None and after != before:
            store.keep_channel(changes, channel_id, after)
            changed[channel_id] = None
    return list(changed)
