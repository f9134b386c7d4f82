"""What a block changed, and a view of a parent state with such changes laid over it."""

from dataclasses import dataclass, field

from alatau.state.parent import ParentState
from alatau.types.account import Account


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """Net changes of a block. Entries that ended as they began are left out."""

    accounts: dict[bytes, Account | None] = field(default_factory=dict)
    """Address -> new account, None where it was removed. ``storage_root`` in these is the parent's: the trie
    derives the new one from ``storage``. Every address in ``storage`` is also here."""
    storage: dict[bytes, dict[int, int]] = field(default_factory=dict)
    """Address -> slot -> new word, 0 where cleared."""
    codes: dict[bytes, bytes] = field(default_factory=dict)
    """Code hash -> code, for codes deployed in the block."""


@dataclass(frozen=True, slots=True)
class OverlayState:
    """A parent state with a block's diff on top: the post-state of a block not yet committed."""

    parent: ParentState
    diff: BlockDiff

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``."""
        accounts = self.diff.accounts
        return accounts[address] if address in accounts else self.parent.account(address)

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``."""
        written = self.diff.storage.get(address)
        if written is not None and slot in written:
            return written[slot]
        if address in self.diff.accounts and self.diff.accounts[address] is None:
            return 0
        return self.parent.storage(address, slot)

    def code(self, code_hash: bytes) -> bytes:
        """See ``ParentState``."""
        return self.diff.codes.get(code_hash) or self.parent.code(code_hash)
