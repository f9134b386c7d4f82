"""The state trie: accounts and storage together, versions side by side, damage noticed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import TrieCorruptionError
from alatau.trie.state_trie import AppliedDiff, NodeCache, NoNodes, StateTrie
from alatau.types.account import Account, encode_account
from alatau.types.header import EMPTY_ROOT

ADDRESSES = [bytes((n,)) * 20 for n in range(12)]


class Nodes:
    """A reader over what was stored."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}

    def node(self, path_key: bytes) -> bytes | None:
        """See ``NodeReader``."""
        return self.stored.get(path_key)

    def store(self, applied: AppliedDiff) -> None:
        """What the store does with a block's nodes."""
        for key, raw in applied.nodes.items():
            if raw is None:
                del self.stored[key]
            else:
                self.stored[key] = raw
        applied.trie.mark_stored()


State = dict[bytes, tuple[Account, dict[int, int]]]


def reference_root(state: State) -> bytes:
    """The state root, by py-trie."""
    accounts = HexaryTrie({})
    for address, (account, words) in state.items():
        storage = HexaryTrie({})
        for slot, word in words.items():
            storage[keccak256(slot.to_bytes(32, "big"))] = rlp.encode(word)
        full = Account(account.nonce, account.balance, storage.root_hash, account.code_hash)
        accounts[keccak256(address)] = encode_account(full)
    return bytes(accounts.root_hash)


WRITES = st.dictionaries(st.integers(0, 6), st.integers(0, 3), max_size=5)
CHANGE = st.one_of(st.none(), st.tuples(st.integers(0, 2**64 - 2), st.integers(0, 2**256 - 1), WRITES))
BLOCKS = st.lists(st.dictionaries(st.sampled_from(ADDRESSES), CHANGE, max_size=6), max_size=6)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.booleans())
def test_blocks_give_the_root_of_py_trie(blocks: list[dict[bytes, object]], store: bool) -> None:
    """Accounts with storage, changed and removed over several blocks, stored between them or not."""
    reader = Nodes()
    trie = StateTrie.open(EMPTY_ROOT, reader, NodeCache(2_000))
    state: State = {}
    for block in blocks:
        accounts: dict[bytes, Account | None] = {}
        storage: dict[bytes, dict[int, int]] = {}
        for address, change in block.items():
            if change is None:
                accounts[address] = None
                state.pop(address, None)
                continue
            nonce, balance, writes = change
            before = trie.account(address)
            accounts[address] = Account(nonce, balance, before.storage_root if before else EMPTY_ROOT)
            storage[address] = writes
            words = {**state.get(address, (None, {}))[1], **writes}
            state[address] = (accounts[address], {slot: word for slot, word in words.items() if word})
        before = {address: trie.account(address) for address in accounts}
        words_before = {
            address: {slot: trie.storage(address, slot) for slot in storage[address]} for address in storage
        }
        applied = trie.apply(accounts, storage)
        assert applied.account_values == {
            address: (old and encode_account(old), new and encode_account(new))
            for address, new in applied.accounts.items()
            if (old := before[address]) != new
        }
        changes = {address: words for address, words in applied.slot_values.items() if words}
        assert changes == {
            address: changed
            for address, words in words_before.items()
            if (changed := {slot: (old, new) for slot, new in storage[address].items() if (old := words[slot]) != new})
        }
        assert applied.root == reference_root(state)
        if store:
            reader.store(applied)
        trie = applied.trie
        for address in ADDRESSES:
            account = trie.account(address)
            assert (account is None) == (address not in state)
            assert account == applied.accounts.get(address, account)
            for slot in range(7):
                assert trie.storage(address, slot) == state.get(address, (None, {}))[1].get(slot, 0)
    if store and not state:
        assert reader.stored == {}


def test_an_old_version_stays_usable() -> None:
    """Two blocks that compete build on the same parent; neither sees the other."""
    reader = Nodes()
    base = StateTrie.open(EMPTY_ROOT, reader).apply({a: Account(1) for a in ADDRESSES}, {})
    reader.store(base)
    one = base.trie.apply({ADDRESSES[0]: Account(2)}, {}).trie
    other = base.trie.apply({ADDRESSES[0]: Account(3), ADDRESSES[1]: None}, {}).trie
    assert base.trie.account(ADDRESSES[0]) == Account(1)
    assert one.account(ADDRESSES[0]) == Account(2)
    assert other.account(ADDRESSES[0]) == Account(3)
    assert other.account(ADDRESSES[1]) is None
    assert one.account(ADDRESSES[1]) == Account(1)


def test_a_block_on_an_uncommitted_block_needs_nothing_stored() -> None:
    """Versions pile up in memory until the store says that they are stored, whatever the cache forgets."""
    trie = StateTrie.open(EMPTY_ROOT, NoNodes(), NodeCache(0))
    for nonce in range(20):
        trie = trie.apply({a: Account(nonce) for a in ADDRESSES}, {}).trie
    assert [trie.account(a) for a in ADDRESSES] == [Account(19)] * len(ADDRESSES)


def test_stored_layers_are_let_go() -> None:
    """A trie that grows block by block does not drag along what is stored already."""
    reader = Nodes()
    trie = StateTrie.open(EMPTY_ROOT, reader, NodeCache(0))
    for nonce in range(5):
        applied = trie.apply({a: Account(nonce) for a in ADDRESSES}, {})
        reader.store(applied)
        trie = applied.trie
    assert len(trie.apply({ADDRESSES[0]: Account(9)}, {}).trie._layers) == 1


def test_a_damaged_node_is_noticed() -> None:
    """A flipped bit, and a missing node, are errors that name the node and the remedy."""
    reader = Nodes()
    applied = StateTrie.open(EMPTY_ROOT, reader).apply({a: Account(1) for a in ADDRESSES}, {})
    reader.store(applied)
    for damage in (None, b"\xc0" * 40):
        for key in list(reader.stored):
            kept = reader.stored.pop(key)
            if damage is not None:
                reader.stored[key] = damage
            cold = StateTrie.open(applied.root, reader)
            with pytest.raises(TrieCorruptionError, match="alatau db check") as caught:
                [cold.account(address) for address in ADDRESSES]
            assert caught.value.path_key == key
            reader.stored[key] = kept


def test_a_stale_trie_says_so() -> None:
    """Once another block is stored, a cold trie of its rival cannot answer wrongly."""
    reader = Nodes()
    base = StateTrie.open(EMPTY_ROOT, reader).apply({a: Account(1) for a in ADDRESSES}, {})
    reader.store(base)
    stale = StateTrie.open(base.root, reader)
    reader.store(base.trie.apply({ADDRESSES[0]: Account(7)}, {}))
    with pytest.raises(TrieCorruptionError):
        stale.account(ADDRESSES[0])


def test_storage_needs_its_account() -> None:
    """Writing slots of an account that is not among the changed ones is a programmer's error."""
    with pytest.raises(AssertionError, match="among the changed ones"):
        StateTrie.open(EMPTY_ROOT, NoNodes()).apply({}, {ADDRESSES[0]: {1: 1}})


def test_the_cache_stays_within_its_limit() -> None:
    """Blocks that change accounts all over a trie much larger than the cache leave no more in it than its limit."""
    reader, cache, limit = Nodes(), NodeCache(60_000), 60_000
    pick = random.Random(1)
    people = [pick.randbytes(20) for _ in range(3_000)]
    applied = StateTrie.open(EMPTY_ROOT, reader, cache).apply(dict.fromkeys(people, Account(1)), {})
    reader.store(applied)
    for nonce in range(2, 80):
        block = {person: Account(nonce) for person in pick.sample(people, 10)}
        applied = StateTrie.open(applied.root, reader, cache).apply(block, {})
        reader.store(applied)
        held = sum(len(raw) + 180 for generation in (cache._young, cache._old) for raw in generation.values())
        largest_block = 10 * 5 * 712
        if nonce >= 5:  # the trie as it was made fills the cache beyond its limit first
            assert held <= limit + largest_block
