"""Transactions by account: sent, received, by nonce, in pages, and where there is no index."""

from pathlib import Path

import pytest

from alatau.client import RpcError
from alatau.rpc.limits import Limits
from alatau.storage.store import Store, StoreOptions
from alatau.types.transaction import Transaction
from tests.support.solo_node import MERCHANT, RESIDENT, STRANGER, TOKEN, SoloNode, payment, running, solo_node
from tests.support.transactions import signed

INDEXED = StoreOptions(account_index=True)


def from_merchant(nonce: int) -> Transaction:
    """The merchant pays the resident."""
    return signed(MERCHANT, nonce=nonce, gas_limit=30_000, to=RESIDENT.address, value=2)


async def commit(node: SoloNode, *transactions: Transaction) -> None:
    """A block of these."""
    assert await node.submit([tx.encoded for tx in transactions]) == [None] * len(transactions)
    assert len(node.commit_block().block.transactions) == len(transactions)


@pytest.mark.trio
async def test_an_account_lists_what_it_sent_and_was_paid(tmp_path: Path) -> None:
    """Oldest first, over blocks; calls without value are their sender's alone, and nothing of others is there."""
    node = solo_node(tmp_path, store_options=INDEXED)
    call = payment(1, to=TOKEN, value=0, gas_limit=90_000)
    await commit(node, payment(0))
    await commit(node, call, from_merchant(0))
    async with running(node) as served, served.connect() as client:
        sent = await client.transactions_of(RESIDENT.address)
        assert {entry.transaction.hash for entry in sent.transactions} == {
            payment(0).hash,
            call.hash,
            from_merchant(0).hash,
        }
        places = [(entry.position.height, entry.position.index) for entry in sent.transactions if entry.position]
        assert places == [(1, 0), (2, 0), (2, 1)]
        assert (sent.indexed_from_height, sent.next_page_token) == (0, "")
        paid = await client.transactions_of(MERCHANT.address, 1, 1)
        assert [(entry.transaction.hash, entry.sender) for entry in paid.transactions] == [
            (payment(0).hash, RESIDENT.address)
        ]
        assert (await client.transactions_of(TOKEN)).transactions == ()
        assert (await client.transactions_of(STRANGER.address)).transactions == ()
        with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED"):
            await client.transactions_of(RESIDENT.address, 0, 3)
    node.store.close()


@pytest.mark.trio
async def test_pages_follow_one_another_and_end_before_a_message_does(tmp_path: Path) -> None:
    """Where a page has no room for more, the next goes on with the transaction that did not fit."""
    node = solo_node(tmp_path, store_options=INDEXED)
    for nonce in range(0, 6, 2):
        await commit(node, payment(nonce), payment(nonce + 1))
    async with running(node, limits=Limits(page_bytes_max=700)) as served, served.connect() as client:
        found, token, pages = [], "", 0
        while token or not pages:
            page = await client.transactions_of(MERCHANT.address, page_token=token)
            found += [entry.transaction.nonce for entry in page.transactions]
            token, pages = page.next_page_token, pages + 1
        assert found == list(range(6))
        assert 1 < pages < 6
        with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
            await client.transactions_of(RESIDENT.address, page_token="AAAA")
    node.store.close()


@pytest.mark.trio
async def test_a_transaction_is_found_by_sender_and_nonce(tmp_path: Path) -> None:
    """Final ones; another nonce is not found."""
    node = solo_node(tmp_path, store_options=INDEXED)
    await commit(node, payment(0), payment(1))
    async with running(node) as served, served.connect() as client:
        record = await client.sent_transaction(RESIDENT.address, 1)
        assert record == await client.transaction(payment(1).hash)
        with pytest.raises(RpcError, match="TRANSACTION_NOT_FOUND"):
            await client.sent_transaction(RESIDENT.address, 2)
    node.store.close()


@pytest.mark.trio
async def test_an_index_says_since_when_it_is_whole(tmp_path: Path) -> None:
    """Set on later it begins there; set off, it is gone with the next block; what is taken back leaves nothing."""
    node = solo_node(tmp_path)
    await commit(node, payment(0))
    assert node.store.indexed_from is None
    for indexes, nonce, since in ((True, 1, 2), (True, 2, 2), (False, 3, None), (True, 4, 5)):
        node.store.close()
        node.store = Store.open(tmp_path / "store", StoreOptions(account_index=indexes))
        await commit(node, payment(nonce))
        assert node.store.indexed_from == since
    assert node.store.find_sent(RESIDENT.address, 0) is None
    assert node.store.find_sent(RESIDENT.address, 4) is not None
    for _ in node.store.rollback(4):
        pass
    assert node.store.indexed_from is None
    assert node.store.find_sent(RESIDENT.address, 4) is None
    node.store.close()
