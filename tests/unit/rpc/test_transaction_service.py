"""TransactionService over TLS: submitting, following, calling."""

from dataclasses import replace

import pytest
import trio

from alatau.client import ContractReverted, RpcError
from alatau.client.errors import ContractHalted
from alatau.client.exchange import METHODS
from alatau.client.queries import CallMessage
from alatau.client.submitting import Refused, Submitted
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.transport.errors import Code
from alatau.types.transaction import Transaction
from alatau.wire.reasons import reason_name
from alatau.wire.transaction import TransactionState
from tests.support.solo_node import (
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    SoloNode,
    payment,
    running,
    token_artifacts,
)
from tests.support.waiting import eventually

PATIENT = Limits(call_wait_s_max=60.0, call_time_s_max=60.0)
"""A call ends by its gas, however busy the machine is."""


@pytest.mark.trio
async def test_a_submitted_transaction_is_pooled_then_final(node: SoloNode) -> None:
    """Before a block GetTransaction says POOLED, after it FINAL with its position, and its receipt is there."""
    tx = payment()
    async with running(node) as served, served.connect() as client:
        assert await client.submit(tx) == Submitted(tx.hash, TransactionState.POOLED)
        record = await client.transaction(tx.hash)
        assert (record.state, record.position, record.sender) == (TransactionState.POOLED, None, RESIDENT.address)
        node.commit_block()
        record = await client.transaction(tx.hash)
        assert record.transaction == tx
        assert record.position is not None
        assert (record.state, record.position.height, record.position.index) == (TransactionState.FINAL, 1, 0)
        receipt = await client.receipt(tx.hash)
        assert (receipt.succeeded, receipt.gas_used, receipt.sender) == (True, 21_000, RESIDENT.address)
        assert receipt.position == record.position


@pytest.mark.trio
async def test_submitting_again_is_no_error(node: SoloNode) -> None:
    """The same bytes are POOLED while they wait and FINAL once they are decided: a transaction is its hash."""
    tx = payment()
    async with running(node) as served, served.connect() as client:
        await client.submit(tx)
        assert (await client.submit(tx)).state is TransactionState.POOLED
        node.commit_block()
        assert (await client.submit(tx)).state is TransactionState.FINAL
        assert (await client.submit_and_wait(tx)).position.height == 1
        assert node.commit_block().block.transactions == ()


@pytest.mark.trio
async def test_a_batch_has_a_result_for_each_transaction(node: SoloNode) -> None:
    """One bad transaction does not spoil the others; results come in order, refused ones with their reason."""
    good, foreign, next_good = payment(), payment(chain_id=1), payment(1)
    async with running(node) as served, served.connect() as client:
        outcomes = await client.submit_many([good, foreign, b"\x02garbage", next_good])
        assert outcomes[0] == Submitted(good.hash, TransactionState.POOLED)
        assert isinstance(outcomes[1], Refused)
        assert (outcomes[1].hash, outcomes[1].reason) == (foreign.hash, "WRONG_CHAIN")
        assert isinstance(outcomes[2], Refused)
        assert outcomes[2].reason == "TRANSACTION_MALFORMED"
        assert outcomes[3] == Submitted(next_good.hash, TransactionState.POOLED)
        assert len(node.commit_block().block.transactions) == 2


@pytest.mark.trio
async def test_a_submit_stream_answers_batch_by_batch(node: SoloNode) -> None:
    """Batches may be sent without waiting; answers carry their numbers, in order."""
    async with running(node) as served, served.connect() as client, client.submit_stream() as stream:
        for start in range(0, 30, 10):
            await stream.send([payment(nonce) for nonce in range(start, start + 10)])
        stream.finish()
        answers = [(number, len(outcomes)) async for number, outcomes in stream.results()]
        assert answers == [(1, 10), (2, 10), (3, 10)]
        assert len(node.mempool) == 30


@pytest.mark.trio
async def test_a_batch_is_bounded(node: SoloNode) -> None:
    """Too many transactions, or none, are a violation of the field that names it."""
    limits = Limits(batch_transactions_max=2)
    async with running(node, limits=limits) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await client.submit_many([payment(n) for n in range(3)])
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert [v.field for v in caught.value.field_violations] == ["transactions"]
        many = transaction_service_pb2.BatchSubmitTransactionsRequest(transactions=[b""] * 20_000)
        with pytest.raises(RpcError, match="more than 16384 entries") as caught:
            await client._channel.unary(METHODS["BatchSubmitTransactions"], many)
        assert caught.value.reason == "INVALID_REQUEST"
        assert len(node.mempool) == 0


@pytest.mark.trio
async def test_waiting_ends_with_the_block(node: SoloNode) -> None:
    """SubmitAndWait and a waiting GetReceipt return with the block that holds the transaction."""
    tx = payment()
    outcomes = []
    async with running(node) as served, served.connect() as client:

        async def wait() -> None:
            outcomes.append(await client.wait_final(tx.hash))

        async def submit() -> None:
            outcomes.append(await client.submit_and_wait(tx))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            nursery.start_soon(submit)
            await eventually(lambda: len(node.mempool))
            node.commit_block()
        assert [receipt.transaction_hash for receipt in outcomes] == [tx.hash, tx.hash]


@pytest.mark.trio
async def test_a_deadline_ends_the_wait_but_not_the_transaction(node: SoloNode) -> None:
    """NOT_FINAL_IN_TIME comes before gRPC's own deadline, and the transaction stays in the pool."""
    tx = payment()
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await client.submit_and_wait(tx, timeout_s=3.0)
        assert caught.value.reason == "NOT_FINAL_IN_TIME"
        assert caught.value.metadata == {"transaction_hash": f"0x{tx.hash.hex()}", "pooled": "true"}
        assert tx.hash in node.mempool
        assert served.api._feed._waiting == {}


@pytest.mark.trio
async def test_waiting_for_what_is_not_there_says_so(node: SoloNode) -> None:
    """A transaction that this node does not have may still come; when it does not, the client should send it again."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError, match="send it again") as caught:
            await client.wait_final(payment().hash, timeout_s=0.3)
        assert caught.value.metadata["pooled"] == "false"


@pytest.mark.trio
async def test_submit_streams_are_bounded(node: SoloNode) -> None:
    """They share the bound of all streams, and give their place back when they end."""
    async with running(node, limits=Limits(streams_max=1)) as served, served.connect() as client:
        for nonce in range(2):
            async with client.submit_stream() as stream:
                await stream.send([payment(nonce)])
                assert (await anext(stream.results()))[0] == 1
                async with client.submit_stream() as other:
                    await other.send([payment(nonce)])
                    with pytest.raises(RpcError, match="TOO_MANY_CALLS"):
                        await anext(other.results())
            await eventually(lambda: served.server.calls_under_way == 0)


@pytest.mark.trio
async def test_a_bad_batch_does_not_end_the_stream(node: SoloNode) -> None:
    """It is answered with its sequence and the reason, also for each of its transactions; the next one is taken."""
    limits = Limits(batch_transactions_max=2, transactions_per_s=0.001, transactions_burst=4)
    async with (
        running(node, limits=limits) as served,
        served.connect() as client,
        client._channel.stream(METHODS["SubmitTransactions"]) as stream,
    ):
        batches = [(), (payment(0),), (payment(1), b"?", b"?"), (payment(1), b"?"), (payment(2), payment(3))]
        for sequence, batch in enumerate(batches, 7):
            await stream.send(
                transaction_service_pb2.SubmitTransactionsRequest(sequence=sequence, transactions=map(encoded, batch))
            )
        answers = [await anext(stream) for _ in batches]
    assert [answer.sequence for answer in answers] == [7, 8, 9, 10, 11]
    reasons = [reason_name(a.rejection.reason) if a.HasField("rejection") else "" for a in answers]
    assert reasons == ["INVALID_REQUEST", "", "INVALID_REQUEST", "", "RATE_LIMITED"]
    assert [len(answer.results) for answer in answers] == [0, 1, 0, 2, 2]
    limited = answers[4]
    assert limited.rejection.retry_in_ms > 0
    assert [result.hash for result in limited.results] == [keccak256(encoded(tx)) for tx in batches[4]]
    assert {result.rejection.reason for result in limited.results} == {limited.rejection.reason}
    assert len(node.mempool) == 2


@pytest.mark.trio
async def test_the_sdk_raises_for_a_batch_without_outcomes_and_goes_on(node: SoloNode) -> None:
    """An empty list would be taken for success; the batch is named, and the next one is answered."""
    limits = Limits(batch_transactions_max=2)
    async with running(node, limits=limits) as served, served.connect() as client, client.submit_stream() as stream:
        await stream.send([payment(0), payment(1), payment(2)])
        await stream.send([payment(0)])
        results = stream.results()
        with pytest.raises(RpcError, match="INVALID_REQUEST") as caught:
            await anext(results)
        assert caught.value.metadata["sequence"] == "1"
        sequence, outcomes = await anext(results)
    assert (sequence, len(outcomes)) == (2, 1)


@pytest.mark.trio
async def test_a_stream_that_must_end_names_the_batch(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client then knows which batches were answered and which to send again elsewhere."""

    async def stopping(*_: object) -> None:
        raise failure("NODE_STOPPING", "the node is stopping")

    monkeypatch.setattr(node, "submit", stopping)
    async with (
        running(node) as served,
        served.connect() as client,
        client._channel.stream(METHODS["SubmitTransactions"]) as stream,
    ):
        request = transaction_service_pb2.SubmitTransactionsRequest(sequence=41, transactions=[encoded(payment())])
        await stream.send(request)
        with pytest.raises(RpcError, match="NODE_STOPPING") as caught:
            await anext(stream)
    assert caught.value.metadata["sequence"] == "41"


@pytest.mark.trio
@pytest.mark.parametrize("nonsense", [b"\xff\xff", b"\x12\x00" * 20_000])
async def test_a_stream_ended_by_what_is_no_batch_names_the_one_before(node: SoloNode, nonsense: bytes) -> None:
    """Its own number cannot be read: garbage, or more transactions than are ever looked at."""
    async with (
        running(node) as served,
        served.connect() as client,
        client._channel.stream(METHODS["SubmitTransactions"]) as stream,
    ):
        await stream.send(transaction_service_pb2.SubmitTransactionsRequest(sequence=41, transactions=[b"?"]))
        assert (await anext(stream)).sequence == 41
        await stream.send(nonsense)
        with pytest.raises(RpcError) as caught:
            await anext(stream)
    assert (caught.value.code.name, caught.value.metadata["after_sequence"]) == ("INVALID_ARGUMENT", "41")
    assert "sequence" not in caught.value.metadata


def encoded(transaction: Transaction | bytes) -> bytes:
    """The bytes that are sent."""
    return transaction if isinstance(transaction, bytes) else transaction.encoded


@pytest.mark.trio
async def test_a_call_of_nothing_is_refused(node: SoloNode) -> None:
    """A message without account and code, and a trace without a subject, say what is missing."""
    async with running(node) as served, served.connect() as client:
        for ask in (client.call, client.estimate_gas, client.trace_call):
            with pytest.raises(RpcError, match="neither `to`"):
                await ask(CallMessage(to=None))
        with pytest.raises(RpcError, match="subject is missing"):
            await client._channel.unary(METHODS["Trace"], transaction_service_pb2.TraceRequest())


@pytest.mark.trio
async def test_a_failed_transaction_has_a_receipt(node: SoloNode) -> None:
    """A transaction that reverts in its block is final, failed, and without logs."""
    async with running(node) as served, served.connect() as client:
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 2_000_000)
        tx = payment(to=TOKEN, value=0, data=data, gas_limit=100_000)
        await client.submit(tx)
        node.commit_block()
        receipt = await client.receipt(tx.hash)
        assert (receipt.succeeded, receipt.logs) == (False, ())


@pytest.mark.trio
async def test_a_call_reads_and_changes_nothing(node: SoloNode) -> None:
    """Call gives the contract's answer after the tip or an earlier block, and leaves the state alone."""
    async with running(node) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        assert await token.read("balanceOf", RESIDENT.address) == 1_000_000
        root = (await client.status()).state_root
        assert await token.read("transfer", MERCHANT.address, 5, sender=RESIDENT.address) is True
        await client.submit(
            payment(to=TOKEN, value=0, data=token.encode("transfer", MERCHANT.address, 7), gas_limit=90_000)
        )
        node.commit_block()
        assert (await client.status()).state_root != root
        assert await token.read("balanceOf", MERCHANT.address) == 7
        assert await token.read("balanceOf", MERCHANT.address, height=0) == 0


@pytest.mark.trio
async def test_a_revert_is_told_in_words(node: SoloNode) -> None:
    """EXECUTION_REVERTED carries the data, and the reason where the contract gave one."""
    async with running(node) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        data = token.encode("transfer", MERCHANT.address, 1)
        with pytest.raises(RpcError) as caught:
            await client.call(CallMessage(TOKEN, data, STRANGER.address))
        assert caught.value.metadata["revert_reason"] == "balance too low"
        assert bytes.fromhex(caught.value.metadata["revert_data"].removeprefix("0x"))[:4].hex() == "08c379a0"
        with pytest.raises(ContractReverted, match="without a reason"):
            await token.read("divide", 1, 0)


@pytest.mark.trio
async def test_an_estimate_is_the_least_that_suffices(node: SoloNode) -> None:
    """A transaction with the estimated gas succeeds; with one unit less it fails."""
    async with running(node) as served, served.connect() as client:
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 5)
        gas = await client.estimate_gas(CallMessage(TOKEN, data, RESIDENT.address))
        await client.submit(payment(0, to=TOKEN, value=0, data=data, gas_limit=gas))
        node.commit_block()
        await client.submit(payment(1, to=TOKEN, value=0, data=data, gas_limit=gas - 20_000))
        node.commit_block()
        first, second = node.store.receipts(1)[0], node.store.receipts(2)[0]
        assert (first.succeeded, second.succeeded) == (True, False)


@pytest.mark.trio
async def test_a_long_call_does_not_hold_up_the_node(node: SoloNode) -> None:
    """While a call burns all its gas in its thread, other requests are answered."""
    answered = 0
    async with running(node, limits=PATIENT) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)

        async def burn(scope: trio.CancelScope) -> None:
            with pytest.raises(ContractHalted):
                await token.read("burn_gas")
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(burn, nursery.cancel_scope)
            while True:
                await client.block()
                answered += 1
    assert answered >= 2  # The first may have come before the call began, the second did not.


@pytest.mark.trio
async def test_deep_recursion_in_a_call_is_no_danger(node: SoloNode) -> None:
    """A contract that calls itself until depth 1,024 or its gas ends the call, not the node's thread."""
    # PUSH0 x5, ADDRESS, GAS, CALL: the contract calls itself with all that it may pass on.
    runtime = bytes.fromhex("5f5f5f5f5f305af1")
    initcode = bytes.fromhex("67") + runtime + bytes.fromhex("5f5260086018f3")
    async with running(node) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)
        tx = wallet.sign(to=None, data=initcode, gas_limit=200_000)
        await client.submit(tx)
        node.commit_block()
        receipt = await client.receipt(tx.hash)
        assert await client.code(receipt.contract_address) == runtime
        outcome = await client.call(CallMessage(receipt.contract_address))
        assert outcome.gas_used > 21_000 + 400 * 115  # hundreds of calls deep, each about 115 gas
        assert (await client.status()).height == 1


@pytest.mark.trio
async def test_calls_wait_their_turn_up_to_a_bound(node: SoloNode) -> None:
    """One call runs at a time; of too many at once the last are told that the node is busy."""
    reasons = []
    async with running(node, limits=replace(PATIENT, calls_waiting_max=1)) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)

        async def burn() -> None:
            try:
                await token.read("burn_gas")
            except RpcError as error:
                reasons.append(error.reason)
            except ContractHalted:
                reasons.append("halted")

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(burn)
        assert reasons.count("SERVER_BUSY") == 2


@pytest.mark.trio
async def test_a_gap_is_told_when_submitting_and_when_asked(node: SoloNode) -> None:
    """The answer names the nonce that is missing, the account those that wait, a refusal the one to send next."""
    async with running(node) as served, served.connect() as client:
        assert (await client.submit(payment(2))).missing_nonce == 0
        outcomes = await client.submit_many([payment(3)])
        assert isinstance(outcomes[0], Submitted)
        assert outcomes[0].missing_nonce == 0
        view = await client.account(RESIDENT.address)
        assert (view.next_nonce, view.queued_nonces) == (0, (2, 3))
        with pytest.raises(RpcError) as caught:
            await client.submit(payment(500))
        assert (caught.value.reason, caught.value.metadata["next_nonce"]) == ("NONCE_GAP_TOO_LARGE", "0")
        for nonce in (0, 1):
            assert (await client.submit(payment(nonce))).missing_nonce is None
        assert (await client.account(RESIDENT.address)).queued_nonces == ()


@pytest.mark.trio
async def test_what_expired_behind_a_gap_has_a_clear_status(node: SoloNode) -> None:
    """Neither unknown nor pooled: dropped, and why."""
    tx = payment(2)
    async with running(node) as served, served.connect() as client:
        await client.submit(tx)
        node.mempool.update([], {}, 10**15)
        for ask in (client.transaction, client.receipt):
            with pytest.raises(RpcError) as caught:
                await ask(tx.hash)
            assert (caught.value.reason, caught.value.metadata["dropped"]) == ("TRANSACTION_DROPPED", "EXPIRED")


@pytest.mark.trio
@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (transaction_service_pb2.GetTransactionRequest(), "is missing: give it, or `sent`"),
        (transaction_service_pb2.GetTransactionRequest(hash=b"x"), "has 1 bytes, expected 32"),
        (
            transaction_service_pb2.GetTransactionRequest(
                hash=bytes(32), sent=transaction_service_pb2.SenderNonce(sender=bytes(20))
            ),
            "and `sent` exclude each other",
        ),
    ],
)
async def test_a_transaction_is_named_in_one_way(
    node: SoloNode, request_: transaction_service_pb2.GetTransactionRequest, found: str
) -> None:
    """By its hash or by who sent it; the violation says what else may be given."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await client._channel.unary(METHODS["GetTransaction"], request_)
        (violation,) = caught.value.field_violations
        assert (violation.field, violation.description) == ("hash", found)
