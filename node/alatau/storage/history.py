"""What each block replaced, so that the recent past can be read and returned to.

Block ``h`` leaves two records. The *entries* hold, for every account, slot and trie node that it changed, what
was there before; the *index* holds a checksum of each key and the entry's offset. To read a key as it was
after block ``h``, look for it in the records of ``h + 1``, ``h + 2`` ... up to the tip: the first that has it
says what it was; if none has, it is as it is now. Two records a height cost a fiftieth of what one a key would:
LevelDB pays by the entry, when it writes, when it compacts, and again when it deletes them.

A trie node that changes usually keeps its size and all but one reference. Such an entry holds only the bytes in
which the two differ, and takes the next newer version of the node to read. Every sixteenth block keeps its values
whole, so that no more than fifteen such patches are laid one over another.
"""

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from zlib import crc32

HISTORY_BLOCKS: Final = 1_024
"""Default number of blocks kept: three minutes of an unbroken full load at 200 ms, hours of a usual day."""

_ENTRY: Final = struct.Struct("<HBI")
"""Size of the key, kind, size of the value; key and value follow."""
_PATCH: Final = struct.Struct("<H")
"""Where the bytes of a patch go."""
_PATCH_SIZE_MIN: Final = 64
"""Values shorter than this are kept whole: a patch would spare little."""


_WHOLE_EVERY: Final = 16
"""Blocks at such heights keep values whole. Costs a tenth more bytes; without it, the root of 1,000 blocks ago took
1,000 patches to read."""


class Kind(IntEnum):
    """What an entry's value is."""

    ABSENT = 0
    """Nothing was there."""
    WHOLE = 1
    """What was there."""
    PATCH = 2
    """Bytes to lay over the newer value to get the older."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one block replaced under one key."""

    key: bytes
    kind: Kind
    value: bytes


class HistoryWriter:
    """Gathers the entries of one block."""

    __slots__ = ("_checksums", "_offset", "_offsets", "_parts", "_patch_size_min")

    def __init__(self, height: int) -> None:
        self._patch_size_min = _PATCH_SIZE_MIN if height % _WHOLE_EVERY else 1 << 32
        self._checksums: list[int] = []
        self._offsets: list[int] = []
        self._parts: list[bytes] = []
        self._offset = 0

    def add(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        """Note that ``old`` was under ``key`` where ``new`` is now."""
        if old is None:
            entry = _ENTRY.pack(len(key), 0, 0) + key
        elif new is not None and len(new) == len(old) >= self._patch_size_min:
            value = _difference(old, new)
            entry = _ENTRY.pack(len(key), 2, len(value)) + key + value
        else:
            entry = _ENTRY.pack(len(key), 1, len(old)) + key + old
        self._checksums.append(crc32(key))
        self._offsets.append(self._offset)
        self._parts.append(entry)
        self._offset += len(entry)

    def records(self) -> tuple[bytes, bytes]:
        """The index and the entries, to be stored."""
        numbers = array("I", self._checksums + self._offsets)
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tobytes(), b"".join(self._parts)


def find(index: bytes, key: bytes) -> Iterator[int]:
    """Offsets of the entries that may be of ``key``: usually none or one, another on a collision of checksums."""
    end = len(index) // 2
    wanted = struct.pack("<I", crc32(key))
    at = index.find(wanted, 0, end)
    while at >= 0:
        if at % 4 == 0:
            yield int.from_bytes(index[end + at : end + at + 4], "little")
        at = index.find(wanted, at + 1, end)


def entry_at(entries: bytes, offset: int) -> Entry:
    """The entry at an offset."""
    key_size, kind, value_size = _ENTRY.unpack_from(entries, offset)
    start = offset + _ENTRY.size
    middle = start + key_size
    return Entry(entries[start:middle], Kind(kind), entries[middle : middle + value_size])


def all_entries(entries: bytes) -> Iterator[Entry]:
    """Every entry of a block, in the order in which they were added."""
    offset = 0
    while offset < len(entries):
        entry = entry_at(entries, offset)
        yield entry
        offset += _ENTRY.size + len(entry.key) + len(entry.value)


def older_value(entry: Entry, newer: bytes | None) -> bytes | None:
    """What was under the entry's key, given what came after."""
    if entry.kind is Kind.ABSENT:
        return None
    if entry.kind is Kind.WHOLE:
        return entry.value
    assert newer is not None, "a patch was made over a value"
    (start,) = _PATCH.unpack_from(entry.value)
    patch = entry.value[_PATCH.size :]
    return newer[:start] + patch + newer[start + len(patch) :]


def value_before(
    key: bytes,
    indexes: Iterable[tuple[int, bytes]],
    entries_of: Callable[[int], bytes],
    current: Callable[[], bytes | None],
) -> bytes | None:
    """What was under ``key`` before the first of the given blocks.

    Args:
        key: of the database.
        indexes: (height, index record) of every block after the height in question, ascending.
        entries_of: the entries record of a height.
        current: what is under the key now.
    """
    patches: list[Entry] = []
    value: bytes | None = None
    for height, index in indexes:
        entry = _entry_of(key, height, index, entries_of)
        if entry is None:
            continue
        if entry.kind is not Kind.PATCH:
            value = older_value(entry, None)
            break
        patches.append(entry)
    else:
        value = current()
    for patch in reversed(patches):
        value = older_value(patch, value)
    return value


def _entry_of(key: bytes, height: int, index: bytes, entries_of: Callable[[int], bytes]) -> Entry | None:
    for offset in find(index, key):
        entry = entry_at(entries_of(height), offset)
        if entry.key == key:
            return entry
    return None


def _difference(old: bytes, new: bytes) -> bytes:
    """The patch that makes ``old`` of ``new``, both of the same size: the span in which they differ."""
    size = len(old)
    bits = int.from_bytes(old) ^ int.from_bytes(new)
    if not bits:
        return _PATCH.pack(0)
    start = size - ((bits.bit_length() + 7) >> 3)
    return _PATCH.pack(start) + old[start : size - ((bits & -bits).bit_length() - 1 >> 3)]
