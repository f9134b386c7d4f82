"""Every reason of the error catalogue comes out of a running node, with the code that the catalogue says."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from alatau.client import Client, RpcError, connect
from alatau.client.abi import load_abi
from alatau.client.exchange import METHODS
from alatau.client.queries import CallMessage
from alatau.crypto.secp256k1 import PrivateKey
from alatau.mempool.limits import MempoolLimits
from alatau.pb.api.v1 import block_service_pb2, error_reason_pb2, event_service_pb2, transaction_service_pb2
from alatau.rpc.access import Role, RoleMap
from alatau.rpc.limits import Limits
from alatau.storage.store import StoreOptions
from alatau.transport.certificates import authority_certificate, issue_identity, new_key
from alatau.transport.credentials import TrustStore, dial_node
from alatau.transport.errors import whole_ms
from alatau.transport.limits import Limits as ListenerLimits
from alatau.types.transaction import TransactionType
from alatau.wire.reasons import CATALOGUE, Fault
from tests.support.solo_node import (
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    Running,
    SoloNode,
    node_identity,
    running,
    solo_node,
    token_artifacts,
)
from tests.support.transactions import signed

ROOT = Path(__file__).parents[3]
CLIENT_IDENTITY = issue_identity(new_key(), "client")

Provoke = Callable[[Path], Awaitable[RpcError]]
PROVOKED: dict[str, Provoke] = {}


def provokes(reason: str) -> Callable[[Callable[[Running, Client], Awaitable[object]]], None]:
    """Register how to get ``reason`` out of a node at genesis that nobody limits."""

    def register(ask: Callable[[Running, Client], Awaitable[object]]) -> None:
        async def provoke(folder: Path) -> RpcError:
            return await failing(solo_node(folder), ask)

        PROVOKED[reason] = provoke

    return register


async def failing(node: SoloNode, ask: Callable[[Running, Client], Awaitable[object]], **options: object) -> RpcError:
    """The error that ``ask`` ends with on ``node``."""
    try:
        async with running(node, **options) as served, served.connect() as client:
            with pytest.raises(RpcError) as caught:
                await ask(served, client)
            return caught.value
    finally:
        node.store.close()


class Garbage:
    """Passes for a message until a node reads it."""

    @staticmethod
    def SerializeToString() -> bytes:  # noqa: N802  protobuf's name
        """Bytes that no message has."""
        return b"\xff\xff\xff"


def payment(key: PrivateKey = RESIDENT, **changes: object) -> bytes:
    """A signed transfer of 1 wei, or what ``changes`` make of it."""
    return signed(key, **{"gas_limit": 30_000, "to": MERCHANT.address} | changes).encoded


@provokes("INVALID_REQUEST")
async def _(_: Running, client: Client) -> object:
    return await client.account(b"\x01" * 19)


@provokes("INVALID_PAGE_TOKEN")
async def _(_: Running, client: Client) -> object:
    request = block_service_pb2.ListBlocksRequest(page_token="AAAA")
    return await client._channel.unary(METHODS["ListBlocks"], request)


@provokes("INVALID_CURSOR")
async def _(_: Running, client: Client) -> object:
    request = event_service_pb2.SubscribeLogsRequest(cursor="AAAA")
    async with client._channel.stream(METHODS["SubscribeLogs"], request) as stream:
        return await anext(stream)


@provokes("MALFORMED_MESSAGE")
async def _(_: Running, client: Client) -> object:
    return await client._channel.unary(METHODS["GetBlock"], Garbage())


@provokes("TRANSACTION_MALFORMED")
async def _(_: Running, client: Client) -> object:
    return await client.submit(b"\xc0")


@provokes("SIGNATURE_INVALID")
async def _(_: Running, client: Client) -> object:
    raw = bytearray(payment())
    raw[-65:-33] = b"\xff" * 32  # r above the order
    return await client.submit(bytes(raw))


@provokes("WRONG_CHAIN")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(chain_id=1))


@provokes("TRANSACTION_TOO_LARGE")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(data=bytes(200_000)))


@provokes("TRANSACTION_TYPE_UNSUPPORTED")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(type=TransactionType.BLOB, blob_versioned_hashes=(b"\x01" * 32,)))


@provokes("GAS_LIMIT_TOO_HIGH")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(gas_limit=16_777_217))


@provokes("INTRINSIC_GAS_TOO_LOW")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(gas_limit=20_999))


@provokes("UNDERPRICED")
async def _(_: Running, client: Client) -> object:
    await client.submit(payment(max_fee_per_gas=100, max_priority_fee_per_gas=100))
    return await client.submit(payment(max_fee_per_gas=101, max_priority_fee_per_gas=101))


@provokes("NONCE_TOO_LOW")
async def _(served: Running, client: Client) -> object:
    await client.submit(payment())
    served.node.commit_block()
    return await client.submit(payment(value=2))


@provokes("NONCE_GAP_TOO_LARGE")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(nonce=1_000))


@provokes("INSUFFICIENT_FUNDS")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(STRANGER))


@provokes("SENDER_NOT_EXTERNALLY_OWNED")
async def _(served: Running, client: Client) -> object:
    # No key of a contract's address is known, so the store is told that the resident's account has the token's code.
    view = served.node.store.state()
    account, code_hash = view.account(RESIDENT.address), view.account(TOKEN).code_hash
    served.node.store._flat.update({RESIDENT.address: replace(account, code_hash=code_hash)}, {})
    return await client.submit(payment())


@provokes("TRANSACTION_INVALID")
async def _(_: Running, client: Client) -> object:
    return await client.submit(payment(max_priority_fee_per_gas=1))  # above the fee cap


@provokes("TRANSACTION_DROPPED")
async def _(served: Running, client: Client) -> object:
    sent = await client.submit(payment(nonce=5))
    served.node.mempool.update([], {}, 10**15)
    return await client.transaction(sent.hash)


@provokes("TRANSACTION_NOT_FOUND")
async def _(_: Running, client: Client) -> object:
    return await client.receipt(b"\x01" * 32)


@provokes("TRANSACTION_NOT_FINAL")
async def _(_: Running, client: Client) -> object:
    return await client.receipt((await client.submit(payment())).hash)


@provokes("BLOCK_NOT_FOUND")
async def _(_: Running, client: Client) -> object:
    return await client.block(b"\x01" * 32)


@provokes("HEIGHT_NOT_REACHED")
async def _(_: Running, client: Client) -> object:
    return await client.block(7)


@provokes("EXECUTION_REVERTED")
async def _(_: Running, client: Client) -> object:
    token = client.contract(token_artifacts()["abi"], TOKEN)
    return await client.call(CallMessage(TOKEN, token.encode("transfer", MERCHANT.address, 1), STRANGER.address))


@provokes("EXECUTION_HALTED")
async def _(_: Running, client: Client) -> object:
    return await client.call(CallMessage(None, b"\xfe"))


@provokes("CALL_GAS_TOO_HIGH")
async def _(_: Running, client: Client) -> object:
    return await client.call(CallMessage(TOKEN, gas_limit=1 << 30))


@provokes("NODE_STOPPING")
async def _(served: Running, client: Client) -> object:
    served.api.stop_taking()
    return await client.status()


@provokes("INTERNAL")
async def _(served: Running, client: Client) -> object:
    served.node.known_peers.append("no peer")
    return await client.peers()


async def _with_role_reader(folder: Path) -> RpcError:
    roles = RoleMap(public=frozenset({Role.READER}))
    return await failing(solo_node(folder), lambda _, client: client.submit(payment()), roles=roles)


async def _not_permitted(folder: Path) -> RpcError:
    node = solo_node(folder, registry=b"\x11" * 20)
    return await failing(node, lambda _, client: client.submit(payment()))


async def _full_pool(folder: Path) -> RpcError:
    node = solo_node(folder, limits=MempoolLimits(per_sender_max=1))

    async def ask(_: Running, client: Client) -> object:
        await client.submit(payment())
        return await client.submit(payment(nonce=1))

    return await failing(node, ask)


async def _pruned(folder: Path) -> RpcError:
    node = solo_node(folder, store_options=StoreOptions(history_blocks=1))
    node.commit_block()
    node.commit_block()
    return await failing(node, lambda _, client: client.account(RESIDENT.address, 0))


async def _no_index(folder: Path) -> RpcError:
    return await failing(solo_node(folder), lambda _, client: client.transactions_of(RESIDENT.address))


async def _too_slow(folder: Path) -> RpcError:
    token = client_contract_call("burn_gas")
    return await failing(solo_node(folder), lambda _, c: c.call(token), limits=Limits(call_time_s_max=0.0))


async def _not_final(folder: Path) -> RpcError:
    limits = Limits(wait_s_max=0.1)  # not by the caller's deadline, before which a busy machine may not have begun
    return await failing(solo_node(folder), lambda _, c: c.submit_and_wait(payment(), timeout_s=15.0), limits=limits)


async def _rate_limited(folder: Path) -> RpcError:
    async def ask(_: Running, client: Client) -> object:
        outcomes = await client.submit_many([payment()] * 4)
        assert len(outcomes) == 4
        return await client.submit(payment())

    limits = Limits(transactions_per_s=0.001, transactions_burst=4)
    return await failing(solo_node(folder), ask, limits=limits)


async def _busy(folder: Path) -> RpcError:
    async def ask(_: Running, client: Client) -> object:
        return await client.wait_final(bytes(32))

    return await failing(solo_node(folder), ask, limits=Limits(waiting_transactions_max=0))


async def _too_many_calls(folder: Path) -> RpcError:
    async def ask(_: Running, client: Client) -> object:
        async with client.subscribe_blocks(0) as blocks:
            await anext(blocks)
            return await client.status()

    listener_limits = ListenerLimits(concurrent_calls_per_peer_max=1)
    return await failing(solo_node(folder), ask, listener_limits=listener_limits)


async def _cut_off(folder: Path) -> RpcError:
    node = solo_node(folder)
    node.why_cut_off = "Finance keeps this node out."
    error = await failing(node, lambda _, client: client.submit(payment()))
    assert not len(node.mempool)
    return error


async def _syncing(folder: Path) -> RpcError:
    node = solo_node(folder, genesis_committed=False)
    return await failing(node, lambda _, client: client.status())


async def _not_trusted(folder: Path) -> RpcError:
    trust = TrustStore(authorities_pem=authority_certificate(CLIENT_IDENTITY.key_pem))
    trust.revoke([CLIENT_IDENTITY.key_hash])
    node = solo_node(folder)
    try:
        async with running(node, trust=trust) as served:
            tls = dial_node(node_identity().public_key, CLIENT_IDENTITY)
            async with connect(served.endpoint, tls) as client:
                with pytest.raises(RpcError) as caught:
                    await client.status()
                return caught.value
    finally:
        node.store.close()


def client_contract_call(name: str) -> CallMessage:
    """A call of one of the token's functions without arguments."""
    return CallMessage(TOKEN, load_abi(token_artifacts()["abi"]).encode_call(name, ()))


async def _queue_full(folder: Path) -> RpcError:
    node = solo_node(folder)
    node.queue_full = True
    error = await failing(node, lambda _, client: client.submit(payment()))
    assert error.retry_after_s == 1.5
    assert len(node.callers) == 1, "its turn is that of the caller"
    return error


PROVOKED |= {
    "SUBMISSION_QUEUE_FULL": _queue_full,
    "ROLE_REQUIRED": _with_role_reader,
    "SENDER_NOT_PERMITTED": _not_permitted,
    "POOL_FULL": _full_pool,
    "STATE_PRUNED": _pruned,
    "ACCOUNT_INDEX_OFF": _no_index,
    "CALL_TOO_SLOW": _too_slow,
    "NOT_FINAL_IN_TIME": _not_final,
    "RATE_LIMITED": _rate_limited,
    "SERVER_BUSY": _busy,
    "TOO_MANY_CALLS": _too_many_calls,
    "NODE_CUT_OFF": _cut_off,
    "NODE_SYNCING": _syncing,
    "KEY_NOT_TRUSTED": _not_trusted,
}


@pytest.mark.trio
@pytest.mark.parametrize("reason", sorted(CATALOGUE))
async def test_each_reason_comes_out_of_a_node(reason: str, tmp_path: Path) -> None:
    """A node gives each reason of the catalogue for what the catalogue says it means, with its code."""
    with trio.fail_after(20):
        error = await PROVOKED[reason](tmp_path)
    assert (error.reason, error.code.name) == (reason, CATALOGUE[reason].code)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("WRONG_CHAIN", {"chain_id": "7773"}),
        ("GAS_LIMIT_TOO_HIGH", {"gas_limit_max": "16777216"}),
        ("INTRINSIC_GAS_TOO_LOW", {"gas_needed": "21000"}),
        ("UNDERPRICED", {"max_fee_per_gas_needed": "110", "max_priority_fee_per_gas_needed": "110"}),
        ("NONCE_TOO_LOW", {"next_nonce": "1", "sender": f"0x{RESIDENT.address.hex()}"}),
        ("NONCE_GAP_TOO_LARGE", {"next_nonce": "0", "gap_max": "64"}),
        ("INSUFFICIENT_FUNDS", {"balance": "0", "needed": "1", "sender": f"0x{STRANGER.address.hex()}"}),
        ("SUBMISSION_QUEUE_FULL", {"retry_in_ms": "1500"}),
    ],
)
async def test_programs_find_the_values_in_metadata(reason: str, expected: dict[str, str], tmp_path: Path) -> None:
    """What the message says in words is there under the key that docs/errors.md names, bytes as 0x hex."""
    with trio.fail_after(20):
        error = await PROVOKED[reason](tmp_path)
    assert {key: error.metadata.get(key) for key in expected} == expected
    documented = (ROOT / "docs" / "errors.md").read_text()
    assert all(f"`{key}`" in documented for key in error.metadata)


@pytest.mark.trio
@pytest.mark.parametrize(
    "reason",
    [
        "POOL_FULL", "SUBMISSION_QUEUE_FULL", "TRANSACTION_NOT_FINAL", "HEIGHT_NOT_REACHED", "RATE_LIMITED",
        "SERVER_BUSY", "TOO_MANY_CALLS", "NODE_SYNCING",
    ],
)  # fmt: skip
async def test_what_passes_with_time_says_when_to_come_back(reason: str, tmp_path: Path) -> None:
    """In RetryInfo, and for those who read metadata only in ``retry_in_ms``."""
    with trio.fail_after(20):
        error = await PROVOKED[reason](tmp_path)
    assert error.retry_after_s
    assert error.metadata["retry_in_ms"] == str(whole_ms(error.retry_after_s))


@pytest.mark.trio
async def test_a_height_far_above_the_tip_is_not_to_be_waited_for(tmp_path: Path) -> None:
    """It may be another network's."""
    error = await failing(solo_node(tmp_path), lambda _, client: client.block(10**9))
    assert (error.reason, error.retry_after_s) == ("HEIGHT_NOT_REACHED", None)


@pytest.mark.trio
async def test_a_stranger_is_named_and_sent_to_the_digest(tmp_path: Path) -> None:
    """Any signature recovers some address: whoever signed another digest finds out here."""
    error = await PROVOKED["SENDER_NOT_PERMITTED"](tmp_path)
    assert error.metadata["sender"] == f"0x{RESIDENT.address.hex()}"
    assert "chain id, 7773" in error.message


@pytest.mark.trio
@pytest.mark.parametrize(("reason", "field"), [("INVALID_PAGE_TOKEN", "page_token"), ("INVALID_CURSOR", "cursor")])
async def test_a_bad_token_is_a_violation_of_its_field(reason: str, field: str, tmp_path: Path) -> None:
    """BadRequest names it, as every other field that is wrong."""
    error = await PROVOKED[reason](tmp_path)
    assert [violation.field for violation in error.field_violations] == [field]


@pytest.mark.trio
async def test_a_batch_has_the_same_values(tmp_path: Path) -> None:
    """What a unary call says in metadata stands in the rejection of a batch."""
    node = solo_node(tmp_path)
    try:
        async with running(node) as served, served.connect() as client:
            request = transaction_service_pb2.BatchSubmitTransactionsRequest(transactions=[payment(), payment(value=2)])
            response = await client._channel.unary(METHODS["BatchSubmitTransactions"], request)
    finally:
        node.store.close()
    rejection = response.results[1].rejection
    assert 0 < int(rejection.retry_in_ms) <= 10_000
    assert rejection.values["sender"] == f"0x{RESIDENT.address.hex()}"


def test_the_catalogue_is_that_of_the_definitions() -> None:
    """Clients in other languages switch on the enum's names: both lists are the same."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert names - {"UNSPECIFIED"} == set(CATALOGUE)


def test_the_catalogue_is_documented() -> None:
    """docs/errors.md has a row for each reason, with its code, meaning and advice."""
    rows = (ROOT / "docs" / "errors.md").read_text().splitlines()
    for entry in CATALOGUE.values():
        assert f"| `{entry.reason}` | {entry.code} | {entry.meaning} | {entry.advice} |" in rows


def test_only_what_may_pass_with_time_asks_to_try_again() -> None:
    """A caller's fault never has a code that clients retry by themselves."""
    retried = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED"}
    at_fault = {entry.reason for entry in CATALOGUE.values() if entry.fault is Fault.CALLER and entry.code in retried}
    assert at_fault == {"TOO_MANY_CALLS"}


def test_what_transport_says_is_in_the_catalogue() -> None:
    """Reasons that a server gives before or after a handler runs are documented like all others."""
    folder = ROOT / "node" / "alatau" / "transport"
    said = set()
    for name in ("call_admission", "job", "messages", "server"):
        said |= set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|INTERNAL)"', (folder / f"{name}.py").read_text()))
    # A certificate that TLS has verified can be read; and nobody hears why a call is cancelled but who cancelled it.
    assert said - {"CERTIFICATE_UNREADABLE", "CANCELLED"} <= set(CATALOGUE)
    assert {"RATE_LIMITED", "TOO_MANY_CALLS", "NODE_STOPPING", "INTERNAL"} <= said
