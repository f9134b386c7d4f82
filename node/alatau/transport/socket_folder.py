"""A folder for this process's own sockets, which only its user can enter, and which outlives no process for long.

The path of a Unix socket has at most 107 bytes, so it cannot lie in a node's home. A process that is killed leaves its
folder behind; each folder is therefore locked (flock, which ends with the process), and who makes a new one removes
those of its user that nobody holds any more.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_PREFIX: Final = "alatau-sockets-"
_SWEPT_MAX: Final = 256
"""Folders looked at when one is made; what is left is for the next one."""


class SocketFolder:
    """A new folder under the system's temporary one. Close it to remove it."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path, self._lock = _locked_folder()

    def close(self) -> None:
        """Remove the folder with what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def _locked_folder() -> tuple[Path, int]:
    """A new folder and the descriptor that holds its lock; another one where somebody swept it before it was locked."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_SH)  # at most until a sweep that looks at it is done
            if path.exists():
                return path, lock
            os.close(lock)


def _sweep(parent: Path) -> None:
    """Remove the folders of our user that no living process holds."""
    for count, folder in enumerate(parent.glob(f"{_PREFIX}*")):
        if count == _SWEPT_MAX:
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                if os.fstat(descriptor).st_uid == os.getuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its process lives
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
