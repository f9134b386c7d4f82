"""One writer for all tasks: changes that wait share a flush of the disk.

A change is a function that reads and writes through a :class:`Changes`, which shows what the changes before it wrote.
Its caller gets its result when the batch that carries it is on the disk, and not before: so a receipt that is
signed from the result is never ahead of what a kill -9 leaves. A change that raises writes nothing; its caller gets the
error, the others of its group nothing of it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import outcome
import trio

from alatau.storage.database import Database
from alatau.storage.errors import DiskFullError, StorageError
from alatau.transport.one_thread import OneThread

T = TypeVar("T")

_GROUP_MAX: Final = 512
"""Changes that share a flush: a request's 256 vouchers are one change, and are 60 KB."""

_WRITER: Final = OneThread("tower writer")


class Changes:
    """What a group has written so far, over what lies in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: dict[bytes, bytes | None] = {}
        self._of_change: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """What lies under a key."""
        for layer in (self._of_change, self._written):
            if key in layer:
                return layer[key]
        return self._database.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Write under a key."""
        self._of_change[key] = value

    def delete(self, key: bytes) -> None:
        """Forget a key."""
        self._of_change[key] = None

    def apply(self, change: Callable[["Changes"], T]) -> "outcome.Outcome[T]":
        """Run a change: what it wrote is kept if it returns, and dropped if it raises."""
        self._of_change = {}
        result = outcome.capture(change, self)
        if isinstance(result, outcome.Value):
            self._written |= self._of_change
        self._of_change = {}
        return result

    def write(self) -> None:
        """Flush what all changes wrote, as one batch; raises ``StorageError``."""
        if not self._written:
            return
        batch = self._database.batch()
        for key, value in self._written.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._database.write(batch)


@dataclass(slots=True, eq=False)
class _Waiting:
    change: Callable[[Changes], Any]
    done: trio.Event = field(default_factory=trio.Event)
    result: "outcome.Outcome[Any] | None" = None


class GroupCommit:
    """The writer. :meth:`run` is its task."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._wake = trio.Event()
        self.flushes = 0
        """Batches written since the start."""
        self.disk_full: str | None = None
        """Why the last batch found no room; None where it did."""

    async def commit(self, change: Callable[[Changes], T]) -> T:
        """Apply ``change`` and give its result once it is on the disk.

        Raises:
            StorageError: it could not be written; nothing of it was.
            Exception: what the change raised.
        """
        waiting = _Waiting(change)
        self._waiting.append(waiting)
        self._wake.set()
        await waiting.done.wait()
        assert waiting.result is not None, "who is done has a result"
        return cast("T", waiting.result.unwrap())

    async def run(self) -> None:
        """Write whatever waits, until cancelled.

        Raises:
            StorageError: the disk failed in a way that only opening the database again can mend.
        """
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._waiting:
                await self._write_group(list(self._taken()))

    def _taken(self) -> Iterator[_Waiting]:
        for _ in range(min(len(self._waiting), _GROUP_MAX)):
            yield self._waiting.popleft()

    async def _write_group(self, group: list[_Waiting]) -> None:
        failure: StorageError | None = None
        try:
            results = await trio.to_thread.run_sync(self._apply, group, limiter=_WRITER.limiter)
            self.flushes += 1
            self.disk_full = None
        except StorageError as error:
            failure = error
            results = [outcome.Error(error) for _ in group]
            self.disk_full = str(error)
        for waiting, result in zip(group, results, strict=True):
            waiting.result = result
            waiting.done.set()
        if failure is not None and not isinstance(failure, DiskFullError):
            raise failure

    def _apply(self, group: list[_Waiting]) -> "list[outcome.Outcome[Any]]":
        """In the thread."""
        changes = Changes(self._database)
        results = [changes.apply(waiting.change) for waiting in group]
        changes.write()
        return results
