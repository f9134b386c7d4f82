"""Balances, nonces, code, slots and proofs."""

import pytest

from alatau.jsonrpc.errors import JsonRpcError
from alatau.trie.proof import AccountProof, SlotProof, verify
from alatau.types.account import Account
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, balance_slot, payment

RESIDENT_NAME, MERCHANT_NAME, TOKEN_NAME = (
    f"0x{address.hex()}" for address in (RESIDENT.address, MERCHANT.address, TOKEN)
)


@pytest.mark.trio
async def test_state_is_read_after_any_block(node: SoloNode) -> None:
    """By number, tag and EIP-1898's object; a height that is not there is "header not found"."""
    before = node.store.state().account(MERCHANT.address)
    held = 0 if before is None else before.balance
    assert await node.submit([payment().encoded]) == [None]
    node.commit_block()
    async with json_node(node) as asked:
        assert await asked.ask("eth_getBalance", MERCHANT_NAME, "latest") == hex(held + 1)
        assert await asked.ask("eth_getBalance", MERCHANT_NAME, "0x0") == hex(held)
        block = await asked.ask("eth_getBlockByNumber", "0x0", False)
        assert await asked.ask("eth_getBalance", MERCHANT_NAME, {"blockHash": block["hash"]}) == hex(held)
        assert await asked.ask("eth_getTransactionCount", RESIDENT_NAME, "latest") == "0x1"
        assert await node.submit([payment(1).encoded]) == [None]
        assert await asked.ask("eth_getTransactionCount", RESIDENT_NAME, "latest") == "0x1"
        assert await asked.ask("eth_getTransactionCount", RESIDENT_NAME, "pending") == "0x2"
        code_hash = node.store.state().account(TOKEN).code_hash
        assert await asked.ask("eth_getCode", TOKEN_NAME) == f"0x{node.store.state().code(code_hash).hex()}"
        assert await asked.ask("eth_getCode", RESIDENT_NAME) == "0x"
        slot = balance_slot(RESIDENT.address)
        word = f"0x{node.store.state().storage(TOKEN, slot):064x}"
        assert await asked.ask("eth_getStorageAt", TOKEN_NAME, hex(slot), "latest") == word
        for method, rest in (("eth_getBalance", ()), ("eth_getStorageAt", ("0x0",)), ("eth_getProof", ([],))):
            with pytest.raises(JsonRpcError, match="header not found") as caught:
                await asked.ask(method, RESIDENT_NAME, *rest, "0x99")
            assert caught.value.code == -32000


@pytest.mark.trio
async def test_a_proof_holds_under_the_state_root(node: SoloNode) -> None:
    """Checked with the verifier that light clients use; slots are named as they were asked for."""
    slot = balance_slot(RESIDENT.address)
    async with json_node(node) as asked:
        word = f"0x{slot:064x}"
        proof = await asked.ask("eth_getProof", TOKEN_NAME, [word, "0x5"], "latest")
        assert [entry["key"] for entry in proof["storageProof"]] == [word, "0x5"]

        def nodes(texts: list[str]) -> tuple[bytes, ...]:
            return tuple(bytes.fromhex(text[2:]) for text in texts)

        account = Account(
            int(proof["nonce"], 16),
            int(proof["balance"], 16),
            bytes.fromhex(proof["storageHash"][2:]),
            bytes.fromhex(proof["codeHash"][2:]),
        )
        slots = tuple(
            SlotProof(int(entry["key"], 16), int(entry["value"], 16), nodes(entry["proof"]))
            for entry in proof["storageProof"]
        )
        root = bytes.fromhex((await asked.ask("eth_getBlockByNumber", "latest", False))["stateRoot"][2:])
        verify(root, AccountProof(TOKEN, account, nodes(proof["accountProof"]), slots))
        with pytest.raises(JsonRpcError, match="at most 64"):
            await asked.ask("eth_getProof", TOKEN_NAME, ["0x0"] * 65, "latest")
