"""Tracing over TLS."""

import pytest

from alatau.client import RpcError
from alatau.client.exchange import METHODS
from alatau.client.queries import CallMessage
from alatau.evm.tracing import call_tracer
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc import tracing
from tests.support.solo_node import MERCHANT, RESIDENT, STRANGER, TOKEN, SoloNode, payment, running, token_artifacts

# PUSH0 five times, ADDRESS, GAS, CALL: calls itself with all that it may pass on.
CALLS_ITSELF = bytes.fromhex("5f5f5f5f5f305af1")
DEPLOYS_IT = bytes.fromhex("67") + CALLS_ITSELF + bytes.fromhex("5f5260086018f3")


@pytest.mark.trio
async def test_a_transaction_is_traced_where_it_stands(node: SoloNode) -> None:
    """It sees what the transactions before it in its block did, and nothing of those after."""
    async with running(node) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        everything = token.encode("transfer", MERCHANT.address, 1_000_000)
        transactions = [payment(n, to=TOKEN, value=0, data=everything, gas_limit=90_000) for n in range(2)]
        await client.submit_many(transactions)
        node.commit_block()
        node.commit_block()
        paid, refused = [await client.trace(tx.hash) for tx in transactions]
        assert (paid.height, len(paid.calls), paid.calls[0].error) == (1, 1, None)
        assert (paid.calls[0].caller, paid.calls[0].to, paid.calls[0].input) == (RESIDENT.address, TOKEN, everything)
        assert int.from_bytes(paid.calls[0].output, "big") == 1
        assert paid.gas_used == (await client.receipt(transactions[0].hash)).gas_used
        assert (refused.calls[0].error, refused.calls[0].revert_reason) == ("execution reverted", "balance too low")


@pytest.mark.trio
async def test_calls_come_in_order_with_their_depth(node: SoloNode) -> None:
    """Hundreds of nested calls arrive as a list: no reader of protobuf would take so deep a tree."""
    async with running(node) as served, served.connect() as client:
        tx = payment(to=None, value=0, data=DEPLOYS_IT, gas_limit=200_000)
        await client.submit(tx)
        node.commit_block()
        deployed = await client.trace(tx.hash)
        assert (deployed.calls[0].kind, deployed.calls[0].output) == ("CREATE", CALLS_ITSELF)
        address = deployed.calls[0].to
        trace = await client.trace_call(CallMessage(address))
        assert [call.depth for call in trace.calls] == list(range(len(trace.calls)))
        assert len(trace.calls) > 400
        assert trace.calls[-1].error == "out of gas"
        assert trace.calls[1].caller == address


@pytest.mark.trio
async def test_a_trace_says_what_cut_it(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the number of calls, the bytes of the answer, or the data that the tracer keeps."""
    async with running(node) as served, served.connect() as client:
        tx = payment(to=None, value=0, data=DEPLOYS_IT, gas_limit=200_000)
        await client.submit(tx)
        node.commit_block()
        address = (await client.trace(tx.hash)).calls[0].to
        message = transaction_service_pb2.CallMessage(to=address)
        request = transaction_service_pb2.TraceRequest(message=message)

        async def cut() -> tuple[str, bool, int]:
            response = await client._channel.unary(METHODS["Trace"], request)
            name = transaction_service_pb2.TraceBound.Name(response.truncated_by)
            return name.removeprefix("TRACE_BOUND_"), response.truncated, len(response.calls)

        assert (await cut())[:2] == ("NONE", False)
        monkeypatch.setattr(tracing, "_CALLS_MAX", 10)
        assert await cut() == ("CALLS", True, 10)
        monkeypatch.setattr(tracing, "_TRACE_BYTES_MAX", 400)
        bound, truncated, count = await cut()
        assert (bound, truncated) == ("BYTES", True)
        assert 0 < count < 10
        monkeypatch.undo()
        monkeypatch.setattr(call_tracer, "CALLS_MAX", 5)
        bound, truncated, count = await cut()
        assert (bound, truncated) == ("DATA", True)
        assert count < 10


@pytest.mark.trio
async def test_a_call_is_traced_after_any_kept_block(node: SoloNode) -> None:
    """As Call runs it, a revert being part of the answer."""
    async with running(node) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        message = CallMessage(TOKEN, token.encode("transfer", STRANGER.address, 1), MERCHANT.address)
        await client.submit(
            payment(to=TOKEN, value=0, data=token.encode("transfer", MERCHANT.address, 1), gas_limit=90_000)
        )
        node.commit_block()
        assert (await client.trace_call(message)).calls[0].error is None
        assert (await client.trace_call(message, 0)).calls[0].revert_reason == "balance too low"
        with pytest.raises(RpcError, match="INSUFFICIENT_FUNDS"):
            await client.trace_call(CallMessage(TOKEN, b"", STRANGER.address, 1))


@pytest.mark.trio
async def test_what_cannot_be_traced(node: SoloNode) -> None:
    """A transaction that is not final, and a height beside a hash."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError, match="TRANSACTION_NOT_FOUND"):
            await client.trace((await client.submit(payment())).hash)
        request = transaction_service_pb2.TraceRequest(transaction_hash=payment().hash, height=0)
        with pytest.raises(RpcError) as caught:
            await client._channel.unary(METHODS["Trace"], request)
        assert caught.value.field_violations[0].field == "height"
