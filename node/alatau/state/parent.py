"""What execution reads: the state that the parent block left."""

from typing import Protocol

from alatau.types.account import Account


class ParentState(Protocol):
    """Committed state, or the post-state of a block that is still being voted on. Immutable."""

    def account(self, address: bytes) -> Account | None:
        """The account at a 20-byte address, or None."""

    def storage(self, address: bytes, slot: int) -> int:
        """The word at a slot; 0 where nothing was written."""

    def code(self, code_hash: bytes) -> bytes:
        """The code with that hash. Raises ``KeyError`` for a hash that no account has."""
