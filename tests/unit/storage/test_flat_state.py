"""The flat tables and their cache."""

from alatau.storage import flat_state
from alatau.storage.flat_state import FlatState
from alatau_devnet.synthetic_chain import TOKEN
from tests.support.ledger import Ledger


def test_cache_and_tables_agree(ledger: Ledger) -> None:
    """After blocks in which accounts with storage come and go, a warm reader and a cold one see the same."""
    strangers = [bytes((n,)) * 20 for n in range(3)]
    for _ in range(8):
        ledger.grow()
        warm, cold = ledger.store._flat, FlatState(ledger.store._db)
        addresses = {address for accounts in ledger.accounts for address in accounts} | set(strangers)
        for address in addresses:
            expected = ledger.accounts[-1].get(address)
            assert warm.account(address) == cold.account(address) == expected
            for slot in [*range(5), *ledger.storage[-1].get(address, {})]:
                word = ledger.storage[-1].get(address, {}).get(slot, 0)
                assert warm.storage(address, slot) == cold.storage(address, slot) == word


def test_the_cache_is_bounded(ledger: Ledger) -> None:
    """Asking for ever more accounts keeps no more than the bound."""
    flat = ledger.store._flat
    for number in range(flat_state.ACCOUNTS_CACHED + 1_000):
        assert flat.account(number.to_bytes(20, "big")) is None
    assert len(flat._accounts) <= flat_state.ACCOUNTS_CACHED


def test_a_hit_reads_nothing(ledger: Ledger) -> None:
    """What was read once is answered without the database."""
    flat = ledger.store._flat
    slot = int.from_bytes(ledger.chain.people[0], "big")
    before = flat.account(TOKEN), flat.storage(TOKEN, slot), flat.code(ledger.accounts[0][TOKEN].code_hash)
    ledger.store.close()
    assert (flat.account(TOKEN), flat.storage(TOKEN, slot)) == before[:2]
    assert flat.code(ledger.accounts[0][TOKEN].code_hash) == before[2]
