"""Telling subscribers that a block is final, without ever waiting for one of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from alatau.chain.executed import ExecutedBlock

_BACKLOG_BLOCKS = 64
"""Blocks kept for a subscriber that is slow to take them: over 10 s at the devnet's pace. One that falls
further behind is cut off, and resumes from the store at the height it reached."""


class Subscriptions:
    """The open subscriptions to committed blocks."""

    def __init__(self) -> None:
        self._channels: set[trio.MemorySendChannel[ExecutedBlock]] = set()

    @contextmanager
    def open(self) -> Iterator[trio.MemoryReceiveChannel[ExecutedBlock]]:
        """Receive blocks committed from now on; the channel ends where the subscriber lagged too far."""
        send, receive = trio.open_memory_channel[ExecutedBlock](_BACKLOG_BLOCKS)
        self._channels.add(send)
        try:
            yield receive
        finally:
            self._channels.discard(send)
            send.close()
            receive.close()

    def publish(self, executed: ExecutedBlock) -> None:
        """Hand a committed block to every subscriber, at once."""
        for channel in tuple(self._channels):
            try:
                channel.send_nowait(executed)
            except trio.WouldBlock:
                self._channels.discard(channel)
                channel.close()
