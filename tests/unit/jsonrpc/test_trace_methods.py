"""debug_trace* and debug_getRaw*: the tracers, with their options, of transactions, blocks and calls."""

import pytest
from eth_abi.abi import encode

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.evm.calls import create_address
from alatau.jsonrpc import trace_methods
from alatau.jsonrpc.errors import JsonRpcError
from alatau.trie.ordered import ordered_root
from alatau.types.receipt import decode_receipt
from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, balance_slot, payment
from tests.support.token_transfers import SEND, transfers

TOKEN_NAME, RESIDENT_NAME, MERCHANT_NAME = (f"0x{one.hex()}" for one in (TOKEN, RESIDENT.address, MERCHANT.address))
ZERO = "0x" + "00" * 32


@pytest.mark.trio
async def test_the_call_tracer_shows_calls_and_logs(node: SoloNode) -> None:
    """Gas is the transaction's; logs only where they are asked for, inner calls unless only the top is."""
    await transfers(node, 1)
    inner = bytes.fromhex("5f5f5f5f5f73") + TOKEN + bytes.fromhex("61c350f1500000")  # CALLs the token, and stops
    creation = payment(
        1,
        to=None,
        value=0,
        data=b"\x60"
        + bytes([len(inner)])
        + bytes.fromhex("80600a5f395ff3")[:0]
        + bytes.fromhex(f"600a5f3960{len(inner):02x}5ff3")
        + inner,
        gas_limit=200_000,
    )
    assert await node.submit([creation.encoded]) == [None]
    node.commit_block()
    made = create_address(RESIDENT.address, 1)
    assert await node.submit([payment(2, to=made, value=0, gas_limit=200_000).encoded]) == [None]
    node.commit_block()
    async with json_node(node) as asked:
        block = await asked.ask("eth_getBlockByNumber", "0x1", False)
        name = block["transactions"][0]
        receipt = await asked.ask("eth_getTransactionReceipt", name)
        plain = await asked.ask("debug_traceTransaction", name, {"tracer": "callTracer"})
        assert (plain["type"], plain["from"], plain["to"]) == ("CALL", RESIDENT_NAME, TOKEN_NAME)
        assert (plain["gas"], plain["gasUsed"], plain["value"]) == (hex(100_000), receipt["gasUsed"], "0x0")
        assert "logs" not in plain
        logged = await asked.ask(
            "debug_traceTransaction", name, {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
        )
        assert [log["data"] for log in logged["logs"]] == [receipt["logs"][0]["data"]]
        nested = (await asked.ask("eth_getBlockByNumber", "0x3", False))["transactions"][0]
        deep = await asked.ask("debug_traceTransaction", nested, {"tracer": "callTracer"})
        assert [call["to"] for call in deep["calls"]] == [TOKEN_NAME]
        top = await asked.ask(
            "debug_traceTransaction", nested, {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        )
        assert "calls" not in top
        assert await asked.ask("debug_traceTransaction", nested, {"tracer": "noopTracer"}) == {}


@pytest.mark.trio
async def test_the_other_tracers(node: SoloNode) -> None:
    """Accounts before, what changed, selectors, and the instructions with what was left out or put in."""
    before = node.store.state().storage(TOKEN, balance_slot(RESIDENT.address))
    await transfers(node, 1)
    async with json_node(node) as asked:
        name = (await asked.ask("eth_getBlockByNumber", "0x1", False))["transactions"][0]
        slot = f"0x{balance_slot(RESIDENT.address):064x}"
        prestate = await asked.ask("debug_traceTransaction", name, {"tracer": "prestateTracer"})
        assert prestate[TOKEN_NAME]["storage"][slot] == f"0x{before:064x}"
        assert "nonce" not in prestate[RESIDENT_NAME]
        diff = await asked.ask(
            "debug_traceTransaction", name, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
        )
        assert diff["post"][TOKEN_NAME]["storage"][slot] == f"0x{before - 1:064x}"
        assert diff["post"][RESIDENT_NAME]["nonce"] == 1
        assert await asked.ask("debug_traceTransaction", name, {"tracer": "4byteTracer"}) == {"0xa9059cbb-64": 1}
        steps = await asked.ask("debug_traceTransaction", name, {"enableMemory": True, "enableReturnData": True})
        receipt = await asked.ask("eth_getTransactionReceipt", name)
        assert (steps["failed"], steps["gas"]) == (False, int(receipt["gasUsed"], 16))
        assert int(steps["returnValue"], 16) == 1
        assert {"SLOAD", "SSTORE", "LOG3"} < {step["op"] for step in steps["structLogs"]}
        bare = await asked.ask(
            "debug_traceTransaction", name, {"disableStack": True, "disableStorage": True, "limit": 3}
        )
        assert [sorted(step) for step in bare["structLogs"]] == [["depth", "gas", "gasCost", "op", "pc"]] * 3


@pytest.mark.trio
async def test_a_block_is_traced_whole(node: SoloNode) -> None:
    """By number and by hash: each as it is traced by itself; genesis cannot be."""
    await transfers(node, 1, each=3)
    async with json_node(node) as asked:
        block = await asked.ask("eth_getBlockByNumber", "0x1", False)
        options = {"tracer": "callTracer"}
        found = await asked.ask("debug_traceBlockByNumber", "0x1", options)
        assert found == await asked.ask("debug_traceBlockByHash", block["hash"], options)
        alone = [await asked.ask("debug_traceTransaction", name, options) for name in block["transactions"]]
        assert found == [
            {"txHash": name, "result": one} for name, one in zip(block["transactions"], alone, strict=True)
        ]
        with pytest.raises(JsonRpcError, match="genesis is not traceable"):
            await asked.ask("debug_traceBlockByNumber", "0x0")


@pytest.mark.trio
async def test_a_call_is_traced_with_its_overrides(node: SoloNode) -> None:
    """Reverts are a trace, not an error; the state may be another."""
    call = {"from": RESIDENT_NAME, "to": TOKEN_NAME, "data": f"0x{(SEND + (5).to_bytes(32)).hex()}"}
    slot = f"0x{balance_slot(RESIDENT.address):064x}"
    async with json_node(node) as asked:
        options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
        traced = await asked.ask("debug_traceCall", call, "latest", options)
        assert len(traced["logs"]) == 1
        poor = options | {"stateOverrides": {TOKEN_NAME: {"stateDiff": {slot: ZERO}}}}
        assert "error" in await asked.ask("debug_traceCall", call, "latest", poor)
        diff = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
        changed = await asked.ask("debug_traceCall", call, "latest", diff)
        assert set(changed["post"][TOKEN_NAME]["storage"]) >= {slot}
        reason = "08c379a0" + encode(["string"], ["no"]).hex()
        code = f"0x60{len(reason) // 2:02x}600a5f3960{len(reason) // 2:02x}5ffd{reason}"
        failing = options | {"stateOverrides": {MERCHANT_NAME: {"code": code}}}
        told = await asked.ask("debug_traceCall", {"to": MERCHANT_NAME}, "latest", failing)
        assert (told["error"], told["revertReason"], told["output"]) == ("execution reverted", "no", f"0x{reason}")
        assert (await asked.ask("debug_traceCall", call, "latest"))["structLogs"]


@pytest.mark.trio
async def test_what_is_not_there_or_too_long_is_an_error(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words that web3.py looks for; the hash of zeros with the code by which tools find a tracer."""
    await transfers(node, 1)
    async with json_node(node) as asked:
        for name, code in (("0x" + "77" * 32, -32000), (ZERO, -32602)):
            with pytest.raises(JsonRpcError) as caught:
                await asked.ask("debug_traceTransaction", name)
            assert (caught.value.code, caught.value.message) == (code, "transaction not found")
        known = (await asked.ask("eth_getBlockByNumber", "0x1", False))["transactions"][0]
        for wrong in (
            {"tracer": "jsTracer"},
            {"limit": -1},
            {"enableMemory": 1},
            {"tracer": "callTracer", "tracerConfig": 5},
        ):
            with pytest.raises(JsonRpcError) as caught:
                await asked.ask("debug_traceTransaction", known, wrong)
            assert caught.value.code == -32602
        monkeypatch.setattr(trace_methods, "STEPS_MAX", 10)
        with pytest.raises(JsonRpcError, match="more than 10 instructions") as caught:
            await asked.ask("debug_traceTransaction", known)
        assert caught.value.code == -32005


@pytest.mark.trio
async def test_raw_forms_hash_to_what_the_block_says(node: SoloNode) -> None:
    """Header, transactions and receipts; the block as Ethereum encodes it."""
    await transfers(node, 1, each=2)
    async with json_node(node) as asked:
        block = await asked.ask("eth_getBlockByNumber", "0x1", False)

        async def raw(method: str, name: str) -> bytes:
            return bytes.fromhex((await asked.ask(method, name))[2:])

        header = await raw("debug_getRawHeader", "0x1")
        assert f"0x{keccak256(header).hex()}" == block["hash"]
        whole = await raw("debug_getRawBlock", block["hash"])
        items = rlp.decode(whole)
        assert isinstance(items, list)
        assert len(items) == 4
        assert [f"0x{keccak256(item).hex()}" for item in items[1]] == block["transactions"]
        receipts = [bytes.fromhex(text[2:]) for text in await asked.ask("debug_getRawReceipts", "latest")]
        assert f"0x{ordered_root(receipts).hex()}" == block["receiptsRoot"]
        assert all(decode_receipt(receipt).succeeded for receipt in receipts)
        encoded = await raw("debug_getRawTransaction", block["transactions"][0])
        assert f"0x{keccak256(encoded).hex()}" == block["transactions"][0]
        assert await asked.ask("debug_getRawTransaction", "0x" + "77" * 32) == "0x"
        assert payment(0, to=TOKEN, value=0, data=SEND + (1).to_bytes(32), gas_limit=100_000).encoded == encoded
