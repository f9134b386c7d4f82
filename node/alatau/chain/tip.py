"""What the next block builds on."""

from collections.abc import Callable
from dataclasses import dataclass

from alatau.chain.executed import ExecutedBlock
from alatau.state.diff import OverlayState
from alatau.state.parent import ParentState
from alatau.trie.state_trie import StateTrie
from alatau.types.header import Header

BLOCK_HASH_WINDOW = 256
"""Heights that BLOCKHASH reaches back (Yellow Paper, appendix H, 0x40)."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A block, committed or still being voted on, with the state it left."""

    header: Header
    hash: bytes
    state: ParentState
    trie: StateTrie
    block_hash: Callable[[int], bytes]
    """Hash of the block at a height up to this one's; asked only within ``BLOCK_HASH_WINDOW``."""


def tip_after(parent: Tip, executed: ExecutedBlock) -> Tip:
    """The tip that an executed block makes before it is committed, so that the next one can be built on it."""
    block = executed.block
    state = OverlayState(parent.state, executed.diff)

    def block_hash(height: int) -> bytes:
        return block.hash if height == block.header.number else parent.block_hash(height)

    return Tip(block.header, block.hash, state, executed.trie.trie, block_hash)
