"""Filters that are polled."""

import pytest

from alatau.jsonrpc import filter_methods
from alatau.jsonrpc.errors import JsonRpcError
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import SoloNode, payment
from tests.support.token_transfers import transfers


@pytest.mark.trio
async def test_a_poll_tells_what_is_new_once(node: SoloNode) -> None:
    """Blocks, logs and what waits, each from the moment of its filter on."""
    await transfers(node, 1)
    async with json_node(node) as asked:
        blocks = await asked.ask("eth_newBlockFilter")
        logs = await asked.ask("eth_newFilter", {"fromBlock": "0x0"})
        pending = await asked.ask("eth_newPendingTransactionFilter")
        for name in (blocks, logs, pending):
            assert await asked.ask("eth_getFilterChanges", name) == []
        tx = payment(1)
        assert await node.submit([tx.encoded]) == [None]
        assert await asked.ask("eth_getFilterChanges", pending) == [f"0x{tx.hash.hex()}"]
        node.commit_block()
        await transfers(node, 2)
        found = await asked.ask("eth_getFilterChanges", blocks)
        assert found == [f"0x{node.store.hash_of(height).hex()}" for height in (2, 3, 4)]
        assert [int(log["data"], 16) for log in await asked.ask("eth_getFilterChanges", logs)] == [3, 4]
        for name in (blocks, logs, pending):
            if name != pending:
                assert await asked.ask("eth_getFilterChanges", name) == []
        assert len(await asked.ask("eth_getFilterLogs", logs)) == 3


@pytest.mark.trio
async def test_a_filter_is_gone_when_it_is_uninstalled_or_not_polled(
    node: SoloNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is nobody else's in the meantime."""
    async with json_node(node) as asked:
        name = await asked.ask("eth_newBlockFilter")
        assert await asked.ask("eth_uninstallFilter", name) is True
        assert await asked.ask("eth_uninstallFilter", name) is False
        with pytest.raises(JsonRpcError, match="filter not found"):
            await asked.ask("eth_getFilterChanges", name)
        name = await asked.ask("eth_newBlockFilter")
        with pytest.raises(JsonRpcError, match="filter not found"):
            await asked.ask("eth_getFilterLogs", name)
        monkeypatch.setattr(filter_methods, "EXPIRES_S", 0.0)
        with pytest.raises(JsonRpcError, match="filter not found"):
            await asked.ask("eth_getFilterChanges", name)


@pytest.mark.trio
async def test_one_caller_has_a_share_of_the_filters(node: SoloNode) -> None:
    """Beyond it is an error that says what to do."""
    async with json_node(node) as asked:
        for _ in range(filter_methods.FILTERS_EACH_MAX):
            await asked.ask("eth_newBlockFilter")
        with pytest.raises(JsonRpcError, match="uninstall some") as caught:
            await asked.ask("eth_newBlockFilter")
        assert caught.value.code == -32005
