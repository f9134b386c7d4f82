"""Every write of this package goes through here, so that a test can break it at any boundary.

``Disk`` is the real thing. A test gives the store a subclass that kills the process at the n-th boundary,
tears a write, or reports a full disk (``devnet/alatau_devnet/crash_storage.py``).
"""

import errno
import os
from pathlib import Path
from typing import Protocol

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers that mean: free some space and try again."""


class Batch(Protocol):
    """A LevelDB write batch, as far as writing goes."""

    def write(self) -> None:
        """Write it, all or nothing."""


class Disk:
    """Writes. Raises ``OSError`` as the system gives it; callers say what it means."""

    def boundary(self, name: str) -> None:
        """A moment between two writes at which the process might die. Does nothing."""

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write all of ``data`` at ``offset``."""
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            offset += written
            view = view[written:]

    def write_batch(self, batch: Batch) -> None:
        """Hand a batch to LevelDB."""
        batch.write()

    def sync(self, descriptor: int) -> None:
        """Make a file's content durable."""
        os.fsync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file."""
        os.ftruncate(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        """Put ``source`` in the place of ``target``, at once."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable: a rename is lost in a power failure until then."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> int:
        """Room left for this user, in bytes."""
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize


def atomic_write(disk: Disk, path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file's content durably, whole or not at all. Raises ``OSError``."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        os.fchmod(descriptor, mode)  # a partial file that was left behind keeps its mode when it is opened again
        disk.boundary("replace/created")
        disk.write(descriptor, data, 0)
        disk.boundary("replace/written")
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    disk.boundary("replace/synced")
    disk.replace(partial, path)
    disk.boundary("replace/replaced")
    disk.sync_folder(path.parent)
    disk.boundary("replace/done")
