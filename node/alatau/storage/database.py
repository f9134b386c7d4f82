"""LevelDB with checksums on every read, and errors that say what to do.

**Opening** (:func:`open_database`) takes a lock, refuses to make an empty database where files of another lie,
has LevelDB check its manifest and log, and reads the whole of a small database once so that a flipped bit
anywhere is found now and not in a month. In a large one that would take too long: its blocks are checked as they
are read, and ``alatau db check`` reads them all.

**Writing** hands over one batch at a time. If LevelDB fails to write it, what lies in its log is unknown until
it is opened again, so nothing more is written by this process.
"""

import errno
import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import plyvel

from alatau.storage.disk import Disk
from alatau.storage.errors import (
    RESTORE_OR_SYNC,
    CorruptionError,
    DiskFullError,
    StorageError,
    StoreLockedError,
    WriteFailedError,
)

MIB: Final = 1024 * 1024

_TABLE_LISTED: Final = re.compile(rb"^ (\d+):(\d+)\['", re.MULTILINE)
"""A table in what LevelDB says of its tables (``leveldb.sstables``): number and size. Keys are escaped there."""
_LARGE_TABLE_BYTES: Final = 64 * MIB
"""A table above this is worked on in parts: LevelDB compacts about 50 MiB a second."""


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """How much memory LevelDB may take, and how careful it is. Sizes in bytes."""

    sync: bool = True
    """Whether a commit is durable against a loss of power when it returns. Against kill -9 it always is."""
    write_buffer_bytes: int = 16 * MIB
    """Twice this at most is in memory. Nodes that change in many blocks are written to tables once a buffer."""
    block_cache_bytes: int = 16 * MIB
    """Table blocks kept in memory."""
    open_files_max: int = 400
    """Table files kept open, 2 MB each; LevelDB maps them, so the kernel may keep them in memory while it has room."""
    free_bytes_min: int = 16 * MIB
    """A commit is refused below this much room: enough for the write buffer to become a table, so that LevelDB itself
    hardly ever meets a full disk."""
    verify_bytes_max: int = 256 * MIB
    """A database up to this size is read whole when it is opened: about two seconds at most."""


class Database:
    """An open LevelDB. Make one with :func:`open_database`."""

    __slots__ = ("_db", "_disk", "_failed", "_lock", "_source", "options", "path")

    def __init__(self, path: Path, db: Any, lock: int, options: DatabaseOptions, disk: Disk) -> None:
        self.path = path
        self.options = options
        self._db = db
        self._source: Any = db
        """What is read: the database, or a snapshot of it while it is pinned."""
        self._lock = lock
        self._disk = disk
        self._failed: StorageError | None = None

    def pin(self) -> None:
        """Read from now on what the database holds now, whatever is written, until :meth:`unpin`."""
        self._source = self._db.snapshot()

    def unpin(self) -> None:
        """Read the newest again. LevelDB drops what was pinned when its last reader has let go of it."""
        self._source = self._db

    def get(self, key: bytes) -> bytes | None:
        """The value under a key; raises ``CorruptionError`` where its block is damaged."""
        try:
            value: bytes | None = self._source.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _reading(self.path, error) from error
        return value

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """Keys from ``start`` to before ``stop``."""
        try:
            with self._source.iterator(start=start, stop=stop, include_value=False, verify_checksums=True) as keys:
                yield from keys
        except plyvel.Error as error:
            raise _reading(self.path, error) from error

    def items(self, start: bytes, stop: bytes, *, fill_cache: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Keys from ``start`` to before ``stop`` with their values."""
        try:
            with self._source.iterator(start=start, stop=stop, verify_checksums=True, fill_cache=fill_cache) as items:
                yield from items
        except plyvel.Error as error:
            raise _reading(self.path, error) from error

    def items_with(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All keys that begin with ``prefix``, with their values."""
        try:
            with self._source.iterator(prefix=prefix, verify_checksums=True, fill_cache=False) as items:
                yield from items
        except plyvel.Error as error:
            raise _reading(self.path, error) from error

    def snapshot(self) -> "Snapshot":
        """The database as it is read now, whatever is written later."""
        source = self._source
        return Snapshot(self.path, self._db.snapshot() if source is self._db else source, owned=source is self._db)

    def batch(self) -> Any:
        """A write batch: ``put(key, value)`` and ``delete(key)``, then :meth:`write`."""
        return self._db.write_batch(sync=self.options.sync)

    def write(self, batch: Any) -> None:
        """Write a batch, all or nothing.

        Raises:
            DiskFullError: there is too little room. Nothing was written, and trying again is safe.
            StorageError: LevelDB could not write. Nothing more can be written until the database is opened again.
        """
        if self._failed is not None:
            raise WriteFailedError(
                f"an earlier write to {self.path} failed ({self._failed}); start the node again"
            ) from self._failed
        room = self._disk.free_bytes(self.path)
        if room < self.options.free_bytes_min:
            raise DiskFullError(self.path, f"{room >> 20} MiB left, {self.options.free_bytes_min >> 20} MiB needed")
        try:
            self._disk.write_batch(batch)
        except (plyvel.Error, OSError) as error:
            self._failed = _writing(self.path, error, self._disk)
            raise self._failed from error

    def ranges_of(self, tables: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """The key ranges of tables, large ones in sixteen parts, so that work on each range is short."""
        ranges = []
        for table in sorted(tables):
            stop = bytes((table[0] + 1,))
            if self.estimate(table, stop) < _LARGE_TABLE_BYTES:
                ranges.append((table, stop))
                continue
            cuts = [table, *(table + bytes((n,)) for n in range(16, 256, 16)), stop]
            ranges += pairwise(cuts)
        return ranges

    def compact(self, start: bytes, stop: bytes) -> None:
        """Rewrite a range without what was overwritten or deleted."""
        self._db.compact_range(start=start, stop=stop)

    def estimate(self, start: bytes, stop: bytes) -> int:
        """About how many bytes a range takes on disk; what was written last is not counted."""
        return int(self._db.approximate_size(start, stop))

    def lost_files(self) -> list[str]:
        """Files of the database that are gone or have another size than they were written with, in words.

        LevelDB reads on from a file that it has open although its name is gone; it cannot open it again.
        """
        suspects = self._suspects()
        if not suspects:
            return []
        again = self._suspects()  # what a compaction has removed meanwhile is no longer listed
        return [what for name, what in sorted(suspects.items()) if name in again]

    def _suspects(self) -> dict[str, str]:
        listing: bytes = self._db.get_property(b"leveldb.sstables") or b""
        suspects = {}
        for number, size in _TABLE_LISTED.findall(listing):
            name = f"{int(number):06d}.ldb"
            try:
                found = (self.path / name).stat().st_size
            except FileNotFoundError:
                suspects[name] = f"{self.path / name}, a table of the database, is gone"
                continue
            if found != int(size):
                file = self.path / name
                suspects[name] = f"{file}, a table of the database, has {found} bytes instead of {int(size)}"
        try:
            manifest = self.path / (self.path / "CURRENT").read_text().strip()
            if not manifest.is_file():
                suspects["MANIFEST"] = f"{manifest}, which lists the tables of the database, is gone"
        except FileNotFoundError:
            suspects["CURRENT"] = f"{self.path / 'CURRENT'}, which names the database's manifest, is gone"
        return suspects

    def size_bytes(self) -> int:
        """Size of the files on disk."""
        return _files_size(self.path)

    def close(self) -> None:
        """Close it and let the lock go. Closing twice is fine."""
        if not self._db.closed:
            self._db.close()
            os.close(self._lock)


class Snapshot:
    """The database as it was at one moment."""

    __slots__ = ("_owned", "_path", "_snapshot")

    def __init__(self, path: Path, snapshot: Any, *, owned: bool) -> None:
        self._path = path
        self._snapshot = snapshot
        self._owned = owned
        """Whether nobody else reads it: what the database is pinned to is shared."""

    def get(self, key: bytes) -> bytes | None:
        """See :meth:`Database.get`."""
        try:
            value: bytes | None = self._snapshot.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _reading(self._path, error) from error
        return value

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See :meth:`Database.items`."""
        try:
            with self._snapshot.iterator(start=start, stop=stop, verify_checksums=True) as items:
                yield from items
        except plyvel.Error as error:
            raise _reading(self._path, error) from error

    def close(self) -> None:
        """Let LevelDB drop what only this snapshot still sees."""
        if self._owned:
            self._snapshot.close()


def open_database(path: Path, options: DatabaseOptions, disk: Disk, *, expected: bool) -> Database:
    """Open the database in a folder, or make it.

    Args:
        path: the folder.
        options: memory and care.
        disk: what writes.
        expected: whether a database has been here before, so that an empty folder is a loss and not a beginning.

    Raises:
        StoreLockedError: another process has it.
        CorruptionError: it is damaged or gone.
        DiskFullError: not even opening it has room.
        StorageError: anything else that LevelDB says.
    """
    path.mkdir(parents=True, exist_ok=True)
    lock = _lock(path)
    try:
        _refuse_ruins(path, expected=expected)
        db = plyvel.DB(
            str(path),
            create_if_missing=True,
            paranoid_checks=True,
            write_buffer_size=options.write_buffer_bytes,
            lru_cache_size=options.block_cache_bytes,
            max_open_files=options.open_files_max,
            bloom_filter_bits=10,
            # Most of what is stored is hashes, which no compressor makes smaller: trying cost 40% of all time.
            compression=None,
        )
    except (plyvel.Error, OSError) as error:
        os.close(lock)
        raise _opening(path, error, disk) from error
    except BaseException:
        os.close(lock)
        raise
    database = Database(path, db, lock, options, disk)
    try:
        if _files_size(path) <= options.verify_bytes_max:
            _read_everything(path, db)
    except BaseException:
        database.close()
        raise
    return database


def _lock(path: Path) -> int:
    """Hold the folder for this process. The kernel lets go of it even after kill -9."""
    descriptor = os.open(path / "alatau.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 20, 0).strip()
        os.close(descriptor)
        raise StoreLockedError(path, int(text) if text.isdigit() else None) from None
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        # Only the process id for another's error message: a full disk must not keep the database shut.
        if error.errno != errno.ENOSPC:
            os.close(descriptor)
            raise
    return descriptor


def _refuse_ruins(path: Path, *, expected: bool) -> None:
    """LevelDB makes an empty database, and deletes what it does not know, where CURRENT is missing."""
    if (path / "CURRENT").exists():
        return
    remains = sorted(file.name for file in path.iterdir() if file.suffix in {".ldb", ".sst", ".log"})
    if remains:
        raise CorruptionError(path, f"CURRENT is missing beside {len(remains)} data files", RESTORE_OR_SYNC + ".")
    if expected:
        raise CorruptionError(path, "the database is gone, though blocks were committed to it", RESTORE_OR_SYNC + ".")


def _read_everything(path: Path, db: Any) -> None:
    try:
        with db.iterator(include_value=False, verify_checksums=True, fill_cache=False) as keys:
            for _ in keys:
                pass
    except plyvel.Error as error:
        raise _reading(path, error) from error


def _files_size(path: Path) -> int:
    total = 0
    for file in path.iterdir():
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue  # a compaction was faster
    return total


def _opening(path: Path, error: Exception, disk: Disk) -> StorageError:
    if isinstance(error, plyvel.CorruptionError) or "No such file" in str(error) or "CURRENT" in str(error):
        return CorruptionError(path, f"LevelDB cannot open it ({error})", RESTORE_OR_SYNC + ".")
    return _writing(path, error, disk)


def _reading(path: Path, error: Exception) -> StorageError:
    return CorruptionError(
        path, f"a block cannot be read ({error})", f"Stop the node. {RESTORE_OR_SYNC}; check the disk first."
    )


def _writing(path: Path, error: Exception, disk: Disk) -> StorageError:
    number = getattr(error, "errno", None)
    if number in {errno.ENOSPC, errno.EDQUOT} or "No space" in str(error) or not disk.free_bytes(path):
        return DiskFullError(path, str(error))
    return WriteFailedError(f"LevelDB could not write to {path}: {error}. Look at the disk, then start the node again")
