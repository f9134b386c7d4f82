"""Every answer of JSON-RPC that ethereum/execution-apis publishes a schema of, held against it."""

from pathlib import Path

import pytest

from alatau.types.transaction import TransactionType
from tests.conformance.published import archive
from tests.support.execution_schemas import ARCHIVE
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, balance_slot, payment, solo_node
from tests.support.token_transfers import SEND, TRANSFER, transfers

RESIDENT_NAME, TOKEN_NAME = f"0x{RESIDENT.address.hex()}", f"0x{TOKEN.hex()}"


@pytest.fixture
def node(tmp_path: Path) -> SoloNode:
    """At genesis."""
    return solo_node(tmp_path)


@pytest.mark.trio
async def test_answers_fit_the_published_schemas(node: SoloNode) -> None:
    """Of blocks with transactions of every type that the network takes, a creation and a failure among them."""
    assert archive("execution_apis") == ARCHIVE
    await transfers(node, 1)
    several = [
        payment(1, type=TransactionType.LEGACY),
        payment(2, type=TransactionType.ACCESS_LIST, access_list=((TOKEN, (0, 1)),), gas_limit=60_000),
        payment(3, to=None, value=0, data=bytes.fromhex("5f5ff3"), gas_limit=100_000),
        payment(4, to=None, value=0, data=bytes.fromhex("5f5ffd"), gas_limit=100_000),
        payment(5, to=TOKEN, value=0, data=SEND + (1).to_bytes(32), gas_limit=100_000),
    ]
    assert await node.submit([tx.encoded for tx in several]) == [None] * len(several)
    node.commit_block()
    call = {"from": RESIDENT_NAME, "to": TOKEN_NAME, "data": f"0x{(SEND + (5).to_bytes(32)).hex()}"}
    async with json_node(node) as asked:
        block = await asked.ask("eth_getBlockByNumber", "0x2", True)
        for tx in block["transactions"]:
            await asked.ask("eth_getTransactionByHash", tx["hash"])
            await asked.ask("eth_getTransactionReceipt", tx["hash"])
            await asked.ask("debug_traceTransaction", tx["hash"])
            await asked.ask("debug_getRawTransaction", tx["hash"])
        for method, *params in (
            ("eth_chainId",), ("eth_syncing",), ("eth_accounts",), ("eth_blockNumber",), ("eth_gasPrice",),
            ("eth_maxPriorityFeePerGas",), ("eth_blobBaseFee",), ("txpool_status",), ("net_version",),
            ("eth_getBlockByHash", block["hash"], False), ("eth_getBlockByNumber", "latest", False),
            ("eth_getBlockByHash", block["hash"], True), ("eth_getBlockReceipts", "latest"),
            ("eth_getBlockTransactionCountByNumber", "0x2"), ("eth_getBlockTransactionCountByHash", block["hash"]),
            ("eth_getUncleCountByBlockHash", block["hash"]), ("eth_getUncleCountByBlockNumber", "0x2"),
            ("eth_getTransactionByBlockHashAndIndex", block["hash"], "0x1"),
            ("eth_getTransactionByBlockNumberAndIndex", "0x2", "0x2"),
            ("eth_getBalance", RESIDENT_NAME, "latest"), ("eth_getTransactionCount", RESIDENT_NAME, "latest"),
            ("eth_getCode", TOKEN_NAME, "latest"), ("eth_getStorageAt", TOKEN_NAME, "0x0", "latest"),
            ("eth_getProof", TOKEN_NAME, [hex(balance_slot(MERCHANT.address))], "latest"),
            ("eth_getProof", "0x" + "99" * 20, ["0x0"], "latest"),
            ("eth_call", call, "latest"), ("eth_estimateGas", call), ("eth_createAccessList", call, "latest"),
            ("eth_feeHistory", "0x2", "latest", [10, 90]), ("eth_getLogs", {"fromBlock": "0x0", "topics": [TRANSFER]}),
            ("debug_getRawBlock", "latest"), ("debug_getRawHeader", "latest"), ("debug_getRawReceipts", "latest"),
            ("debug_traceBlockByNumber", "0x2"), ("debug_traceBlockByHash", block["hash"]),
        ):  # fmt: skip
            await asked.ask(method, *params)
        for method, *params in (("eth_newBlockFilter",), ("eth_newFilter", {}), ("eth_newPendingTransactionFilter",)):
            name = await asked.ask(method, *params)
            await asked.ask("eth_getFilterChanges", name)
            if params:
                await asked.ask("eth_getFilterLogs", name)
            await asked.ask("eth_uninstallFilter", name)
        assert len(asked.checked) > 40
        assert f"0x{payment(6).hash.hex()}" == await asked.ask(
            "eth_sendRawTransaction", f"0x{payment(6).encoded.hex()}"
        )
