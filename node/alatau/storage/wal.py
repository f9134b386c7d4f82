"""The consensus write-ahead log: what this node said and heard at the height that is being decided.

The file begins with a magic number; then records follow::

    size of the payload   4 bytes, big-endian
    height                8 bytes
    crc32                 4 bytes, of the height and the payload
    payload

**Appending** gathers records in memory; :meth:`WriteAheadLog.flush` writes and fsyncs them, before anything that
another node can see. Only what is called so touches the disk, so its caller may leave it to a thread. **Opening**
reads what is there. A process that dies while it writes leaves a *torn tail*: an incomplete or wrong record with
nothing valid behind it. It was never flushed, so nobody relied on it; it is cut off and reported. A wrong record with
valid ones behind it is *corruption*: something that was relied on is gone, and the log refuses to open. **Repair** is
one truncation of the file: if that fails, the good records are as they were.

**Bounded.** When a height is committed its records are of no use any more and the file is cut to its start. If
that cut is lost in a power failure the old records come back, and are told apart by their height.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.storage.disk import FULL, Disk, atomic_write
from alatau.storage.errors import CorruptionError, DiskFullError, StorageError, WriteFailedError

_MAGIC: Final = b"ALATAUW1"
_HEADER: Final = struct.Struct(">IQI")
PAYLOAD_BYTES_MAX: Final = 32 * 1024 * 1024
"""Largest payload: a proposal with its block (4 MiB by default) and proof of lock, with room for larger blocks."""
FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Largest log of one height. Consensus writes it anew (:meth:`WriteAheadLog.rewrite`) at an eighth of this, and one
step adds a few blocks at most, so it is never reached."""
_PENDING_BYTES_MAX: Final = 8 * 1024 * 1024
"""Appended records are to be written, though not yet fsynced, beyond this."""
_REMEDY: Final = (
    "Move the file away and start the node again: the sign state keeps it from signing twice, and it learns the"
    " votes of the height again from its peers. Check the disk first"
)


WAL_NAME: Final = "consensus.wal"


class WalFullError(StorageError):
    """One height filled the log, although it is written anew long before. A defect of this program: report it."""


@dataclass(frozen=True, slots=True)
class WalRecord:
    """One record."""

    height: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class WalReport:
    """What opening found."""

    records: tuple[WalRecord, ...]
    """In the order in which they were appended."""
    torn_bytes: int
    """Size of the torn tail that was cut off; 0 usually."""


class WriteAheadLog:
    """The log, open for appending. Make one with :meth:`open`."""

    __slots__ = ("_descriptor", "_disk", "_end", "_failed", "_pending", "_pending_bytes", "_unsynced", "path")

    def __init__(self, path: Path, descriptor: int, end: int, disk: Disk) -> None:
        self.path = path
        self._descriptor = descriptor
        self._end = end
        """Where the next record goes."""
        self._disk = disk
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._unsynced = False
        self._failed = False

    @classmethod
    def open(cls, folder: Path, disk: Disk | None = None) -> tuple["WriteAheadLog", WalReport]:
        """Open the log in a folder, or make an empty one; give it with what it holds.

        Raises:
            CorruptionError: a record in its midst is damaged, or it is no log.
            DiskFullError, WriteFailedError: it cannot be made or repaired. Its good records are untouched.
        """
        disk = Disk() if disk is None else disk
        path = folder / WAL_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _write_error(path, error) from error
        try:
            data = _read_all(descriptor)
            records, end = _parse(path, data)
            if not end or end < len(data):
                _repair(disk, path, descriptor, end)
                end = end or len(_MAGIC)
        except BaseException:
            os.close(descriptor)
            raise
        torn = max(0, len(data) - end)
        return cls(path, descriptor, end, disk), WalReport(tuple(records), torn)

    def append(self, height: int, payload: bytes) -> None:
        """Add a record, durable after the next :meth:`flush`.

        Raises:
            WalFullError: one height filled the log.
        """
        self._pending += (_header(height, payload), payload)
        self._pending_bytes += _HEADER.size + len(payload)
        if self._end + self._pending_bytes > FILE_BYTES_MAX:
            raise WalFullError(f"{self.path} holds {FILE_BYTES_MAX >> 20} MiB of height {height} alone: it is stalled")

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits in memory that it is time for :meth:`write`."""
        return self._pending_bytes > _PENDING_BYTES_MAX

    def flush(self) -> None:
        """Make every appended record durable.

        Raises:
            DiskFullError, WriteFailedError: the disk refused. Stop the node: what was not flushed must not be said.
        """
        self.write()
        if self._unsynced:
            try:
                self._disk.sync(self._descriptor)
            except OSError as error:
                self._failed = True
                raise _write_error(self.path, error) from error
            self._unsynced = False
            self._disk.boundary("wal/synced")

    def reset(self) -> None:
        """Begin anew: a height is committed. Need not be durable, and is not made so.

        Raises:
            DiskFullError, WriteFailedError: the disk refused.
        """
        self._pending, self._pending_bytes = [], 0
        try:
            self._disk.truncate(self._descriptor, len(_MAGIC))
        except OSError as error:
            self._failed = True
            raise _write_error(self.path, error) from error
        self._end = len(_MAGIC)
        self._unsynced = False
        self._disk.boundary("wal/reset")

    def rewrite(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Replace all records, those not flushed too, by these (height, payload), durably and at once or not at all.

        Raises:
            DiskFullError, WriteFailedError: the disk refused. The file is as it was; stop the node.
        """
        data = _MAGIC + b"".join(part for height, payload in records for part in (_header(height, payload), payload))
        try:
            atomic_write(self._disk, self.path, data)
            os.close(self._descriptor)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            self._failed = True
            raise _write_error(self.path, error) from error
        self._pending, self._pending_bytes, self._unsynced = [], 0, False
        self._end = len(data)

    def close(self) -> None:
        """Let go of the file; what was not flushed is lost."""
        os.close(self._descriptor)

    def write(self) -> None:
        """Hand what was appended to the system, so that it takes no memory; it is not durable yet.

        Raises:
            DiskFullError, WriteFailedError: the disk refused. Stop the node.
        """
        if self._failed:
            raise WriteFailedError(f"an earlier write to {self.path} failed; start the node again")
        if not self._pending:
            return
        data = b"".join(self._pending)
        try:
            self._disk.write(self._descriptor, data, self._end)
        except OSError as error:
            # Half a record may lie there now. It is a torn tail: the next opening cuts it off.
            self._failed = True
            raise _write_error(self.path, error) from error
        self._end += len(data)
        self._pending, self._pending_bytes = [], 0
        self._unsynced = True
        self._disk.boundary("wal/written")


def _read_all(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    parts, at = [], 0
    while at < size:
        part = os.pread(descriptor, size - at, at)
        if not part:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _parse(path: Path, data: bytes) -> tuple[list[WalRecord], int]:
    """The good records, and where they end; 0 where not even the magic number is whole."""
    if not data.startswith(_MAGIC):
        if len(data) < len(_MAGIC) and _MAGIC.startswith(data):
            return [], 0
        raise CorruptionError(path, "it does not begin like a consensus log", _REMEDY + ".")
    records: list[WalRecord] = []
    at = len(_MAGIC)
    while at < len(data):
        record = _record_at(data, at)
        if record is None:
            if _valid_follows(data, at, records[-1] if records else None):
                raise CorruptionError(
                    path, f"record {len(records)} at byte {at} is wrong, and valid ones follow it", _REMEDY + "."
                )
            break
        records.append(record)
        at += _HEADER.size + len(record.payload)
    return records, at


def _header(height: int, payload: bytes) -> bytes:
    assert len(payload) <= PAYLOAD_BYTES_MAX, "records are bounded by the sizes of messages"
    return _HEADER.pack(len(payload), height, zlib.crc32(payload, zlib.crc32(height.to_bytes(8, "big"))))


def _record_at(data: bytes, at: int) -> WalRecord | None:
    """The record at an offset, if it is whole and right."""
    start = at + _HEADER.size
    if start > len(data):
        return None
    size, height, checksum = _HEADER.unpack_from(data, at)
    payload = data[start : start + size]
    if size > PAYLOAD_BYTES_MAX or len(payload) != size:
        return None
    if zlib.crc32(payload, zlib.crc32(height.to_bytes(8, "big"))) != checksum:
        return None
    return WalRecord(height, payload)


def _valid_follows(data: bytes, bad: int, before: WalRecord | None) -> bool:
    """Whether a valid record follows the bad one at offset ``bad``.

    One follows where the bad one says that it ends, or, if its size is what is wrong, wherever the number of the
    height appears in a header. Records of lower heights do not count: a lost truncation leaves such.
    """
    header = data[bad : bad + _HEADER.size].ljust(_HEADER.size, b"\0")
    size, claimed, _ = _HEADER.unpack(header)
    following = _record_at(data, bad + _HEADER.size + size)
    if before is None:
        # What the bad one claims may be what is wrong. Left by a lost truncation are records of the height before.
        height = claimed
        if following is not None and following.height != claimed - 1:
            return True
    else:
        height = before.height
        if following is not None and following.height >= height:
            return True
    number = height.to_bytes(8, "big")
    at = data.find(number, bad + 5)
    while at >= 0:
        if _record_at(data, at - 4) is not None:
            return True
        at = data.find(number, at + 1)
    return False


def _repair(disk: Disk, path: Path, descriptor: int, end: int) -> None:
    """Cut a torn tail off, or begin a log; the records before ``end`` are not touched."""
    try:
        if end:
            disk.truncate(descriptor, end)
        else:
            disk.write(descriptor, _MAGIC, 0)
        disk.boundary("wal/repaired")
        disk.sync(descriptor)
        disk.sync_folder(path.parent)
    except OSError as error:
        raise _write_error(path, error) from error


def _write_error(path: Path, error: OSError) -> StorageError:
    if error.errno in FULL:
        return DiskFullError(path, str(error))
    if error.errno == errno.EACCES:
        return WriteFailedError(f"{path} may not be written by this user: {error.strerror}")
    return WriteFailedError(f"{path} could not be written: {error.strerror}. Look at the disk, then start again")
