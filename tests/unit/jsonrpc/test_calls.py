"""Calls, estimates and access lists, with the state and the block that they are told."""

import pytest
from eth_abi.abi import encode

from alatau.jsonrpc.errors import JsonRpcError
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, balance_slot

TOKEN_NAME, RESIDENT_NAME = f"0x{TOKEN.hex()}", f"0x{RESIDENT.address.hex()}"
BALANCE_OF = "0x70a08231" + encode(["address"], [RESIDENT_NAME]).hex()
CODE_AT = "0x" + "c0de" * 10
# NUMBER, TIMESTAMP, BASEFEE, COINBASE, PREVRANDAO, GASLIMIT as six words.
TELLS = "0x435f5242602052486040524160605244608052456 0a05260c05ff3".replace(" ", "")


@pytest.mark.trio
async def test_a_view_is_called_and_overridden(node: SoloNode) -> None:
    """`data` and `input` are one; a slot, a balance or the code may be another for the call, and only for it."""
    async with json_node(node) as asked:
        held = node.store.state().storage(TOKEN, balance_slot(RESIDENT.address))
        call = {"to": TOKEN_NAME, "data": BALANCE_OF}
        assert int(await asked.ask("eth_call", call, "latest"), 16) == held
        assert int(await asked.ask("eth_call", {"to": TOKEN_NAME, "input": BALANCE_OF}), 16) == held
        slot = f"0x{balance_slot(RESIDENT.address):064x}"
        changed = {TOKEN_NAME: {"stateDiff": {slot: "0x" + "0" * 62 + "2a"}}}
        assert int(await asked.ask("eth_call", call, "latest", changed), 16) == 42
        assert int(await asked.ask("eth_call", call, "latest", {TOKEN_NAME: {"state": {}}}), 16) == 0
        coded = {CODE_AT: {"code": "0x475f5260205ff3", "balance": "0x7b"}}  # SELFBALANCE
        assert int(await asked.ask("eth_call", {"to": CODE_AT}, "latest", coded), 16) == 0x7B
        assert await asked.ask("eth_call", {"to": CODE_AT}, "latest") == "0x"
        for wrong in ({TOKEN_NAME: {"state": {}, "stateDiff": {}}}, {"0x1": {}}, {TOKEN_NAME: {"balance": 5}}):
            with pytest.raises(JsonRpcError, match="invalid argument 2"):
                await asked.ask("eth_call", call, "latest", wrong)


@pytest.mark.trio
async def test_a_call_sees_the_block_that_it_names(node: SoloNode) -> None:
    """The tip at latest, what comes next at pending, and what overrides say."""
    node.commit_block()
    async with json_node(node) as asked:

        async def seen(*rest: object) -> list[int]:
            output = bytes.fromhex((await asked.ask("eth_call", {"data": TELLS}, *rest))[2:])
            return [int.from_bytes(output[at : at + 32], "big") for at in range(0, 192, 32)]

        tip = node.store.tip
        assert tip is not None
        assert (await seen("latest"))[:2] == [tip.number, tip.timestamp]
        assert (await seen("pending"))[0] == (await seen())[0] == tip.number + 1
        others = {"number": "0x99", "time": "0x77", "baseFeePerGas": "0x5", "feeRecipient": CODE_AT, "gasLimit": "0x3"}
        randao = "0x" + "11" * 32
        told = await seen("latest", None, others | {"prevRandao": randao})
        assert told == [0x99, 0x77, 5, int(CODE_AT, 16), int(randao, 16), 3]


@pytest.mark.trio
async def test_a_revert_is_code_3_with_its_data(node: SoloNode) -> None:
    """Also where that is nothing; a reason is in the message; what halts says why."""
    reason = "08c379a0" + encode(["string"], ["no such position"]).hex()
    codes = {
        "empty": ("0x5f5ffd", "0x", "execution reverted"),
        "words": (
            f"0x60{len(reason) // 2:02x}600a5f3960{len(reason) // 2:02x}5ffd{reason}",
            "0x" + reason,
            "execution reverted: no such position",
        ),
    }
    async with json_node(node) as asked:
        for code, data, message in codes.values():
            for method in ("eth_call", "eth_estimateGas"):
                with pytest.raises(JsonRpcError) as caught:
                    await asked.ask(method, {"to": CODE_AT}, "latest", {CODE_AT: {"code": code}})
                assert (caught.value.code, caught.value.message, caught.value.data) == (3, message, data)
        for code, message in (("0xfe", "invalid"), ("0x5b5f56", "out of gas"), ("0x01", "stack underflow")):
            with pytest.raises(JsonRpcError) as caught:
                await asked.ask("eth_call", {"to": CODE_AT, "gas": "0x10000"}, "latest", {CODE_AT: {"code": code}})
            assert caught.value.code == -32000
            assert message in caught.value.message.lower()


@pytest.mark.trio
async def test_an_estimate_is_exact(node: SoloNode) -> None:
    """It suffices, and one less does not; from an account without anything at a price of 0."""
    call = {"from": "0x" + "99" * 20, "to": TOKEN_NAME, "data": BALANCE_OF, "gasPrice": "0x0"}
    async with json_node(node) as asked:
        gas = int(await asked.ask("eth_estimateGas", call), 16)
        await asked.ask("eth_call", call | {"gas": hex(gas)}, "pending")
        with pytest.raises(JsonRpcError):
            await asked.ask("eth_call", call | {"gas": hex(gas - 1)}, "pending")
        plain = {"from": RESIDENT_NAME, "to": f"0x{MERCHANT.address.hex()}", "value": "0x1"}
        assert await asked.ask("eth_estimateGas", plain) == hex(21_000)
        with pytest.raises(JsonRpcError, match="insufficient funds for gas"):
            await asked.ask("eth_estimateGas", plain | {"from": "0x" + "99" * 20})
        with pytest.raises(JsonRpcError, match="gas required exceeds allowance"):
            await asked.ask(
                "eth_estimateGas", {"to": CODE_AT, "gas": "0x6000"}, "latest", {CODE_AT: {"code": "0x5b5f56"}}
            )


@pytest.mark.trio
async def test_an_access_list_names_what_is_read(node: SoloNode) -> None:
    """The contract with its slots; sender and plain recipient are warm anyway."""
    async with json_node(node) as asked:
        found = await asked.ask("eth_createAccessList", {"from": RESIDENT_NAME, "to": TOKEN_NAME, "data": BALANCE_OF})
        slot = f"0x{balance_slot(RESIDENT.address):064x}"
        assert found["accessList"] == [{"address": TOKEN_NAME, "storageKeys": [slot]}]
        listed = {"from": RESIDENT_NAME, "to": TOKEN_NAME, "data": BALANCE_OF, "accessList": found["accessList"]}
        assert await asked.ask("eth_estimateGas", listed) == found["gasUsed"]
        reverting = await asked.ask("eth_createAccessList", {"data": "0x5f5ffd"})
        assert reverting["error"] == "execution reverted"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({}, "without any data"),
        ({"to": CODE_AT, "data": "0x01", "input": "0x02"}, "not equal"),
        ({"to": CODE_AT, "chainId": "0x1"}, "chainId does not match"),
        ({"to": CODE_AT, "gasPrice": "0x1", "maxFeePerGas": "0x1"}, "both gasPrice"),
        ({"to": CODE_AT, "gas": 21_000}, "invalid argument 0: gas"),
        ({"to": "0x12"}, "invalid argument 0: to"),
        ({"to": CODE_AT, "accessList": [{}]}, "no address"),
        ({"to": CODE_AT, "blobVersionedHashes": ["0x01"]}, "no blob"),
        ({"to": CODE_AT, "data": "0x" + "00" * 131_073}, "at most"),
        ({"to": CODE_AT, "gas": "0x5"}, "intrinsic gas too low"),
        (5, "expected an object"),
    ],
)
async def test_what_is_no_call_says_why(node: SoloNode, call: object, words: str) -> None:
    """Before anything runs."""
    async with json_node(node) as asked:
        with pytest.raises(JsonRpcError, match=words):
            await asked.ask("eth_call", call, "latest")
