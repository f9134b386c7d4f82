"""Blocks, transactions and receipts, in every way that they are asked for."""

import pytest

from alatau.evm.calls import create_address
from alatau.jsonrpc.errors import JsonRpcError
from alatau.types.transaction import decode_transaction, recover_sender
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, payment

NOTHING = "0x" + "77" * 32


def _request(method: str, *params: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def _mined(node: SoloNode, *transactions: object) -> None:
    assert await node.submit([tx.encoded for tx in transactions]) == [None] * len(transactions)  # type: ignore[attr-defined]
    node.commit_block()


@pytest.mark.trio
async def test_a_block_is_the_same_however_it_is_named(node: SoloNode) -> None:
    """By number, tag and hash, with transactions and with their hashes; what is not decided is null."""
    await _mined(node, payment())
    node.commit_block()
    async with json_node(node) as asked:
        assert await asked.ask("eth_blockNumber") == "0x2"
        block = await asked.ask("eth_getBlockByNumber", "0x1", False)
        assert block["transactions"] == [f"0x{payment().hash.hex()}"]
        assert await asked.ask("eth_getBlockByHash", block["hash"], False) == block
        full = await asked.ask("eth_getBlockByHash", block["hash"], True)
        assert full["transactions"] == [await asked.ask("eth_getTransactionByHash", block["transactions"][0])]
        latest = await asked.ask("eth_getBlockByNumber", "latest", False)
        for tag in ("safe", "finalized", "pending", "0x2"):
            assert await asked.ask("eth_getBlockByNumber", tag, False) == latest
        assert (await asked.ask("eth_getBlockByNumber", "earliest", False))["number"] == "0x0"
        assert await asked.ask("eth_getBlockByNumber", "0x3", False) is None
        assert await asked.ask("eth_getBlockByHash", NOTHING, True) is None
        assert await asked.ask("eth_getBlockTransactionCountByNumber", "0x1") == "0x1"
        assert await asked.ask("eth_getBlockTransactionCountByHash", block["hash"]) == "0x1"
        assert await asked.ask("eth_getBlockTransactionCountByHash", NOTHING) is None
        assert await asked.ask("eth_getUncleCountByBlockNumber", "0x1") == "0x0"
        assert await asked.ask("eth_getUncleByBlockNumberAndIndex", "0x1", "0x0") is None


@pytest.mark.trio
async def test_a_transaction_is_the_same_however_it_is_named(node: SoloNode) -> None:
    """Waiting it has no place; final it has one; raw it is the bytes that were signed."""
    tx = payment()
    assert await node.submit([tx.encoded]) == [None]
    name = f"0x{tx.hash.hex()}"
    async with json_node(node) as asked:
        waiting = (await asked.post(_request("eth_getTransactionByHash", name)))[1]["result"]  # no schema says "null"
        assert (waiting["blockHash"], waiting["blockNumber"], waiting["transactionIndex"]) == (None, None, None)
        assert await asked.ask("eth_getTransactionReceipt", name) is None
        assert await asked.ask("eth_getRawTransactionByHash", name) == f"0x{tx.encoded.hex()}"
        node.commit_block()
        final = await asked.ask("eth_getTransactionByHash", name)
        assert (final["from"], final["to"]) == (f"0x{RESIDENT.address.hex()}", f"0x{MERCHANT.address.hex()}")
        block = await asked.ask("eth_getBlockByNumber", "0x1", False)
        assert (final["blockHash"], final["blockNumber"], final["transactionIndex"]) == (block["hash"], "0x1", "0x0")
        assert await asked.ask("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x0") == final
        assert await asked.ask("eth_getTransactionByBlockHashAndIndex", block["hash"], "0x0") == final
        for kind in ("eth_getTransactionByBlockNumberAndIndex", "eth_getRawTransactionByBlockNumberAndIndex"):
            assert await asked.ask(kind, "0x1", "0x1") is None
        raw = await asked.ask("eth_getRawTransactionByBlockHashAndIndex", block["hash"], "0x0")
        assert recover_sender(decode_transaction(bytes.fromhex(raw[2:]))) == RESIDENT.address
        assert await asked.ask("eth_getTransactionByHash", NOTHING) is None
        assert await asked.ask("eth_getRawTransactionByHash", NOTHING) is None


@pytest.mark.trio
async def test_receipts_say_what_tools_rely_on(node: SoloNode) -> None:
    """A creation has its contract, a failed one has none; a block's receipts come by number, tag, hash and object."""
    creation = payment(0, to=None, value=0, data=bytes.fromhex("5f5ff3"), gas_limit=100_000)
    failing = payment(1, to=None, value=0, data=bytes.fromhex("5f5ffd"), gas_limit=100_000)
    await _mined(node, creation, failing, payment(2))
    async with json_node(node) as asked:
        receipts = [
            await asked.ask("eth_getTransactionReceipt", f"0x{tx.hash.hex()}") for tx in (creation, failing, payment(2))
        ]
        made = f"0x{create_address(RESIDENT.address, 0).hex()}"
        assert [receipt["contractAddress"] for receipt in receipts] == [made, None, None]
        assert [receipt["status"] for receipt in receipts] == ["0x1", "0x0", "0x1"]
        assert [receipt["to"] is None for receipt in receipts] == [True, True, False]
        for receipt in receipts:
            assert {"effectiveGasPrice", "logsBloom", "type", "cumulativeGasUsed"} < set(receipt)
        block = await asked.ask("eth_getBlockByNumber", "latest", False)
        for name in ("0x1", "latest", block["hash"], {"blockHash": block["hash"]}, {"blockNumber": "0x1"}):
            assert await asked.ask("eth_getBlockReceipts", name) == receipts
        assert await asked.ask("eth_getBlockReceipts", "0x9") is None
        assert await asked.ask("eth_getBlockReceipts", NOTHING) is None
        for wrong in ({}, {"blockHash": block["hash"], "blockNumber": "0x1"}, {"blockHash": "0x1"}, "newest", 1):
            with pytest.raises(JsonRpcError, match="invalid argument 0"):
                await asked.ask("eth_getBlockReceipts", wrong)


@pytest.mark.trio
async def test_blocks_that_are_not_at_hand_come_from_the_store(node: SoloNode) -> None:
    """And say the same as while they were."""
    await _mined(node, payment())
    async with json_node(node) as asked:
        name = f"0x{payment().hash.hex()}"
        before = [
            await asked.ask("eth_getBlockByNumber", "0x1", True),
            await asked.ask("eth_getTransactionReceipt", name),
        ]
        for _ in range(12):
            node.commit_block()
        after = [
            await asked.ask("eth_getBlockByNumber", "0x1", True),
            await asked.ask("eth_getTransactionReceipt", name),
        ]
        assert after == before
