"""The newest state as flat tables with a bounded cache: what execution reads, without walking the trie."""

from collections.abc import Mapping
from typing import Final

from alatau.storage import schema
from alatau.storage.database import Database
from alatau.trie.generations import GenerationCache
from alatau.types.account import Account, decode_account

ACCOUNTS_CACHED: Final = 20_000
"""Accounts kept decoded: about 8 MB. A hit spares about 6 us."""
SLOTS_CACHED: Final = 50_000
"""Words kept: about 12 MB. A hit spares about 3 us."""
CODES_CACHED_BYTES: Final = 4 * 1024 * 1024
"""Codes kept; a network has dozens of them that matter, at most 24 kB each."""

_NOBODY: Final = Account(nonce=-1)
"""Stands in the cache for an account that does not exist."""


class FlatState:
    """Accounts, slots and codes after the last committed block."""

    __slots__ = ("_accounts", "_codes", "_db", "_slots")

    def __init__(self, db: Database, accounts_cached: int = ACCOUNTS_CACHED, slots_cached: int = SLOTS_CACHED) -> None:
        self._db = db
        self._accounts: GenerationCache[bytes, Account] = GenerationCache(accounts_cached)
        self._slots: GenerationCache[tuple[bytes, int], int] = GenerationCache(slots_cached)
        self._codes: GenerationCache[bytes, bytes] = GenerationCache(CODES_CACHED_BYTES)

    def account(self, address: bytes) -> Account | None:
        """The account at an address."""
        account = self._accounts.get(address)
        if account is None:
            raw = self._db.get(schema.ACCOUNT + address)
            account = _NOBODY if raw is None else decode_account(raw)
            self._accounts.put(address, account, 1)
        return None if account is _NOBODY else account

    def storage(self, address: bytes, slot: int) -> int:
        """The word in a slot."""
        place = (address, slot)
        word = self._slots.get(place)
        if word is None:
            raw = self._db.get(schema.slot_key(address, slot))
            word = 0 if raw is None else int.from_bytes(raw, "big")
            self._slots.put(place, word, 1)
        return word

    def code(self, code_hash: bytes) -> bytes:
        """The code with a hash; raises ``KeyError``."""
        code = self._codes.get(code_hash)
        if code is None:
            code = self._db.get(schema.CODE + code_hash)
            if code is None:
                raise KeyError(code_hash)
            self._codes.put(code_hash, code, len(code))
        return code

    def update(self, accounts: Mapping[bytes, Account | None], storage: Mapping[bytes, Mapping[int, int]]) -> None:
        """Take over what a block that was just committed changed."""
        for address, account in accounts.items():
            self._accounts.put(address, _NOBODY if account is None else account, 1)
            if account is None:
                # Its slots went with it, and which of them are cached is not worth an index: it is this rare.
                self._slots.clear()
        for address, words in storage.items():
            for slot, word in words.items():
                self._slots.put((address, slot), word, 1)

    def clear(self) -> None:
        """Forget what was cached, after the tables changed underneath."""
        self._accounts.clear()
        self._slots.clear()
