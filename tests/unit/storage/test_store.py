"""The store as a whole: what goes in comes out, now, later, and after a restart."""

import dataclasses
from pathlib import Path

import pytest

from alatau.storage.check import Finding, Progress
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import HistoryPrunedError, SchemaError, StoreLockedError
from alatau.storage.store import Store, StoreOptions
from alatau.trie.proof import verify
from alatau.types.account import Account
from alatau.types.header import EMPTY_ROOT
from alatau_devnet.synthetic_chain import TOKEN, SyntheticChain
from tests.support.generators import finish
from tests.support.ledger import SEED, Ledger


def assert_blocks(store: Store, ledger: Ledger) -> None:
    """Everything about the blocks up to the store's tip is as committed."""
    for height, (executed, commit) in enumerate(ledger.blocks[: store.tip.number + 1]):
        block = executed.block
        assert store.header(height) == block.header
        assert store.block(height) == block
        assert store.height_of(block.hash) == height
        assert store.hash_of(height) == block.hash
        assert store.commit_of(height) == commit
        assert store.receipts(height) == executed.receipts
        for index, tx in enumerate(block.transactions):
            assert store.find_transaction(tx.hash) == (height, index)


def assert_state(store: Store, ledger: Ledger, height: int) -> None:
    """Accounts, slots, trie and proofs after ``height`` are as they were then."""
    view, trie = store.state(height), store.trie(height)
    assert trie.root == ledger.blocks[height][0].block.header.state_root
    for address in ledger.accounts[-1].keys() | ledger.accounts[height].keys():
        assert view.account(address) == ledger.accounts[height].get(address)
        assert trie.account(address) == ledger.accounts[height].get(address)
    for address, words in ledger.storage[height].items():
        for slot in [*words, 12345]:
            assert view.storage(address, slot) == words.get(slot, 0)
    slots = [*list(ledger.storage[height][TOKEN])[:3], 12345]
    proof = store.proof(TOKEN, slots, height)
    verify(trie.root, proof)
    assert [entry.value for entry in proof.slots] == [ledger.storage[height][TOKEN].get(slot, 0) for slot in slots]


def test_blocks_are_found_again(ledger: Ledger) -> None:
    """By height, by hash, by transaction; header, body, commit and receipts."""
    assert_blocks(ledger.store, ledger)
    assert ledger.store.tip == ledger.blocks[-1][0].block.header
    assert ledger.store.tip_hash == ledger.blocks[-1][0].block.hash
    assert ledger.store.genesis_hash == ledger.blocks[0][0].block.hash


def test_unknown_things_are_none(ledger: Ledger) -> None:
    """Above the tip and for unknown hashes there is nothing."""
    store = ledger.store
    assert store.header(99) is None
    assert store.block(99) is None
    assert store.commit_of(99) is None
    assert store.receipts(99) == ()
    assert store.height_of(bytes(32)) is None
    assert store.find_transaction(bytes(32)) is None
    with pytest.raises(KeyError):
        store.state().code(bytes(32))


def test_code_is_kept(ledger: Ledger) -> None:
    """Code deployed in a block is found by its hash at every height."""
    code_hash = ledger.accounts[0][TOKEN].code_hash
    assert ledger.store.state(3).code(code_hash) == b"\x60\x00"


def test_the_past_is_as_it_was(ledger: Ledger) -> None:
    """Every height's state, trie and proofs can be read after later blocks changed all of them."""
    for height in range(len(ledger.blocks)):
        assert_state(ledger.store, ledger, height)


def test_a_view_stays_at_its_height(ledger: Ledger) -> None:
    """A view taken at the tip answers the same after the tip has moved on."""
    view = ledger.store.state()
    before = {person: view.account(person) for person in ledger.chain.people}
    ledger.grow(5)
    assert {person: view.account(person) for person in ledger.chain.people} == before
    assert ledger.store.state().account(TOKEN) == ledger.accounts[-1][TOKEN] != view.account(TOKEN)


def test_a_restart_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """Closed and opened again, the store has the same tip and goes on from there."""
    ledger.store.close()
    ledger.store = Store.open(tmp_path / "data")
    assert_blocks(ledger.store, ledger)
    ledger.grow(3)
    assert_state(ledger.store, ledger, 14)
    assert_state(ledger.store, ledger, 4)


def test_history_is_pruned(tmp_path: Path) -> None:
    """Heights further back than the option says are refused with the reason; blocks stay."""
    ledger = Ledger(Store.open(tmp_path, StoreOptions(history_blocks=4)), SyntheticChain(1))
    ledger.grow(10)
    assert ledger.store.oldest_state == 5
    assert_state(ledger.store, ledger, 5)
    assert_blocks(ledger.store, ledger)
    with pytest.raises(HistoryPrunedError, match="after block 4 is pruned: this node keeps 5 to 9"):
        ledger.store.state(4)
    with pytest.raises(KeyError):
        ledger.store.proof(TOKEN, [], 10)
    view = ledger.store.state(5)
    ledger.grow()
    with pytest.raises(HistoryPrunedError):
        view.account(TOKEN)
    ledger.store.close()


def test_less_history_is_pruned_in_steps(tmp_path: Path) -> None:
    """A smaller option takes effect over the next blocks; a larger one reaches back no further than what is left."""
    ledger = Ledger(Store.open(tmp_path), SyntheticChain(1))
    ledger.grow(12)
    ledger.store.close()
    ledger.store = Store.open(tmp_path, StoreOptions(history_blocks=2))
    ledger.grow()
    assert ledger.store.oldest_state == 10
    ledger.store.close()
    ledger.store = Store.open(tmp_path, StoreOptions(history_blocks=100))
    ledger.grow()
    assert ledger.store.oldest_state == 10
    assert_state(ledger.store, ledger, 10)
    with pytest.raises(HistoryPrunedError):
        ledger.store.state(9)
    ledger.store.close()


def test_rollback_restores_everything(ledger: Ledger, tmp_path: Path) -> None:
    """Taken back to height 5, the database is byte for byte what it was then, and can take another course."""
    reference = Ledger(Store.open(tmp_path / "reference"), SyntheticChain(SEED))
    reference.grow(6)
    progress = list(ledger.store.rollback(5))
    assert progress[-1] == Progress("taking blocks back", 6, 6)
    assert ledger.store.tip == reference.store.tip
    assert dict(ledger.store._db.items(b"", b"\xff")) == dict(reference.store._db.items(b"", b"\xff"))
    assert_blocks(ledger.store, ledger)
    assert_state(ledger.store, ledger, 5)
    executed, commit = reference.chain.next()
    ledger.store.commit(executed, commit)
    assert ledger.store.tip.number == 6
    reference.store.close()


def test_what_is_being_written_is_not_read_before_the_tip_moves(ledger: Ledger) -> None:
    """Between the write, which a thread does, and its end, all reads are of the parent: no mixture of two heights."""
    store = ledger.store
    executed, commit = ledger.chain.next()
    height = executed.block.header.number
    work = store.prepare_commit(executed, commit)
    prepared = finish(work)
    store._flat.clear()  # whatever is asked for now is read from the database
    store.write_commit(prepared)
    assert_blocks(store, ledger)
    assert_state(store, ledger, height - 1)
    assert_state(store, ledger, height - 3)
    assert (store.header(height), store.block(height), store.commit_of(height)) == (None, None, None)
    assert store.height_of(executed.block.hash) is None
    assert [store.find_transaction(tx.hash) for tx in executed.block.transactions] == [None] * len(
        executed.block.transactions
    )
    store.finish_commit(prepared)
    ledger.blocks.append((executed, commit))
    ledger.accounts.append(dict(ledger.chain.accounts))
    ledger.storage.append({address: dict(words) for address, words in ledger.chain.storage.items()})
    assert store.tip.number == height
    assert_blocks(store, ledger)
    for at in (height, height - 1, height - 3):
        assert_state(store, ledger, at)


class PowerCutError(Exception):
    """Stands for the end of the process."""


class Unplugged(Disk):
    """A disk that is gone after some writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def _use(self) -> None:
        if not self.left:
            raise PowerCutError
        self.left -= 1

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """See ``Disk``."""
        self._use()
        super().write(descriptor, data, offset)

    def write_batch(self, batch: Batch) -> None:
        """See ``Disk``."""
        self._use()
        super().write_batch(batch)


@pytest.mark.parametrize("writes", range(8))
def test_an_interrupted_rollback_is_at_a_height(ledger: Ledger, tmp_path: Path, writes: int) -> None:
    """Cut off between any two writes, the store opens at a height between, whole, and goes on from there."""
    ledger.store.close()
    store = Store.open(tmp_path / "data", disk=Unplugged(writes))
    with pytest.raises(PowerCutError):
        list(store.rollback(5))
    store.close()
    ledger.store = Store.open(tmp_path / "data")
    height = ledger.store.tip.number
    assert height == 11 - writes // 2
    assert not [step for step in ledger.store.check() if isinstance(step, Finding)]
    assert_state(ledger.store, ledger, height)
    list(ledger.store.rollback(5))
    assert_blocks(ledger.store, ledger)
    assert ledger.store.tip.number == 5


def test_rollback_refuses_what_is_out_of_reach(ledger: Ledger) -> None:
    """Below the history, and above the tip."""
    for height in (-1, 12):
        with pytest.raises(HistoryPrunedError):
            list(ledger.store.rollback(height))
    assert ledger.store.tip.number == 11


def test_compaction_keeps_everything(ledger: Ledger) -> None:
    """Compaction reports progress to its end and loses nothing."""
    *_, last = ledger.store.compact()
    assert last.done == last.total
    assert_blocks(ledger.store, ledger)
    assert_state(ledger.store, ledger, 3)


def test_a_second_opener_is_told(ledger: Ledger, tmp_path: Path) -> None:
    """Opening what is open already names the process that has it."""
    with pytest.raises(StoreLockedError, match=r"in use by process \d+; stop it first"):
        Store.open(tmp_path / "data")


def test_another_genesis_is_refused(ledger: Ledger) -> None:
    """The genesis of another network is an error; one's own is fine again and again."""
    ledger.store.init_genesis(ledger.blocks[0][0])
    with pytest.raises(SchemaError, match="belongs to the network with genesis"):
        ledger.store.init_genesis(SyntheticChain(8).genesis())


def test_commit_checks_its_arguments(ledger: Ledger) -> None:
    """Blocks out of order, with another's commit, or with a root that is not their own, never reach the disk."""
    executed, commit = ledger.chain.next()
    after, commit_after = ledger.chain.next()
    with pytest.raises(AssertionError, match="in order"):
        ledger.store.commit(after, commit_after)
    with pytest.raises(AssertionError, match="the commit is the block's"):
        ledger.store.commit(executed, commit_after)
    wrong = dataclasses.replace(executed, trie=dataclasses.replace(executed.trie, root=EMPTY_ROOT))
    with pytest.raises(AssertionError, match="own execution"):
        ledger.store.commit(wrong, commit)
    ledger.store.commit(executed, commit)
    assert ledger.store.tip.number == 12


def test_an_empty_store_has_no_tip(tmp_path: Path) -> None:
    """Before genesis there is nothing, also after a restart."""
    for _ in range(2):
        store = Store.open(tmp_path)
        assert store.tip is None
        assert store.genesis_hash is None
        assert store.trie().root == EMPTY_ROOT
        store.close()


def test_building_on_the_newest_trie(ledger: Ledger) -> None:
    """What the engine does: apply to the stored trie, commit, and apply to that."""
    for _ in range(3):
        state = ledger.store.state()
        executed, commit = ledger.chain.next()
        before = {  # with the storage roots that the parent left, as the state layer yields them
            address: account and dataclasses.replace(account, storage_root=_root_of(state.account(address)))
            for address, account in executed.diff.accounts.items()
        }
        applied = ledger.store.trie().apply(before, executed.diff.storage)
        assert applied.root == executed.block.header.state_root
        ledger.store.commit(dataclasses.replace(executed, trie=applied), commit)
    assert ledger.store.tip.number == 14


def _root_of(account: Account | None) -> bytes:
    return EMPTY_ROOT if account is None else account.storage_root
