"""The state as it was after an earlier block: the newest tables, and the history of what was replaced since."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from alatau.storage import schema
from alatau.storage.database import Database, Snapshot
from alatau.storage.errors import RESTORE_OR_SYNC, CorruptionError
from alatau.storage.flat_state import FlatState
from alatau.storage.history import value_before
from alatau.trie.generations import GenerationCache
from alatau.types.account import Account, decode_account

INDEX_BYTES_CACHED: Final = 4 * 1024 * 1024
"""Index records kept: those of 400 full blocks, or of the whole history of usual ones."""


class Past:
    """Reads the tables ``a``, ``s`` and ``n`` as they were."""

    __slots__ = ("_db", "_indexes", "_reach")

    def __init__(self, db: Database, reach: Callable[[int], int], cached_bytes: int = INDEX_BYTES_CACHED) -> None:
        self._db = db
        self._reach = reach
        self._indexes: GenerationCache[int, bytes] = GenerationCache(cached_bytes)

    def tip_for(self, height: int) -> int:
        """The tip's height; raises ``HistoryPrunedError`` where ``height`` is out of reach."""
        return self._reach(height)

    def value_at(self, key: bytes, height: int) -> bytes | None:
        """What was under ``key`` after block ``height``; about 10 us and 3 us for each block since."""
        tip = self._reach(height)
        indexes = ((at, self._index(at)) for at in range(height + 1, tip + 1))
        snapshot = self._db.snapshot()
        try:
            return _value_before(snapshot, self._db.path, key, indexes)
        finally:
            snapshot.close()

    def forget(self) -> None:
        """Drop what is cached: blocks were taken back."""
        self._indexes.clear()

    def _index(self, height: int) -> bytes:
        index = self._indexes.get(height)
        if index is None:
            index = self._db.get(schema.HISTORY_INDEX + schema.height_key(height))
            if index is None:
                raise _missing(self._db.path, height)
            self._indexes.put(height, index, len(index))
        return index


def _value_before(snapshot: Snapshot, path: Path, key: bytes, indexes: Iterable[tuple[int, bytes]]) -> bytes | None:
    def entries_of(at: int) -> bytes:
        entries = snapshot.get(schema.HISTORY + schema.height_key(at))
        if entries is None:
            raise _missing(path, at)
        return entries

    return value_before(key, indexes, entries_of, lambda: snapshot.get(key))


def _missing(path: Path, height: int) -> CorruptionError:
    return CorruptionError(path, f"the history of block {height} is missing", RESTORE_OR_SYNC + ".")


class StateView:
    """The state after one block, for as long as the history reaches back to it. A ``ParentState``.

    Stays what it is when further blocks are committed: it then reads through the history, slower by the number
    of blocks since.
    """

    __slots__ = ("_flat", "_past", "height")

    def __init__(self, height: int, flat: FlatState, past: Past) -> None:
        self.height = height
        self._flat = flat
        self._past = past

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``; raises ``HistoryPrunedError`` once the height is out of reach."""
        if self._past.tip_for(self.height) == self.height:
            return self._flat.account(address)
        raw = self._past.value_at(schema.ACCOUNT + address, self.height)
        return None if raw is None else decode_account(raw)

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``; raises ``HistoryPrunedError`` once the height is out of reach."""
        if self._past.tip_for(self.height) == self.height:
            return self._flat.storage(address, slot)
        raw = self._past.value_at(schema.slot_key(address, slot), self.height)
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

    __slots__ = ("_height", "_past")

    def __init__(self, height: int, past: Past) -> None:
        self._height = height
        self._past = past

    def node(self, path_key: bytes) -> bytes | None:
        """See ``NodeReader``."""
        return self._past.value_at(schema.NODE + path_key, self._height)
