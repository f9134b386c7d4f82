"""alatau_*: commits, validators, the state of consensus, permissions."""

import pytest

from alatau.jsonrpc.errors import JsonRpcError
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import RESIDENT, VALIDATOR, SoloNode


@pytest.mark.trio
async def test_who_decided_a_block_and_who_decides_the_next(node: SoloNode) -> None:
    """Genesis was signed by nobody."""
    node.commit_block()
    async with json_node(node) as asked:
        assert await asked.ask("alatau_getCommit", "0x0") is None
        commit = await asked.ask("alatau_getCommit", "latest")
        assert (commit["height"], commit["blockHash"]) == ("0x1", f"0x{node.store.tip_hash.hex()}")
        assert [one["validator"] for one in commit["signatures"]] == [f"0x{VALIDATOR.address.hex()}"]
        validators = await asked.ask("alatau_getValidators")
        assert (validators["height"], len(validators["validators"])) == ("0x2", 1)
        header = await asked.ask("eth_getBlockByNumber", "latest", False)
        assert validators["setHash"] == header["extraData"]
        with pytest.raises(JsonRpcError, match="header not found"):
            await asked.ask("alatau_getCommit", "0x9")


@pytest.mark.trio
async def test_why_it_stands_still_and_who_may_send(node: SoloNode) -> None:
    """In words; without a registry everybody may."""
    async with json_node(node) as asked:
        state = await asked.ask("alatau_getConsensusState")
        assert state["height"] == "0x1"
        assert state["explanations"]
        permission = await asked.ask("alatau_getPermission", f"0x{RESIDENT.address.hex()}")
        assert permission == {"registry": None, "mayTransact": True, "mayDeploy": True}
