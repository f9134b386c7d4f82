"""The far end of the past, at the default length of the history."""

from pathlib import Path

import pytest

from alatau.storage.database import DatabaseOptions
from alatau.storage.errors import HistoryPrunedError
from alatau.storage.history import HISTORY_BLOCKS
from alatau.storage.store import Store, StoreOptions
from alatau.trie.proof import verify
from alatau_devnet.synthetic_chain import TOKEN, Shape, SyntheticChain
from tests.support.ledger import Ledger


def test_the_history_reaches_back_1024_blocks(tmp_path: Path) -> None:
    """State, trie and proofs 1,024 blocks back are exact, 1,025 are refused, and the oldest can be returned to."""
    options = StoreOptions(DatabaseOptions(sync=False))
    ledger = Ledger(Store.open(tmp_path, options), SyntheticChain(3, Shape(payments=2, people=20)))
    ledger.grow(HISTORY_BLOCKS + 40)
    tip = HISTORY_BLOCKS + 39
    oldest = tip - HISTORY_BLOCKS
    assert (HISTORY_BLOCKS, ledger.store.oldest_state) == (1_024, oldest)
    for height in (oldest, oldest + 1, oldest + 500, tip - 1, tip):
        view = ledger.store.state(height)
        for address in ledger.accounts[height]:
            assert view.account(address) == ledger.accounts[height][address]
        slots = [int.from_bytes(person, "big") for person in ledger.chain.people[:5]]
        proof = ledger.store.proof(TOKEN, slots, height)
        verify(ledger.blocks[height][0].block.header.state_root, proof)
        assert [slot.value for slot in proof.slots] == [ledger.storage[height][TOKEN].get(slot, 0) for slot in slots]
    with pytest.raises(HistoryPrunedError):
        ledger.store.proof(TOKEN, [], oldest - 1)
    list(ledger.store.rollback(oldest))
    assert ledger.store.tip == ledger.blocks[oldest][0].block.header
    assert ledger.store.state().account(TOKEN) == ledger.accounts[oldest][TOKEN]
    ledger.store.close()
