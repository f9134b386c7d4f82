"""The height that was committed last, in a file beside the database.

LevelDB takes a torn tail of its log for a write that never finished. It cannot tell that from a committed tail
that was damaged later, and would come back one or more blocks older without a word. The marker is written
after each commit, so a database that is behind it has lost something.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Final

from alatau.storage.disk import Disk

_RECORD: Final = struct.Struct(">QI")
"""Height, crc32 of its eight bytes. Twelve bytes lie in one sector: written whole or not at all."""


class TipMarker:
    """The marker file, held open."""

    __slots__ = ("_descriptor", "_disk")

    def __init__(self, path: Path, disk: Disk) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._disk = disk

    def write(self, height: int) -> None:
        """Note a commit. Not fsynced: a marker that a power failure set back only notices less.

        Raises:
            OSError: the disk refuses.
        """
        number = height.to_bytes(8, "big")
        self._disk.write(self._descriptor, _RECORD.pack(height, zlib.crc32(number)), 0)

    def close(self) -> None:
        """Let go of the file. Closing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_marker(path: Path) -> int | None:
    """The height in the marker; None where there is no marker, or it is damaged and says nothing."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) != _RECORD.size:
        return None
    height, checksum = _RECORD.unpack(data)
    return int(height) if zlib.crc32(data[:8]) == checksum else None
