"""The state as it was after an earlier block: the newest tables, and the history of what was replaced since."""

from collections.abc import Callable
from pathlib import Path

from alatau.storage import schema
from alatau.storage.database import Database, Snapshot
from alatau.storage.errors import RESTORE_OR_SYNC, CorruptionError
from alatau.storage.flat_state import FlatState
from alatau.storage.history import value_before
from alatau.types.account import Account, decode_account


def value_at(db: Database, key: bytes, height: int, tip: int) -> bytes | None:
    """What was under a key of the tables ``a``, ``s`` or ``n`` after block ``height``; ``tip`` is the newest.

    Takes about 3 us and 2 us for each block since.
    """
    snapshot = db.snapshot()
    try:
        return value_in(snapshot, db.path, key, height, tip)
    finally:
        snapshot.close()


def value_in(snapshot: Snapshot, path: Path, key: bytes, height: int, tip: int) -> bytes | None:
    """The same in a snapshot of the database at ``path``, taken when ``tip`` was the newest block."""
    start = schema.HISTORY_INDEX + schema.height_key(height + 1)
    stop = schema.HISTORY_INDEX + schema.height_key(tip + 1)
    indexes = ((int.from_bytes(k[1:], "big"), index) for k, index in snapshot.items(start, stop))

    def entries_of(at: int) -> bytes:
        entries = snapshot.get(schema.HISTORY + schema.height_key(at))
        if entries is None:
            raise CorruptionError(path, f"the history of block {at} is missing", RESTORE_OR_SYNC + ".")
        return entries

    return value_before(key, indexes, entries_of, lambda: snapshot.get(key))


class StateView:
    """The state after one block, for as long as the history reaches back to it. A ``ParentState``.

    Stays what it is when further blocks are committed: it then reads through the history, slower by the number
    of blocks since.
    """

    __slots__ = ("_check", "_db", "_flat", "height")

    def __init__(self, height: int, db: Database, flat: FlatState, check: Callable[[int], int]) -> None:
        self.height = height
        self._db = db
        self._flat = flat
        self._check = check
        """Gives the tip's height; raises ``HistoryPrunedError`` where the view's height is out of reach."""

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``."""
        tip = self._check(self.height)
        if tip == self.height:
            return self._flat.account(address)
        raw = value_at(self._db, schema.ACCOUNT + address, self.height, tip)
        return None if raw is None else decode_account(raw)

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``."""
        tip = self._check(self.height)
        if tip == self.height:
            return self._flat.storage(address, slot)
        raw = value_at(self._db, schema.slot_key(address, slot), self.height, tip)
        return 0 if raw is None else int.from_bytes(raw, "big")

    def code(self, code_hash: bytes) -> bytes:
        """See ``ParentState``. Codes are kept by hash and never deleted, so they need no history."""
        return self._flat.code(code_hash)


class NewestNodes:
    """Trie nodes as they are now. A ``NodeReader``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def node(self, path_key: bytes) -> bytes | None:
        """See ``NodeReader``."""
        return self._db.get(schema.NODE + path_key)


class PastNodes:
    """Trie nodes as they were after one block. A ``NodeReader``."""

    __slots__ = ("_check", "_db", "_height")

    def __init__(self, height: int, db: Database, check: Callable[[int], int]) -> None:
        self._height = height
        self._db = db
        self._check = check

    def node(self, path_key: bytes) -> bytes | None:
        """See ``NodeReader``."""
        return value_at(self._db, schema.NODE + path_key, self._height, self._check(self._height))
