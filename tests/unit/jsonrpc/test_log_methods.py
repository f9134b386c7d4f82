"""eth_getLogs: every form of a filter, and an error whose range works."""

import pytest

from alatau.jsonrpc import log_methods
from alatau.jsonrpc.errors import JsonRpcError
from tests.support.jsonrpc_rig import JsonNode, json_node
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode
from tests.support.token_transfers import TRANSFER, transfers

RESIDENT_TOPIC, MERCHANT_TOPIC = (f"0x{bytes(12).hex()}{one.address.hex()}" for one in (RESIDENT, MERCHANT))
TOKEN_NAME = f"0x{TOKEN.hex()}"


@pytest.mark.trio
async def test_filters_say_which_logs(node: SoloNode) -> None:
    """By address or addresses, by topics with null, one or several; by range or by the block's hash."""
    await transfers(node, 3)
    async with json_node(node) as asked:
        everything = await asked.ask("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"})
        assert [int(log["data"], 16) for log in everything] == [1, 2, 3]
        assert [log["topics"] for log in everything] == [[TRANSFER, RESIDENT_TOPIC, MERCHANT_TOPIC]] * 3
        first = everything[0]
        assert (first["blockNumber"], first["logIndex"], first["removed"]) == ("0x1", "0x0", False)
        whole = {"fromBlock": "0x0", "toBlock": "0x3"}
        for same in (
            {"address": TOKEN_NAME},
            {"address": [TOKEN_NAME, "0x" + "11" * 20]},
            {"topics": []},
            {"topics": [TRANSFER]},
            {"topics": [None, RESIDENT_TOPIC]},
            {"topics": [[TRANSFER, "0x" + "22" * 32], None, [MERCHANT_TOPIC]]},
            {"topics": [[], [None, RESIDENT_TOPIC]]},
            {"topics": None, "address": None},
        ):
            assert await asked.ask("eth_getLogs", whole | same) == everything, same
        for none in (
            {"address": "0x" + "11" * 20},
            {"topics": [MERCHANT_TOPIC]},
            {"topics": [None, None, None, TRANSFER]},
        ):
            assert await asked.ask("eth_getLogs", whole | none) == []
        assert await asked.ask("eth_getLogs", {"blockHash": everything[1]["blockHash"]}) == everything[1:2]
        assert await asked.ask("eth_getLogs", {}) == everything[2:]
        receipt = await asked.ask("eth_getTransactionReceipt", everything[0]["transactionHash"])
        assert receipt["logs"] == everything[:1]


@pytest.mark.trio
@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"fromBlock": "0x2", "toBlock": "0x1"}, -32602),
        ({"blockHash": "0x" + "77" * 32}, -32000),
        ({"blockHash": "0x" + "77" * 32, "fromBlock": "0x1"}, -32602),
        ({"topics": [TRANSFER] * 5}, -32602),
        ({"topics": ["0x12"]}, -32602),
        ({"address": ["0x" + "11" * 20] * 65}, -32602),
        ({"address": 5}, -32602),
        ([], -32602),
    ],
)
async def test_what_is_no_filter_is_refused(node: SoloNode, wanted: object, code: int) -> None:
    """With the code that says whose fault it is."""
    async with json_node(node) as asked:
        with pytest.raises(JsonRpcError) as caught:
            await asked.ask("eth_getLogs", wanted)
        assert caught.value.code == code


@pytest.mark.trio
async def test_too_many_name_a_smaller_range_that_works(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Followed until the end, the ranges give every log once; a block alone is always answered."""
    monkeypatch.setattr(log_methods, "LOGS_MAX", 5)
    await transfers(node, 2, each=3)
    await transfers(node, 1, each=8)
    await transfers(node, 2, each=2)
    async with json_node(node) as asked:
        found, first, errors = [], 0, 0
        while first <= 5:
            last, error = 5, await _refusal(asked, first, 5)
            while error is not None:
                errors += 1
                assert (error.code, int(error.data["from"], 16)) == (-32005, first)
                assert first <= int(error.data["to"], 16) < last
                assert error.data["to"] in error.message
                last = int(error.data["to"], 16)
                error = await _refusal(asked, first, last)
            found += await asked.ask("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)})
            first = last + 1
        assert errors > 1
        assert [int(log["data"], 16) for log in found] == list(range(1, 19))


async def _refusal(asked: JsonNode, first: int, last: int) -> JsonRpcError | None:
    try:
        await asked.ask("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)})
    except JsonRpcError as error:
        return error
    return None
