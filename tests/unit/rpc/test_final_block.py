"""What clients are told of a decided block."""

from pathlib import Path

import pytest

from alatau.evm.calls import create_address
from alatau.rpc.final_block import effective_gas_price, final_block_of, transaction_receipts
from alatau.wire.block import BlockView
from tests.unit.rpc.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, running, token_artifacts
from tests.unit.rpc.test_transaction_service import payment


def test_the_price_paid_is_capped_and_never_below_the_base_fee() -> None:
    """EIP-1559: base fee plus tip, at most the cap."""
    tx = payment(max_fee_per_gas=100, max_priority_fee_per_gas=10)
    assert [effective_gas_price(tx, base_fee) for base_fee in (0, 50, 95)] == [10, 60, 100]


@pytest.mark.trio
async def test_only_a_creation_that_succeeded_has_a_contract(node: SoloNode) -> None:
    """A failed one made none, whichever way a client asks; nor did a payment. A contract that is named is there."""
    bytecode = token_artifacts()["bytecode"] + bytes(64)
    reverting = bytes.fromhex("5f5ffd")  # PUSH0 PUSH0 REVERT
    async with running(node) as served, served.connect() as client:
        transactions = [
            payment(0, to=None, value=0, data=bytecode, gas_limit=10**6),
            payment(1, to=None, value=0, data=reverting, gas_limit=10**6),
            payment(2, to=None, value=0, data=bytecode, gas_limit=100_000),  # enough to begin, too little for its code
            payment(3),
        ]
        await client.submit_many(transactions)
        node.commit_block()
        receipts = [await client.receipt(tx.hash) for tx in transactions]
        assert [r.succeeded for r in receipts] == [True, False, False, True]
        made = receipts[0].contract_address
        assert made == create_address(RESIDENT.address, 0)
        assert await client.code(made) != b""
        assert [r.contract_address for r in receipts[1:]] == [None, None, None]
        assert list((await client.block(1, BlockView.FULL)).receipts) == receipts
        for _ in range(9):  # now from the store
            node.commit_block()
        assert [await client.receipt(tx.hash) for tx in transactions] == receipts
        assert list((await client.block(1, BlockView.FULL)).receipts) == receipts


@pytest.mark.trio
async def test_receipts_count_gas_and_logs_through_the_block(node: SoloNode) -> None:
    """Gas used is each transaction's own, log indexes go on from one transaction to the next."""
    async with running(node) as served, served.connect() as client:
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 1)
        await client.submit_many(
            [payment(n, to=TOKEN, value=0, data=data, gas_limit=90_000) for n in range(2)]
            + [
                payment(2),
                payment(3, to=None, value=0, data=token_artifacts()["bytecode"] + bytes(64), gas_limit=10**6),
            ]
        )
        executed = node.commit_block()
        receipts = list(transaction_receipts(final_block_of(executed)))
        assert [log.log_index for receipt in receipts for log in receipt.logs] == [0, 1]
        assert sum(receipt.gas_used for receipt in receipts) == executed.block.header.gas_used
        assert receipts[3].contract_address == create_address(RESIDENT.address, 3)
        assert receipts[2].contract_address is None
        full = await client.block(1, BlockView.FULL)
        assert list(full.receipts) == receipts
        assert [await client.receipt(tx.hash) for tx in executed.block.transactions] == receipts


@pytest.mark.trio
async def test_a_block_with_many_transactions(node: SoloNode, tmp_path: Path) -> None:
    """A full view of a large block from the store is the same as from memory, and comes within its deadline."""
    transactions = [payment(n) for n in range(500)]
    async with running(node) as served, served.connect() as client:
        await client.submit_many(transactions)
        executed = node.commit_block()
        assert len(executed.block.transactions) == 500
        fresh = await client.block(1, BlockView.FULL)
        for _ in range(9):
            node.commit_block()
        assert await client.block(1, BlockView.FULL) == fresh
        assert {receipt.sender for receipt in fresh.receipts} == {RESIDENT.address}
