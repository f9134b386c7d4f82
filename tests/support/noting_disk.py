"""A disk that notes what is done to it, for tests of what is durable before what."""

from pathlib import Path

from alatau.storage.disk import Disk


class NotingDisk(Disk):
    """Does it all, and notes it in order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """See ``Disk``."""
        self.done.append("write")
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        """See ``Disk``."""
        self.done.append("sync")
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """See ``Disk``."""
        self.done.append("truncate")
        super().truncate(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        """See ``Disk``."""
        self.done.append("replace")
        super().replace(source, target)

    def sync_folder(self, folder: Path) -> None:
        """See ``Disk``."""
        self.done.append("sync folder")
        super().sync_folder(folder)
