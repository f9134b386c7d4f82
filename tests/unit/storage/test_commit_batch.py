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


def test_the_index_of_accounts_says_from_where_it_is_whole(ledger: Ledger) -> None:
    """From the block with which it was turned on; a block without it ends it, and so does taking back the first."""
    db = ledger.store._db

    def commit(*, account_index: bool | None) -> None:
        executed, commit = ledger.chain.next()
        batch, wanted = db.batch(), {} if account_index is None else {"account_index": account_index}
        assert steps(fill_batch(batch, db, executed, commit, range(0), **wanted)) > 0
        db.write(batch)
        ledger.blocks.append((executed, commit))

    def take_back() -> None:
        executed, _ = ledger.blocks.pop()
        db.write(undo_batch(db, executed.block, executed.receipts))

    assert db.get(schema.META_INDEXED) is None
    commit(account_index=None)
    assert db.get(schema.META_INDEXED) is None, "nobody asked for it"
    commit(account_index=True)
    first = schema.height_key(ledger.blocks[-1][0].block.header.number)
    assert db.get(schema.META_INDEXED) == first
    commit(account_index=True)
    assert db.get(schema.META_INDEXED) == first
    take_back()
    assert db.get(schema.META_INDEXED) == first
    take_back()
    assert db.get(schema.META_INDEXED) is None


def test_an_index_that_was_turned_off_is_not_whole(ledger: Ledger) -> None:
    """What is missing in between would pass for what never was."""
    db = ledger.store._db
    batch = db.batch()
    batch.put(schema.META_INDEXED, schema.height_key(3))
    db.write(batch)
    ledger.grow(1)
    assert db.get(schema.META_INDEXED) is None


def test_a_transaction_is_found_by_height_and_place(ledger: Ledger) -> None:
    """Eight bytes and four."""
    executed = next(executed for executed, _ in reversed(ledger.blocks) if len(executed.block.transactions) > 1)
    number = executed.block.header.number
    for index, tx in enumerate(executed.block.transactions):
        place = ledger.store._db.get(schema.TRANSACTION + tx.hash)
        assert place == number.to_bytes(8, "big") + index.to_bytes(4, "big")
