"""Everything that committing a block writes, gathered into one batch."""

from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any, Final, TypeVar

from alatau.chain.executed import ExecutedBlock
from alatau.codec import rlp
from alatau.storage import schema
from alatau.storage.account_index import account_records
from alatau.storage.database import Database
from alatau.storage.errors import RESTORE_OR_SYNC, CorruptionError
from alatau.storage.history import HistoryWriter, all_entries, older_value
from alatau.storage.log_index import index_records
from alatau.trie.state_trie import AppliedDiff
from alatau.types.block import Block, encode_block
from alatau.types.header import encode_header
from alatau.types.receipt import Receipt
from alatau.types.transaction import recover_sender
from alatau.types.vote import Commit, commit_item

_T = TypeVar("_T")

_STEP: Final = 250
"""Records gathered between two steps: a few milliseconds."""


def fill_batch(
    batch: Any,
    db: Database,
    executed: ExecutedBlock,
    commit: Commit | None,
    pruned: range,
    *,
    account_index: bool = False,
) -> Generator[None, None, None]:
    """Put a block's records into ``batch``, yielding now and then: a full block has tens of thousands.

    Args:
        batch: a LevelDB write batch.
        db: what the history finds the replaced values in.
        executed: the block.
        commit: None for genesis alone.
        pruned: heights whose history is not kept any longer.
        account_index: whether the block goes into the index of accounts.
    """
    height = executed.block.header.number
    yield from _put_block(batch, executed, commit)
    for code_hash, code in executed.diff.codes.items():
        batch.put(schema.CODE + code_hash, code)
    history = HistoryWriter(height)
    yield from _put_flat(batch, db, history, executed.trie)
    yield from _put_nodes(batch, history, executed.trie)
    if height:
        # Nothing was there before genesis, and genesis is never taken back.
        number = schema.height_key(height)
        index, entries = history.records()
        batch.put(schema.HISTORY_INDEX + number, index)
        batch.put(schema.HISTORY + number, entries)
    indexed = db.get(schema.META_INDEXED)
    if account_index:
        for some in _portions(account_records(height, executed.block.transactions, executed.senders)):
            for key, value in some:
                batch.put(key, value)
            yield
        if indexed is None:
            batch.put(schema.META_INDEXED, schema.height_key(height))
    elif indexed is not None:
        batch.delete(schema.META_INDEXED)
    for old in pruned:
        number = schema.height_key(old)
        batch.delete(schema.HISTORY_INDEX + number)
        batch.delete(schema.HISTORY + number)
        batch.put(schema.META_OLDEST, number)
    batch.put(schema.META_TIP, schema.height_key(height) + executed.block.hash)


def undo_batch(db: Database, block: Block, receipts: tuple[Receipt, ...]) -> Any:
    """A batch that takes the newest block back: its parent is the tip again, with all that was there."""
    height = block.header.number
    number = schema.height_key(height)
    entries = db.get(schema.HISTORY + number)
    if entries is None:
        raise CorruptionError(db.path, f"the history of block {height} is missing", RESTORE_OR_SYNC + ".")
    batch = db.batch()
    for entry in all_entries(entries):
        old = older_value(entry, db.get(entry.key))
        if old is None:
            batch.delete(entry.key)
        else:
            batch.put(entry.key, old)
    for key in _block_keys(block, receipts):
        batch.delete(key)
    # Also where the index is off now: what it once held of this block must not speak for another.
    for key, _ in account_records(height, block.transactions, tuple(map(recover_sender, block.transactions))):
        batch.delete(key)
    if db.get(schema.META_INDEXED) == number:
        batch.delete(schema.META_INDEXED)
    batch.put(schema.META_TIP, schema.height_key(height - 1) + block.header.parent_hash)
    return batch


def _block_keys(block: Block, receipts: tuple[Receipt, ...]) -> list[bytes]:
    """The keys under which a block, its receipts, indexes and history lie."""
    number = schema.height_key(block.header.number)
    return [
        schema.HEADER + number,
        schema.BLOCK + number,
        schema.COMMIT + number,
        schema.RECEIPTS + number,
        schema.HISTORY_INDEX + number,
        schema.HISTORY + number,
        schema.HEIGHT_OF + block.hash,
        *(schema.TRANSACTION + tx.hash for tx in block.transactions),
        *(key for key, _ in index_records(block.header.number, receipts)),
    ]


def _put_block(batch: Any, executed: ExecutedBlock, commit: Commit | None) -> Generator[None, None, None]:
    block, receipts, encoded = executed.block, executed.receipts, executed.encoded_receipts
    assert len(encoded) == len(receipts), "every receipt comes with its bytes"
    number = schema.height_key(block.header.number)
    batch.put(schema.HEADER + number, encode_header(block.header))
    batch.put(schema.BLOCK + number, encode_block(block))
    yield
    batch.put(schema.RECEIPTS + number, rlp.encode(encoded))
    batch.put(schema.HEIGHT_OF + block.hash, number)
    if commit is not None:
        batch.put(schema.COMMIT + number, rlp.encode(commit_item(commit)))
    for index, tx in enumerate(block.transactions):
        batch.put(schema.TRANSACTION + tx.hash, number + index.to_bytes(4, "big"))
    yield
    for some in _portions(index_records(block.header.number, receipts)):
        for key, value in some:
            batch.put(key, value)
        yield


def _put_flat(batch: Any, db: Database, history: HistoryWriter, applied: AppliedDiff) -> Generator[None, None, None]:
    """Accounts and slots. The trie has met the values before on its way, so nothing is read for the history."""
    for portion in _portions(applied.account_values.items()):
        for address, (old, new) in portion:
            key = schema.ACCOUNT + address
            history.add(key, old, new)
            if new is not None:
                batch.put(key, new)
                continue
            batch.delete(key)
            for slot_key, word in db.items_with(schema.SLOT + address):
                history.add(slot_key, word, None)
                batch.delete(slot_key)
        yield
    for address, words in applied.slot_values.items():
        for some in _portions(words.items()):
            for slot, (before, after) in some:
                key = schema.slot_key(address, slot)
                new = schema.word_bytes(after) if after else None
                history.add(key, schema.word_bytes(before) if before else None, new)
                if new is None:
                    batch.delete(key)
                else:
                    batch.put(key, new)
            yield


def _put_nodes(batch: Any, history: HistoryWriter, applied: AppliedDiff) -> Generator[None, None, None]:
    previous = applied.previous
    for portion in _portions(applied.nodes.items()):
        for path_key, raw in portion:
            key = schema.NODE + path_key
            history.add(key, previous.get(path_key), raw)
            if raw is None:
                batch.delete(key)
            else:
                batch.put(key, raw)
        yield


def _portions(items: Iterable[_T]) -> Generator[list[_T], None, None]:
    source = iter(items)
    while portion := list(islice(source, _STEP)):
        yield portion
