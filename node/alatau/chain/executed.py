"""A block with everything that its execution produced, kept from proposal to commit; of genesis as well."""

from dataclasses import dataclass

from alatau.state.diff import BlockDiff
from alatau.trie.state_trie import AppliedDiff
from alatau.types.block import Block
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
