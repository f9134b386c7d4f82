"""What clients are told of a decided block."""

from dataclasses import replace
from pathlib import Path

import pytest

from alatau.evm.calls import create_address
from alatau.pb.api.v1 import block_pb2, transaction_pb2
from alatau.rpc.final_block import (
    ANSWER_BYTES_MAX,
    effective_gas_price,
    final_block_of,
    fit_block,
    fit_receipt,
    transaction_receipts,
)
from alatau.rpc.limits import Limits, message_bytes_for
from alatau.types.chain_config import ChainConfig
from alatau.wire.block import BlockView
from alatau.wire.transaction import write_transaction
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, payment, running, token_artifacts
from tests.support.transactions import signed


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
    transactions = [payment(n) for n in range(300)]
    async with running(node) as served, served.connect() as client:
        await client.submit_many(transactions)
        executed = node.commit_block()
        assert len(executed.block.transactions) == 300
        fresh = await client.block(1, BlockView.FULL)
        for _ in range(9):
            node.commit_block()
        assert await client.block(1, BlockView.FULL) == fresh
        assert {receipt.sender for receipt in fresh.receipts} == {RESIDENT.address}


def large_block(data_bytes: int, logs: int) -> block_pb2.Block:
    """A block in full of twelve transactions."""
    message = block_pb2.Block(hash=bytes(32), transaction_count=12)
    for index in range(12):
        message.transactions.add(raw=bytes(data_bytes + 110), data=bytes(data_bytes), hash=bytes(32))
        receipt = message.receipts.add(transaction_hash=bytes(32), sender=bytes(20))
        for log in range(logs):
            receipt.logs.add(
                address=b"\x01" * 20, block_hash=b"\x02" * 32, transaction_hash=b"\x03" * 32, log_index=log
            )
        receipt.cumulative_gas_used = index
    return message


@pytest.mark.parametrize(("data_bytes", "logs"), [(131_072, 0), (130_000, 3_000), (10, 4_000), (280_000, 0)])
def test_a_block_fits_into_what_clients_take(data_bytes: int, logs: int) -> None:
    """What is left out is named where it would be, is in ``raw`` or can be listed, and no more goes than must."""
    message = large_block(data_bytes, logs)
    before = block_pb2.Block.FromString(message.SerializeToString())
    fit_block(message)
    assert message.ByteSize() <= ANSWER_BYTES_MAX
    if before.ByteSize() <= ANSWER_BYTES_MAX:
        assert message == before
        return
    assert [tx.raw for tx in message.transactions] == [tx.raw for tx in before.transactions]
    assert all(tx.data_omitted is not bool(tx.data) for tx in message.transactions)
    if logs:
        assert all(receipt.logs_omitted is not bool(receipt.logs) for receipt in message.receipts)
    if any(receipt.logs_omitted for receipt in message.receipts):
        assert all(tx.data_omitted for tx in message.transactions)


@pytest.mark.parametrize("payments", [0, 400, 1_800])
@pytest.mark.parametrize("factor", [1, 3])
def test_any_block_fits_into_the_networks_messages(payments: int, factor: int) -> None:
    """The cheapest bytes, call data of zeros, alone and beside payments that leave it room; also with more gas."""
    default = ChainConfig(7773, "test")
    config = replace(default, block_gas_limit=default.block_gas_limit * factor)
    assert message_bytes_for(default) == Limits().message_bytes_max
    small = write_transaction(signed(RESIDENT, to=TOKEN), RESIDENT.address)
    room = config.block_size_bytes_max - (payments + 1) * len(small.raw)
    data = bytes(min((config.block_gas_limit - (payments + 1) * 21_000) // 10, room))
    large = write_transaction(signed(RESIDENT, to=TOKEN, data=data, gas_limit=config.block_gas_limit), RESIDENT.address)
    message = block_pb2.Block(hash=bytes(32), transactions=[small] * payments + [large])
    for index in range(payments + 1):
        message.receipts.add(
            transaction_hash=bytes(32),
            position=transaction_pb2.TransactionPosition(height=1 << 30, block_hash=bytes(32), index=index),
            gas_used=21_000,
            cumulative_gas_used=(index + 1) * 21_000,
            sender=bytes(20),
            to=bytes(20),
            timestamp_s=1 << 31,
        )
    message.transaction_hashes.extend([b"\1" * 32] * (payments + 1))
    fit_block(message)
    assert len(message.transactions[-1].raw) > len(data)
    assert message.ByteSize() <= message_bytes_for(config)
    commit_and_header = 100 * 1_000 + 1_000
    assert len(data) + payments * len(small.raw) + commit_and_header <= message_bytes_for(config)


def test_a_receipt_fits_too() -> None:
    """One with more logs than a message holds comes without them, and says so."""
    large = large_block(0, 40_000).receipts[0]
    small = large_block(0, 10).receipts[0]
    assert len(fit_receipt(small).logs) == 10
    assert not fit_receipt(small).logs_omitted
    assert fit_receipt(large).logs_omitted
    assert large.ByteSize() < 1_000
