"""Prices, and their history."""

import pytest

from alatau.jsonrpc.errors import JsonRpcError
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import SoloNode, payment


@pytest.mark.trio
async def test_prices_are_what_a_transaction_has_to_pay(node: SoloNode) -> None:
    """The base fee and no tip."""
    async with json_node(node) as asked:
        assert int(await asked.ask("eth_gasPrice"), 16) == node.config.base_fee_per_gas
        assert await asked.ask("eth_maxPriorityFeePerGas") == "0x0"
        assert await asked.ask("eth_blobBaseFee") == "0x1"


@pytest.mark.trio
async def test_a_history_has_one_base_fee_more_than_blocks(node: SoloNode) -> None:
    """Rewards are quantities, blob fields are there, and counts may be numbers; more than there are gives all."""
    tipping = [payment(number, max_fee_per_gas=9, max_priority_fee_per_gas=number) for number in range(3)]
    assert await node.submit([tx.encoded for tx in tipping]) == [None] * 3
    node.commit_block()
    async with json_node(node) as asked:
        history = await asked.ask("eth_feeHistory", "0x1", "latest", [0, 34, 50, 100])
        assert history["oldestBlock"] == "0x1"
        assert [len(history[name]) for name in ("baseFeePerGas", "baseFeePerBlobGas", "gasUsedRatio", "reward")] == [
            2,
            2,
            1,
            1,
        ]
        assert history["reward"] == [["0x0", "0x1", "0x1", "0x2"]]
        assert history["gasUsedRatio"] == [63_000 / node.config.block_gas_limit]
        everything = await asked.ask("eth_feeHistory", 99, "latest", None)
        assert (everything["oldestBlock"], len(everything["baseFeePerGas"]), "reward" in everything) == (
            "0x0",
            3,
            False,
        )
        for wrong in ([-1], [101], [50, 10], ["x"]):
            with pytest.raises(JsonRpcError, match="percentile"):
                await asked.ask("eth_feeHistory", "0x1", "latest", wrong)
        with pytest.raises(JsonRpcError, match="header not found"):
            await asked.ask("eth_feeHistory", "0x1", "0x99", [])
