"""What can go wrong with the disk, whose fault it is, and what to do."""

from pathlib import Path


class StorageError(Exception):
    """The disk, or what lies on it, is not as it must be. Ours or the operator's; never a peer's."""


class SchemaError(StorageError):
    """The database was written by another version of the program, or belongs to another network."""


class CorruptionError(StorageError):
    """What lies on the disk is not what was written.

    Never papered over: nothing is repaired or skipped without being asked. The message names what is damaged
    and what to do.
    """

    def __init__(self, where: Path | str, what: str, remedy: str) -> None:
        self.where = where
        self.what = what
        self.remedy = remedy
        super().__init__(f"{where} is damaged: {what}. {remedy}")


class DiskFullError(StorageError):
    """There is no room to write. Nothing was half-written; free some space, then start the node again."""

    def __init__(self, where: Path, what: str) -> None:
        self.where = where
        super().__init__(
            f"no room on the disk that holds {where}: {what}. Nothing was half-written. Free some space, then start"
            " the node again; it goes on where it stopped"
        )


class WriteFailedError(StorageError):
    """The disk refused a write for another reason than room. Look at the disk, then start the node again."""


class StoreLockedError(StorageError):
    """Another process has the store open. Stop it first."""

    def __init__(self, where: Path, pid: int | None) -> None:
        self.where = where
        self.pid = pid
        by = f"process {pid}" if pid else "another process"
        super().__init__(f"the store {where} is in use by {by}; stop it first, or use another home")


class HistoryPrunedError(StorageError, KeyError):
    """Someone asked for the state of a height that the store does not keep any more. Ask an archive of backups."""

    def __init__(self, height: int, oldest: int, tip: int) -> None:
        self.height = height
        self.oldest = oldest
        self.tip = tip
        super().__init__(f"the state after block {height} is pruned: this node keeps {oldest} to {tip}")

    def __str__(self) -> str:
        return str(self.args[0])


class SignStateError(StorageError):
    """The sign state forbids a signature or cannot be trusted. Signing on could be equivocation."""


RESTORE_OR_SYNC = "Restore a backup, or move the folder away and let the node sync again from its peers"
"""The remedy where data is lost that every peer has."""
