"""The state that another thread reads while the node commits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from alatau.storage.errors import HistoryPrunedError
from alatau.trie.proof import prove, verify
from alatau.trie.state_trie import StateTrie
from tests.support.solo_node import (
    ETHER,
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    SoloNode,
    balance_slot,
    payment,
    solo_node,
)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[SoloNode]:
    """A network at genesis."""
    made = solo_node(tmp_path)
    yield made
    made.store.close()


@pytest.mark.trio
async def test_it_stays_what_it_was(node: SoloNode) -> None:
    """A snapshot opened before a commit reads the same after it, at the tip and before."""
    await node.submit([payment(0).encoded])
    node.commit_block()
    with node.store.frozen_state(1) as tip, node.store.frozen_state(0) as genesis:
        await node.submit([payment(1, value=5).encoded])
        node.commit_block()
        assert tip.account(MERCHANT.address).balance == ETHER + 1
        assert genesis.account(MERCHANT.address).balance == ETHER
        assert tip.storage(TOKEN, balance_slot(RESIDENT.address)) == 1_000_000
        assert tip.account(STRANGER.address) is None
        code_hash = tip.account(TOKEN).code_hash
        assert tip.code(code_hash) == node.store.state().code(code_hash)
        with pytest.raises(KeyError):
            tip.code(b"\x01" * 32)
    assert node.store.state().account(MERCHANT.address).balance == ETHER + 6


@pytest.mark.trio
async def test_it_reads_nodes_of_its_trie(node: SoloNode) -> None:
    """A trie opened on it proves accounts under the root of its block, whatever was committed since."""
    for nonce in range(3):
        await node.submit([payment(nonce).encoded])
        node.commit_block()
    for height in range(3):
        root = node.store.header(height).state_root
        with node.store.frozen_state(height) as state:
            proof = prove(StateTrie.open(root, state), MERCHANT.address, [])
        verify(root, proof)
        assert proof.account.balance == ETHER + height


@pytest.mark.trio
async def test_readers_in_a_thread_do_not_disturb_the_cache_of_execution(node: SoloNode) -> None:
    """However reads and commits interleave, the state of the tip is what its root says."""
    stop = False

    def read_on() -> int:
        count = 0
        while not stop:
            with node.store.frozen_state(node.store.tip.number) as state:
                balance = state.account(MERCHANT.address).balance
                assert balance == ETHER + state.height
                count += 1
        return count

    counts = []

    async def reader() -> None:
        counts.append(await trio.to_thread.run_sync(read_on))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        for nonce in range(40):
            await node.submit([payment(nonce).encoded])
            node.commit_block()
            await trio.sleep(0.001)
            assert node.store.state().account(MERCHANT.address) == node.store.trie().account(MERCHANT.address)
        stop = True
    assert counts[0] > 40


def test_heights_out_of_reach_are_refused(node: SoloNode) -> None:
    """As by the store's own views."""
    with pytest.raises(HistoryPrunedError), node.store.frozen_state(1):
        pass
