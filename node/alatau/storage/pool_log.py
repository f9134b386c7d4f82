"""What waits in the pool, on disk: an acknowledged transaction outlives the process.

Theory of operation. Every transaction that comes into the pool is appended before its submitter is answered: one
``write`` for a whole batch, to the page cache, which a kill -9 does not touch. A second later at most it is flushed to
the disk by a thread, so a power failure loses no more than that. What leaves the pool is not struck out: at the next
start what is final meanwhile is recognized by its hash, and the rest is offered to the pool again, which judges it
anew. Only what was *replaced* is noted, since the pool would otherwise take the old one first and refuse the new.

The log is a folder of numbered segments of records::

    marker     4 bytes, "ATX1"
    kind       1 byte: T a transaction, R the hash of one that was replaced
    size       4 bytes, big-endian
    crc32      4 bytes, of kind and payload
    payload

**Bounded.** When a segment has grown by ``segment_bytes`` the next one begins; what still waits is written into a
file of its own, and then everything older is removed. So the folder holds two segments and the pool at most.

**Tolerant.** A torn tail and damage lose the records that they touch: the marker finds the next whole one. A log
that cannot be written is reported and does not stop the node: then acknowledgements last as long as the process.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from alatau.crypto.keccak import keccak256
from alatau.storage.disk import Disk, atomic_write

_MARKER: Final = b"ATX1"
_HEADER: Final = struct.Struct(">4scII")
_TRANSACTION: Final = b"T"
_REPLACED: Final = b"R"
_PAYLOAD_BYTES_MAX: Final = 1024 * 1024
"""Eight times the largest transaction; a size beyond it is damage."""
SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""A segment: some 40,000 payments, half a minute at full speed. Rewriting what waits costs little beside it."""
_FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
"""A file larger than any pool that a configuration allows is none of ours."""
_SUFFIXES: Final = (".kept", ".log")


class PoolLog:
    """The log, open for appending. All methods but :meth:`sync` and :meth:`keep` are cheap enough for the loop."""

    def __init__(self, folder: Path, disk: Disk | None = None, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Begin a new segment in ``folder``, leaving what is there as it is. Raises ``OSError``."""
        self._folder = folder
        self._disk = Disk() if disk is None else disk
        self._segment_bytes = segment_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number = max((number for number, _ in _files(folder)), default=0)
        self._descriptor = -1
        self._end = 0
        self._dirty = False
        self._begin()

    def _begin(self) -> None:
        path = self._folder / f"{self._number + 1}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._end = descriptor, 0
        self._number += 1

    def append(self, transactions: Sequence[bytes], replaced: Iterable[bytes] = ()) -> None:
        """Add encoded transactions, and the hashes of those that they replaced. Raises ``OSError``."""
        records = [_record(_REPLACED, hash_) for hash_ in replaced]
        records += [_record(_TRANSACTION, encoded) for encoded in transactions]
        if not records:
            return
        data = b"".join(records)
        # Where this fails half a record may lie there; the next write goes over it.
        self._disk.write(self._descriptor, data, self._end)
        self._end += len(data)
        self._dirty = True

    @property
    def full(self) -> bool:
        """Whether it is time for :meth:`turn`."""
        return self._end >= self._segment_bytes

    def turn(self) -> int:
        """Begin the next segment; gives its number for :meth:`keep`. Raises ``OSError``."""
        self._begin()
        self._dirty = True
        return self._number

    def keep(self, number: int, waiting: Sequence[bytes]) -> None:
        """Write what waited when segment ``number`` began, then remove what is older. May run in a thread.

        Raises:
            OSError: nothing was removed.
        """
        data = b"".join(_record(_TRANSACTION, encoded) for encoded in waiting)
        atomic_write(self._disk, self._folder / f"{number}.kept", data)
        for older, path in _files(self._folder):
            if older < number:
                path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Make what was appended durable. May run in a thread. Raises ``OSError``."""
        if self._dirty:
            self._dirty = False
            descriptor = os.dup(self._descriptor)  # The loop may turn to the next segment meanwhile.
            try:
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def read_pool_log(folder: Path) -> list[bytes]:
    """The transactions in a folder, oldest first, each once, without those that were replaced. Never raises.

    What cannot be read is left out: whatever it held can be sent again.
    """
    found: dict[bytes, bytes] = {}
    for _, path in _files(folder):
        for kind, payload in _records(_content(path)):
            if kind == _TRANSACTION:
                found.setdefault(keccak256(payload), payload)
            else:
                found.pop(payload, None)
    return list(found.values())


def _files(folder: Path) -> list[tuple[int, Path]]:
    """Segments in the order in which they were written; what waited before a segment comes before it."""
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    numbered = [(int(p.stem), p) for p in paths if p.suffix in _SUFFIXES and p.stem.isascii() and p.stem.isdigit()]
    return sorted(numbered, key=lambda item: (item[0], _SUFFIXES.index(item[1].suffix)))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= _FILE_BYTES_MAX else b""
    except OSError:
        return b""


def _record(kind: bytes, payload: bytes) -> bytes:
    return _HEADER.pack(_MARKER, kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))) + payload


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The whole records; after damage the next one is found by its marker."""
    at = data.find(_MARKER)
    while at >= 0:
        start = at + _HEADER.size
        if start > len(data):
            return
        _, kind, size, checksum = _HEADER.unpack_from(data, at)
        payload = data[start : start + size] if size <= _PAYLOAD_BYTES_MAX else b""
        whole = len(payload) == size and zlib.crc32(payload, zlib.crc32(kind)) == checksum
        if whole and kind in (_TRANSACTION, _REPLACED):
            yield kind, payload
            at = data.find(_MARKER, start + size)
        else:
            at = data.find(_MARKER, at + 1)
