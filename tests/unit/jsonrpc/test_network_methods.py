"""What tools ask first."""

import pytest

from alatau.crypto.keccak import keccak256
from alatau.jsonrpc.errors import JsonRpcError
from alatau.rpc.node import SyncState
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import VALIDATOR, SoloNode


@pytest.mark.trio
async def test_the_network_and_the_node(node: SoloNode) -> None:
    """Chain id in both forms, no accounts, the validator as coinbase."""
    async with json_node(node) as asked:
        assert await asked.ask("eth_chainId") == "0x1e5d"
        assert await asked.ask("net_version") == "7773"
        assert await asked.ask("net_listening") is True
        assert await asked.ask("net_peerCount") == "0x0"
        assert await asked.ask("eth_accounts") == []
        assert (await asked.ask("web3_clientVersion")).startswith("Alatau/v")
        assert await asked.ask("web3_sha3", "0x68656c6c6f") == "0x" + keccak256(b"hello").hex()
        assert await asked.ask("eth_mining") is False
        assert await asked.ask("eth_hashrate") == "0x0"
        validator = node.status().validator_address
        if validator is None:
            with pytest.raises(JsonRpcError, match="observer"):
                await asked.ask("eth_coinbase")
        else:
            assert await asked.ask("eth_coinbase") == f"0x{VALIDATOR.address.hex()}"


@pytest.mark.trio
async def test_syncing_is_false_or_says_how_far(node: SoloNode) -> None:
    """As tools decide by."""
    async with json_node(node) as asked:
        assert await asked.ask("eth_syncing") is False
        node.sync_state = SyncState.SYNCING
        assert set(await asked.ask("eth_syncing")) == {"startingBlock", "currentBlock", "highestBlock"}
