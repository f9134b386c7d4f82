"""A block after its execution: what it produced, kept from proposal to commit, and the tip that the next builds on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from alatau.state.diff import BlockDiff
from alatau.state.parent import ParentState
from alatau.trie.state_trie import AppliedDiff, StateTrie
from alatau.types.block import Block
from alatau.types.header import Header
from alatau.types.receipt import Receipt


@dataclass(frozen=True, slots=True)
class ExecutedBlock:
    """What the store needs to commit a block: no rule is evaluated after this."""

    block: Block
    senders: tuple[bytes, ...]
    """Sender of each transaction."""
    receipts: tuple[Receipt, ...]
    diff: BlockDiff
    """Net changes; unlike what the state layer yields, the accounts carry their new storage roots."""
    trie: AppliedDiff
    """New trie, its changed nodes, and the accounts with their new storage roots."""
    encoded_receipts: tuple[bytes, ...] = ()
    """Of each receipt the bytes that the receipts trie holds: the header needed them, and the store keeps them."""


OpenState: TypeAlias = Callable[[], AbstractContextManager[ParentState]]
"""Opens a state for as long as the context lasts."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A block, committed or still being voted on, with the state it left."""

    header: Header
    hash: bytes
    state: ParentState
    trie: StateTrie
    block_hash: Callable[[int], bytes]
    """Hash of the block at a height up to this one's; asked only as far back as BLOCKHASH reaches."""
    open_apart: OpenState | None = None
    """Opens the same state for another thread, which shares nothing with ``state``; None where there is but one."""
