"""What one block writes, and what takes it back."""

from collections.abc import Iterator

import pytest

from alatau.storage import schema
from alatau.storage.commit_batch import _STEP, fill_batch, undo_batch
from alatau.storage.errors import CorruptionError
from tests.support.ledger import Ledger

BEFORE, AFTER = b"", b"\xff"


def records(ledger: Ledger) -> dict[bytes, bytes]:
    """Everything in the database."""
    return dict(ledger.store._db.items(BEFORE, AFTER))


def steps(work: Iterator[None]) -> int:
    """Run to the end; gives how often others had a turn."""
    return sum(1 for _ in work)


def test_what_is_taken_back_leaves_no_trace(ledger: Ledger) -> None:
    """Byte for byte the database of the parent: state, trie, indexes, blocks; only pruned history does not return."""
    db, before = ledger.store._db, records(ledger)
    ledger.grow(1)
    executed, _ = ledger.blocks[-1]
    assert len(records(ledger).items() ^ before.items()) > 20
    db.write(undo_batch(db, executed.block, executed.receipts))
    after = records(ledger)
    height = schema.height_key(executed.block.header.number - 1)
    assert after.pop(schema.META_TIP) == before.pop(schema.META_TIP) == height + executed.block.header.parent_hash
    assert after == before


def test_several_blocks_are_taken_back_one_by_one(ledger: Ledger) -> None:
    """Accounts that came and went in between are as they were."""
    db, before = ledger.store._db, records(ledger)
    ledger.grow(6)
    for executed, _ in reversed(ledger.blocks[-6:]):
        db.write(undo_batch(db, executed.block, executed.receipts))
    assert records(ledger) == before


def test_a_block_without_its_history_is_not_taken_back(ledger: Ledger) -> None:
    """Half of a state would be worse than none."""
    db, (executed, _) = ledger.store._db, ledger.blocks[-1]
    batch = db.batch()
    batch.delete(schema.HISTORY + schema.height_key(executed.block.header.number))
    db.write(batch)
    with pytest.raises(CorruptionError, match="history of block 11 is missing"):
        undo_batch(db, executed.block, executed.receipts)


def test_gathering_gives_others_a_turn_and_writes_nothing(ledger: Ledger) -> None:
    """As many turns as portions of records, at the least; the database changes with the batch alone."""
    db, (executed, commit) = ledger.store._db, ledger.blocks[-1]
    before, batch = records(ledger), db.batch()
    turns = steps(fill_batch(batch, db, executed, commit, range(0)))
    assert turns >= 3 + len(executed.trie.nodes) // _STEP
    assert records(ledger) == before
