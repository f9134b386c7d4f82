"""Changes that wait share a flush; nobody is answered before it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from alatau.storage.database import Database, DatabaseOptions, open_database
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import DiskFullError, WriteFailedError
from alatau.tower.group_commit import Changes, GroupCommit


class CountingDisk(Disk):
    """Counts batches, and fails as it is told."""

    def __init__(self) -> None:
        self.batches = 0
        self.free = 1 << 40
        self.broken = False

    def write_batch(self, batch: Batch) -> None:
        """Hand it on, or break."""
        if self.broken:
            raise OSError(5, "Input/output error")
        super().write_batch(batch)
        self.batches += 1

    def free_bytes(self, folder: Path) -> int:
        """As told."""
        return self.free


def opened(folder: Path, disk: Disk | None = None) -> Database:
    """A database."""
    return open_database(folder, DatabaseOptions(), disk or Disk(), expected=False)


def put(key: bytes, value: bytes) -> Callable[[Changes], bytes | None]:
    """A change that writes."""

    def change(changes: Changes) -> bytes | None:
        before = changes.get(key)
        changes.put(key, value)
        return before

    return change


def test_those_that_wait_share_a_flush_and_see_each_other(tmp_path: Path) -> None:
    """A hundred changes of one key are one batch, in their order; all are on the disk when they return."""

    async def main() -> None:
        disk = CountingDisk()
        database = opened(tmp_path, disk)
        commits = GroupCommit(database)
        seen: dict[int, bytes | None] = {}

        async def change(number: int) -> None:
            seen[number] = await commits.commit(put(b"key", bytes((number,))))
            assert database.get(b"key") is not None

        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as changes:
                for number in range(100):
                    changes.start_soon(change, number)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(commits.run)
            nursery.cancel_scope.cancel()
        assert (disk.batches, commits.flushes) == (1, 1)
        befores = [value for value in seen.values() if value is not None]
        assert len(befores) == len(set(befores)) == 99
        database.close()

    trio.run(main)


def test_a_change_that_raises_writes_nothing_and_spoils_no_other(tmp_path: Path) -> None:
    """Its caller gets the error; those beside it are written."""

    async def main() -> None:
        database = opened(tmp_path)
        commits = GroupCommit(database)

        def spoiled(changes: Changes) -> None:
            changes.put(b"spoiled", b"1")
            raise ValueError("no")

        async def write() -> None:
            await commits.commit(put(b"good", b"2"))

        async def fail() -> None:
            with pytest.raises(ValueError, match="no"):
                await commits.commit(spoiled)

        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as changes:
                changes.start_soon(fail)
                changes.start_soon(write)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(commits.run)
            nursery.cancel_scope.cancel()
        assert (database.get(b"spoiled"), database.get(b"good")) == (None, b"2")
        database.close()

    trio.run(main)


def test_deleting_is_seen_by_those_behind(tmp_path: Path) -> None:
    """A key that a change deletes is gone for the next of its group, and from the disk."""
    database = opened(tmp_path)
    changes = Changes(database)
    changes.apply(lambda c: c.put(b"k", b"v"))
    changes.apply(lambda c: c.delete(b"k"))
    assert changes.apply(lambda c: c.get(b"k")).unwrap() is None
    changes.write()
    assert database.get(b"k") is None
    database.close()


def test_a_full_disk_passes_and_a_broken_one_does_not(tmp_path: Path) -> None:
    """Who waits hears of both; after a full disk the writer goes on, after a failed write it ends the tower."""

    async def main() -> None:
        disk = CountingDisk()
        database = opened(tmp_path, disk)
        commits = GroupCommit(database)

        async def use() -> None:
            disk.free = 0
            with pytest.raises(DiskFullError):
                await commits.commit(put(b"k", b"1"))
            assert commits.disk_full is not None
            disk.free = 1 << 40
            await commits.commit(put(b"k", b"2"))
            assert commits.disk_full is None
            disk.broken = True
            with pytest.raises(WriteFailedError):
                await commits.commit(put(b"k", b"3"))

        with pytest.RaisesGroup(WriteFailedError):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(commits.run)
                nursery.start_soon(use)
        assert database.get(b"k") == b"2"
        database.close()

    trio.run(main)
