"""A copy of a store in use, as it was at one moment, made without stopping or asking the process that uses it.

LevelDB lets one process open a database, for reading too. But its table files never change once they are written, so
a second name (a hard link) for each is as good as a copy and takes no room; what does change is small: the manifest
that lists the tables, and the log of what is not in a table yet. Copied in the right order, and again where the
manifest moved on meanwhile, they are what a crash at that moment would have left, which LevelDB opens by design.
Opening the copy writes to the copy's folder only.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alatau.storage.errors import RESTORE_OR_SYNC, CorruptionError, StorageError

_ATTEMPTS: Final = 20
"""A compaction changes the manifest every few seconds at most; a copy takes milliseconds."""
_TABLES: Final = frozenset({".ldb", ".sst"})


def copy_store(source: Path, target: Path) -> None:
    """Make ``target``, a new folder on the same disk, a copy of the store in ``source``.

    Raises:
        CorruptionError: a file that the database cannot do without is missing.
        StorageError: the disk refuses, or the database changed all the time.
    """

    def copy_marker() -> None:
        target.mkdir(parents=True, mode=0o700)
        if (source / "tip").exists():
            shutil.copyfile(source / "tip", target / "tip")  # first: a marker behind the database is no loss

    _copy(source, source / "db", target, target / "db", copy_marker)


def copy_database(source: Path, target: Path) -> None:
    """The same of a bare database, as a hub has: ``source`` is the folder of its tables. Raises as `copy_store`."""
    _copy(source, source, target, target, lambda: None)


def _copy(source: Path, tables: Path, target: Path, copied: Path, first: Callable[[], None]) -> None:
    for _ in range(_ATTEMPTS):
        shutil.rmtree(target, ignore_errors=True)
        try:
            first()
            if _copied(tables, copied):
                return
        except FileNotFoundError as error:
            if not (tables / "CURRENT").exists():
                raise CorruptionError(
                    source, f"{error.filename} is missing", f"Stop the node. {RESTORE_OR_SYNC}"
                ) from error
            # A file went between the look at the folder and the link: compacted away; look again.
        except OSError as error:
            raise StorageError(f"{source} cannot be copied to {target}: {error}") from error
    raise StorageError(f"{source} changed during each of {_ATTEMPTS} attempts to copy it; try again later")


def _copied(source: Path, target: Path) -> bool:
    """Whether a copy was made during which the manifest stayed as it was."""
    target.mkdir(parents=True, mode=0o700)
    current = (source / "CURRENT").read_text()
    manifest = source / current.strip()
    before = manifest.stat().st_size
    shutil.copyfile(manifest, target / manifest.name)
    names = sorted(file.name for file in source.iterdir())
    for name in names:
        file = source / name
        if file.suffix in _TABLES:
            os.link(file, target / name)
        elif file.suffix == ".log":
            shutil.copyfile(file, target / name)
    (target / "CURRENT").write_text(current)
    return manifest.stat().st_size == before and (source / "CURRENT").read_text() == current
