"""The bounded queue between the node and one stream of one peer."""

from collections import deque
from enum import Enum

import trio


class Drop(Enum):
    """What a full queue gives up."""

    OLDEST = "oldest"
    NEWEST = "newest"


class SendQueue:
    """Encoded messages that wait to be sent. Putting never blocks; one task gets."""

    def __init__(self, count_max: int, drop: Drop, bytes_max: int | None = None) -> None:
        self._items: deque[bytes] = deque()
        self._bytes = 0
        self._last: bytes | None = None
        """What was got last: on its way for as long as nothing more is asked for."""
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._drop = drop
        self._arrived = trio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: bytes) -> int:
        """Add a message; gives how many were dropped for it, itself included."""
        dropped = 0
        while self._is_full(item):
            dropped += 1
            if self._drop is Drop.NEWEST:
                return dropped
            self._bytes -= len(self._items.popleft())
        self._items.append(item)
        self._bytes += len(item)
        self._arrived.set()
        return dropped

    async def get(self) -> bytes:
        """The next message."""
        self._last = None
        while not self._items:
            self._arrived = trio.Event()
            await self._arrived.wait()
        item = self._last = self._items.popleft()
        self._bytes -= len(item)
        return item

    def unsent(self) -> list[bytes]:
        """What nobody has sent yet, and what was on its way: for the queue that takes this one's place."""
        return [*(() if self._last is None else (self._last,)), *self._items]

    def _is_full(self, item: bytes) -> bool:
        if not self._items:
            return False
        too_many_bytes = self._bytes_max is not None and self._bytes + len(item) > self._bytes_max
        return len(self._items) >= self._count_max or too_many_bytes
