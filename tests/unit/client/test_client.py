"""The SDK against a node that serves: wallets, contracts, failures; asynchronous and synchronous."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest
import trio

from alatau.client import (
    ContractReverted,
    RpcError,
    SyncClient,
    TransactionFailed,
    client_tls,
    connect,
    connect_sync,
    endpoints,
)
from alatau.client.queries import CallMessage
from alatau.transport.bridge import run
from alatau.transport.certificates import issue_identity, new_key
from alatau.transport.errors import Code
from alatau.wire.logs import EventFilter
from tests.support.solo_node import (
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    Running,
    SoloNode,
    node_identity,
    running,
    token_artifacts,
)

T = TypeVar("T")


@pytest.mark.trio
async def test_a_contract_from_deployment_to_events(node: SoloNode) -> None:
    """Deploy, send, read, and read what was emitted, all final."""
    artifacts = token_artifacts()
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)
        token = await client.deploy(wallet, artifacts["abi"], artifacts["bytecode"], RESIDENT.address, 500)
        receipt = await token.send(wallet, "transfer", MERCHANT.address, 20)
        (event,) = token.events(receipt)
        assert (event.name, event.values["receiver"], event.values["amount"]) == ("Transfer", MERCHANT.address, 20)
        assert await token.read("balanceOf", RESIDENT.address) == 480
        assert await token.read("parts", sender=STRANGER.address) == (7, STRANGER.address, "seven")
        noted = await token.send(wallet, "note", "rent", "for March")
        assert token.events(noted)[0].values["text"] == "for March"
        assert [e.log async for e in token.past_events("Note", topic="rent")] == list(noted.logs)


@pytest.mark.trio
async def test_what_would_revert_is_not_sent(node: SoloNode) -> None:
    """The estimate finds out, names the reason, and uses up no nonce."""
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(MERCHANT)
        token = client.contract(token_artifacts()["abi"], TOKEN)
        with pytest.raises(ContractReverted, match="balance too low"):
            await token.send(wallet, "transfer", RESIDENT.address, 1)
        assert (await client.account(MERCHANT.address)).next_nonce == 0


@pytest.mark.trio
async def test_what_fails_in_its_block_is_explained(node: SoloNode) -> None:
    """A transaction sent with a gas limit of its own that reverts raises TransactionFailed, with the reason."""
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(MERCHANT)
        token = client.contract(token_artifacts()["abi"], TOKEN)
        with pytest.raises(TransactionFailed, match="balance too low") as caught:
            await token.send(wallet, "transfer", RESIDENT.address, 1, gas_limit=90_000)
        assert not caught.value.receipt.succeeded
        with pytest.raises(TransactionFailed, match="out of gas"):
            await token.send(wallet, "burn_gas", gas_limit=100_000)
        with pytest.raises(TransactionFailed, match="too late"):
            await token.send(wallet, "fail_later", (await client.status()).height + 1, gas_limit=90_000)


@pytest.mark.trio
async def test_a_wallet_numbers_its_transactions(node: SoloNode) -> None:
    """Many are signed without asking the node; after a refusal the count is asked for anew."""
    async with running(node) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)
        signed = [wallet.sign(to=MERCHANT.address, value=1, gas_limit=21_000) for _ in range(20)]
        assert [tx.nonce for tx in signed] == list(range(20))
        await client.submit_many(signed)
        assert len(node.commit_block().block.transactions) == 20
        wallet.sign(to=MERCHANT.address, gas_limit=21_000)  # signed, never sent: leaves a gap
        with pytest.raises(RpcError, match="INSUFFICIENT_FUNDS"):
            await client.transfer(wallet, MERCHANT.address, 10**30)
        assert (await client.wallet(RESIDENT)).sign(to=None, gas_limit=60_000).nonce == 20


@pytest.mark.trio
async def test_tasks_may_share_a_client_and_a_wallet(node: SoloNode) -> None:
    """Payments from many tasks at once all become final, each with a nonce of its own."""
    receipts = []
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)

        async def pay() -> None:
            receipts.append(await client.transfer(wallet, MERCHANT.address, 1))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(pay)
    assert len({receipt.transaction_hash for receipt in receipts}) == 20


@pytest.mark.trio
async def test_a_node_that_is_not_the_expected_one_is_not_talked_to(node: SoloNode) -> None:
    """TLS fails where the node has another key than the client trusts."""
    other = issue_identity(new_key(), "impostor")
    async with running(node) as served:
        async with connect(served.endpoint, client_tls(node_key=other.public_key)) as client:
            with pytest.raises(RpcError) as caught:
                await client.status()
        assert caught.value.code is Code.UNAVAILABLE


async def in_thread(served: Running, work: Callable[[SyncClient], T]) -> T:
    """Run ``work`` with a synchronous client beside the node."""

    def connected() -> T:
        with connect_sync(served.endpoint, served.tls) as client:
            return work(client)

    return await trio.to_thread.run_sync(connected)


@pytest.mark.trio
async def test_the_synchronous_client_does_the_same(node: SoloNode) -> None:
    """Wallet, contract, listing and subscription, without any event loop."""

    def work(client: SyncClient) -> tuple[int, int, list[int], list[int]]:
        wallet = client.wallet(RESIDENT)
        token = client.contract(token_artifacts()["abi"], TOKEN)
        token.send(wallet, "transfer", MERCHANT.address, 3)
        client.transfer(wallet, MERCHANT.address, 1)
        with client.subscribe_blocks(1) as blocks:
            heights = [next(blocks).height for _ in range(2)]
        events = [event.values["amount"] for event in token.past_events("Transfer")]
        return token.read("balanceOf", MERCHANT.address), client.balance(MERCHANT.address), heights, events

    async with running(node, produce=True) as served:
        assert await in_thread(served, work) == (3, 10**18 + 1, [1, 2], [3])


@pytest.mark.trio
async def test_the_synchronous_client_raises_the_same_errors(node: SoloNode) -> None:
    """Reasons, metadata and violations come through."""

    def work(client: SyncClient) -> None:
        with pytest.raises(RpcError) as caught:
            client.block(100)
        assert caught.value.reason == "HEIGHT_NOT_REACHED"
        assert caught.value.metadata == {"height": "0", "retry_in_ms": "1000"}
        with pytest.raises(RpcError) as caught:
            client.code(b"")
        assert caught.value.field_violations[0].field == "address"
        with client.subscribe_logs(EventFilter((b"",))) as logs, pytest.raises(RpcError, match="INVALID_REQUEST"):
            next(logs)
        token = client.contract(token_artifacts()["abi"], TOKEN)
        with pytest.raises(ContractReverted, match="balance too low"):
            token.read("transfer", MERCHANT.address, 1)

    async with running(node) as served:
        await in_thread(served, work)


def test_the_asynchronous_client_works_inside_a_node(node: SoloNode) -> None:
    """Where Trio is the guest of grpc's loop, as in a node, the same client works."""

    async def main(_shutdown: trio.Event) -> int:
        async with running(node) as served, served.connect() as client:
            outcome = await client.call(
                CallMessage(TOKEN, client.contract(token_artifacts()["abi"], TOKEN).encode("totalSupply"))
            )
            return int.from_bytes(outcome.output, "big")

    assert run(main, handle_signals=False) == 1_000_000


def test_whom_to_trust_must_be_said() -> None:
    """Neither nothing nor two things; a certificate without its key is no identity."""
    with pytest.raises(ValueError, match="whom to trust"):
        client_tls()
    with pytest.raises(ValueError, match="both cert and key"):
        client_tls(node_key=node_identity().public_key, cert=b"pem")


def test_tls_from_files(tmp_path: object) -> None:
    """Certificates are taken as bytes or from files."""
    identity = node_identity()
    (tmp_path / "cert.pem").write_bytes(identity.certificate_pem)
    (tmp_path / "key.pem").write_bytes(identity.key_pem)
    tls = client_tls(ca=tmp_path / "cert.pem", cert=str(tmp_path / "cert.pem"), key=tmp_path / "key.pem")
    assert tls.identity is not None
    assert tls.identity.key_hash == identity.key_hash
    assert tls.roots_pem == identity.certificate_pem
    assert partial(client_tls, ca=identity.certificate_pem)().identity is None


@pytest.mark.trio
async def test_a_call_that_nobody_answers_is_made_again(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that comes back between attempts is not noticed to have been away; one that does not is UNAVAILABLE."""
    async with running(node) as served:
        endpoint, tls = served.endpoint, served.tls
    async with connect(endpoint, tls) as client:
        with pytest.raises(RpcError) as caught:
            await client.status()
        assert caught.value.code is Code.UNAVAILABLE

        monkeypatch.setattr(endpoints, "RETRY_PAUSES_S", (0.2, 0.4, 2.0, 8.0))  # A busy machine starts it in seconds.

        async def come_back() -> None:
            await trio.sleep(0.1)
            async with running(node, port=int(endpoint.rpartition(":")[2])):
                await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(come_back)
            assert (await client.status()).chain_id == 7773
            nursery.cancel_scope.cancel()
