"""Bounded one-way queues of messages between asyncio and Trio, one producer and one consumer each.

A consumer takes everything that is there before it waits again, so a burst costs one wake-up. The wake-up
always runs on the consumer's side: between its look at the queue and its going to sleep nothing can be missed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import trio

from alatau.transport.bridge import Bridge

COUNT_MAX: Final = 64
"""Messages a pipe holds: enough that a 100-microsecond producer keeps a consumer busy through one tick."""
BYTES_MAX: Final = 1024 * 1024
"""Bytes a pipe holds before its producer waits; one message of any size always fits into an empty pipe."""


class _Fill:
    """What a pipe holds, and whether there is room for more.

    The producer's and the consumer's thread may differ: each counts its own bytes.
    """

    __slots__ = ("_bytes_in", "_bytes_out", "closed", "error", "items")

    def __init__(self) -> None:
        self.items: deque[bytes] = deque()
        self._bytes_in = 0
        self._bytes_out = 0
        self.closed = False
        self.error: BaseException | None = None

    def has_room(self) -> bool:
        return len(self.items) < COUNT_MAX and self._bytes_in - self._bytes_out < BYTES_MAX

    def add(self, item: bytes) -> None:
        self.items.append(item)
        self._bytes_in += len(item)

    def take(self) -> bytes:
        item = self.items.popleft()
        self._bytes_out += len(item)
        return item


class PipeToTrio:
    """asyncio writes, Trio reads."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._fill = _Fill()
        self._reader: trio.lowlevel.Task | None = None
        self._room: asyncio.Event = asyncio.Event()

    async def put(self, item: bytes) -> None:
        """Asyncio: add a message, waiting while the pipe is full."""
        while not self._fill.has_room() and not self._fill.closed:
            self._room.clear()
            if not self._fill.has_room():
                await self._room.wait()
        self._fill.add(item)
        self._bridge.to_trio(self._wake)

    def close(self, error: BaseException | None = None) -> None:
        """Either side: no more messages; the reader gets what is left, then ``error`` or the end."""
        self._fill.error = self._fill.error or error
        self._fill.closed = True
        self._bridge.to_trio(self._wake)
        self._bridge.to_asyncio(self._room.set)

    async def get(self) -> bytes | None:
        """Trio: the next message; None at the end. Raises the error that the pipe was closed with."""
        while not self._fill.items:
            if self._fill.closed:
                if self._fill.error is not None:
                    raise self._fill.error
                return None
            self._reader = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        item = self._fill.take()
        if not self._room.is_set() and self._fill.has_room():
            self._bridge.to_asyncio(self._room.set)
        return item

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED


class PipeToAsyncio:
    """Trio writes, asyncio reads."""

    def __init__(self, bridge: Bridge, holds: Callable[[int], None] | None = None) -> None:
        """``holds`` is told on asyncio's side of every message that was added, by its size."""
        self._bridge = bridge
        self._holds = holds
        self._fill = _Fill()
        self._headers: Mapping[str, str] | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._writer: trio.lowlevel.Task | None = None

    async def put(self, item: bytes) -> None:
        """Trio: add a message, waiting while the pipe is full.

        Raises:
            trio.BrokenResourceError: the other side is gone.
        """
        while not self._fill.has_room() and not self._fill.closed:
            self._writer = trio.lowlevel.current_task()
            if self._fill.has_room() or self._fill.closed:  # changed by the other thread meanwhile
                self._writer = None
                break
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        if self._fill.closed:
            raise trio.BrokenResourceError from self._fill.error
        self._fill.add(item)
        if self._holds is None:
            self._bridge.to_asyncio(self._wake)
        else:
            self._bridge.to_asyncio(self._added, self._holds, len(item))

    def close(self, error: BaseException | None = None) -> None:
        """Either side: no more messages; the reader still gets what is left."""
        self._fill.error = self._fill.error or error
        self._fill.closed = True
        self._bridge.to_asyncio(self._wake)
        self._bridge.to_trio(self._wake_writer)

    def begin(self, headers: Mapping[str, str]) -> None:
        """Trio: the headers, before the first message."""
        self._headers = headers
        self._bridge.to_asyncio(self._wake)

    async def get(self) -> bytes | Mapping[str, str] | None:
        """Asyncio: the next message, or the headers where some were given; None at the end."""
        while not self._fill.items and self._headers is None:
            if self._fill.closed:
                return None
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        headers, self._headers = self._headers, None
        if headers is not None:
            return headers
        item = self._fill.take()
        if self._writer is not None and self._fill.has_room():
            self._bridge.to_trio(self._wake_writer)
        return item

    def _added(self, holds: Callable[[int], None], size: int) -> None:
        holds(size)
        self._wake()

    def _wake(self) -> None:
        arrived, self._arrived = self._arrived, None
        if arrived is not None and not arrived.done():
            arrived.set_result(None)

    def _wake_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            trio.lowlevel.reschedule(writer)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._writer = None
        return trio.lowlevel.Abort.SUCCEEDED
