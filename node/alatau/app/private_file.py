"""Files that only their owner may read: created so from the first byte, and complete or absent."""

import os
from pathlib import Path
from typing import Final

PRIVATE_MODE: Final = 0o600
PRIVATE_FOLDER_MODE: Final = 0o700


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write ``data`` to ``path`` with mode 0600, fsynced, whole or not at all.

    Raises:
        FileExistsError: the file exists and ``replace`` is false: a key is never overwritten by accident.
        OSError: the folder is missing, full or not writable.
    """
    if not replace and path.exists():
        msg = f"{path} exists already"
        raise FileExistsError(msg)
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE_MODE)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


def is_private(path: Path) -> bool:
    """Whether neither group nor others may do anything with ``path``."""
    return path.stat().st_mode & 0o077 == 0


def _sync_folder(folder: Path) -> None:
    # A rename is durable only once the folder that records it is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
