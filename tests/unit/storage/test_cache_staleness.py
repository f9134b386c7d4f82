"""No cache of the store ever answers with what was: commits, rollbacks and reads in any order, at every size.

Each cache of the store is keyed by something that stands for other values later: an address, a slot, a height. So
a model without caches follows a store whose caches are so small that entries leave them all the time.
"""

import copy
import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alatau.chain.executed import ExecutedBlock
from alatau.storage.store import Store, StoreOptions
from alatau.trie.proof import prove, verify
from alatau.trie.state_trie import NodeCache, NoNodes, StateTrie
from alatau.types.header import EMPTY_ROOT
from alatau_devnet.synthetic_chain import TOKEN, Shape, SyntheticChain

PEOPLE = 6
EMPTY = StateTrie.open(EMPTY_ROOT, NoNodes(), NodeCache(0))
"""What a model holds in place of the trie, which is the store's."""


def fork(chain: SyntheticChain, seed: int) -> SyntheticChain:
    """A copy of a chain that goes on by itself."""
    copied = copy.copy(chain)
    copied._random = random.Random(seed)
    copied.accounts = dict(chain.accounts)
    copied.storage = {address: dict(words) for address, words in chain.storage.items()}
    return copied


class StoreAndModel(RuleBasedStateMachine):
    """A store with tiny caches beside the chains that it should equal, one for each height."""

    @initialize(entries=st.integers(0, 12), size_bytes=st.sampled_from([0, 300, 3_000, 30_000]), seed=st.integers(0, 3))
    def open(self, entries: int, size_bytes: int, seed: int) -> None:
        """Begin with genesis."""
        self.folder = tempfile.TemporaryDirectory()
        options = StoreOptions(
            node_cache_bytes=size_bytes,
            history_blocks=6,
            accounts_cached=entries,
            slots_cached=entries,
            headers_cached=entries,
            blocks_cached_bytes=size_bytes,
            history_cached_bytes=size_bytes // 10,
        )
        self.store = Store.open(Path(self.folder.name), options)
        chain = SyntheticChain(seed, Shape(payments=2, people=PEOPLE))
        executed = chain.genesis()
        chain.trie = EMPTY
        self.store.init_genesis(executed)
        self.chains = [chain]
        self.blocks: list[ExecutedBlock] = [executed]
        self.forks = 0

    @rule(count=st.integers(1, 3))
    def commit(self, count: int) -> None:
        """Commit blocks on the tip. After a rollback they are others than those that were taken back."""
        for _ in range(count):
            self.forks += 1
            chain = fork(self.chains[-1], self.forks)
            # The trie that a block builds on is the store's: its nodes come through the store's cache.
            chain.trie = self.store.trie()
            executed, commit = chain.next()
            chain.trie = EMPTY
            self.store.commit(executed, commit)
            self.chains.append(chain)
            self.blocks.append(executed)

    @rule(count=st.integers(1, 4))
    def roll_back(self, count: int) -> None:
        """Take blocks back as far as the history reaches."""
        to = max(self.store.oldest_state, len(self.blocks) - 1 - count)
        for _ in self.store.rollback(to):
            pass
        del self.chains[to + 1 :], self.blocks[to + 1 :]

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Accounts, words and proofs at a height in reach, in an order that moves entries through the caches."""
        tip = len(self.blocks) - 1
        height = data.draw(st.just(tip) | st.integers(self.store.oldest_state, tip))
        chain, view = self.chains[height], self.store.state(height)
        for person in data.draw(st.lists(st.sampled_from([*chain.people, TOKEN]), min_size=3, max_size=8)):
            assert view.account(person) == chain.accounts.get(person)
            slot = int.from_bytes(person, "big")
            assert view.storage(TOKEN, slot) == chain.storage[TOKEN].get(slot, 0)
        proof = prove(self.store.trie(height), TOKEN, [int.from_bytes(chain.people[0], "big")])
        verify(self.blocks[height].block.header.state_root, proof)

    @invariant()
    def blocks_are_the_model_s(self) -> None:
        """By height and by hash, none of those that were taken back."""
        if not hasattr(self, "store"):
            return
        for height, executed in enumerate(self.blocks):
            assert self.store.header(height) == executed.block.header
            assert self.store.block(height) == executed.block
            assert self.store.hash_of(height) == executed.block.hash
        assert self.store.header(len(self.blocks)) is None
        assert self.store.block(len(self.blocks)) is None

    def teardown(self) -> None:
        """Close and remove."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


StoreAndModel.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestStoreAndModel = StoreAndModel.TestCase
