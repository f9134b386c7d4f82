"""What the next block builds on."""

from collections.abc import Callable
from dataclasses import dataclass

from alatau.state.parent import ParentState
from alatau.trie.state_trie import StateTrie
from alatau.types.header import Header


@dataclass(frozen=True, slots=True)
class Tip:
    """A block, committed or still being voted on, with the state it left."""

    header: Header
    hash: bytes
    state: ParentState
    trie: StateTrie
    block_hash: Callable[[int], bytes]
    """Hash of the block at a height up to this one's; asked only as far back as BLOCKHASH reaches."""
