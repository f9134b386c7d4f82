"""Roles and rates."""

import pytest
import trio

from alatau.client import Client, RpcError, connect
from alatau.rpc.access import Access, Role, RoleMap, caller_of
from alatau.rpc.limits import Limits
from alatau.transport.call import Call, PeerIdentity
from alatau.transport.certificates import issue_identity, new_key
from alatau.transport.credentials import TrustStore, dial_node
from tests.support.solo_node import SoloNode, node_identity, payment, running
from tests.support.waiting import eventually

AUDITOR = issue_identity(new_key(), "auditor")
READER = issue_identity(new_key(), "reader")


def call_from(address: str, key_hash: bytes | None = None) -> Call:
    """A call, as transport describes it."""
    peer = None if key_hash is None else PeerIdentity(key_hash, "")
    return Call(method="/a/B", peer=peer, address=address, deadline=None, metadata={})


@pytest.mark.trio
async def test_roles_come_from_the_certificate(node: SoloNode) -> None:
    """A reader reads but neither submits nor sees the peers; an auditor sees them too."""
    roles = RoleMap(
        {READER.key_hash: frozenset({Role.READER}), AUDITOR.key_hash: frozenset({Role.READER, Role.AUDITOR})}
    )
    trust = TrustStore([READER.public_key, AUDITOR.public_key])
    async with running(node, roles=roles, trust=trust) as served:
        async with connect(served.endpoint, dial_node(node_identity().public_key, READER)) as client:
            await client.status()
            for refused in (client.submit(payment()), client.peers()):
                with pytest.raises(RpcError, match="ROLE_REQUIRED"):
                    await refused
        async with connect(served.endpoint, dial_node(node_identity().public_key, AUDITOR)) as client:
            assert await client.peers() == ()


@pytest.mark.trio
async def test_a_certificate_that_nobody_mapped_gets_what_the_public_gets(node: SoloNode) -> None:
    """A certificate never takes anything away by itself."""
    trust = TrustStore([READER.public_key])
    tls = dial_node(node_identity().public_key, READER)
    async with running(node, trust=trust) as served, connect(served.endpoint, tls) as client:
        await client.submit(payment())
    assert len(node.mempool) == 1


def test_the_operator_may_do_everything() -> None:
    """No method needs to be granted to an operator one by one."""
    access = Access(Limits(), RoleMap({b"k": frozenset({Role.OPERATOR})}, public=frozenset()))
    for role in Role:
        access.enter(call_from("ipv4:10.0.0.1", b"k"), role)
        with pytest.raises(RpcError, match="ROLE_REQUIRED"):
            access.enter(call_from("ipv4:10.0.0.1"), role)


def test_rates_are_counted_by_key_or_else_by_address() -> None:
    """One caller that spends too much does not slow another; the answer says how long to wait."""
    access = Access(Limits(transactions_per_s=10, transactions_burst=5), RoleMap())
    access.spend_transactions(call_from("ipv4:10.0.0.1"), 5)
    with pytest.raises(RpcError) as caught:
        access.spend_transactions(call_from("ipv4:10.0.0.1"), 5)
    assert caught.value.reason == "RATE_LIMITED"
    assert 0 < int(caught.value.metadata["retry_in_ms"]) <= 501
    assert caught.value.retry_after_s is not None
    access.spend_transactions(call_from("ipv4:10.0.0.2"), 5)
    access.spend_transactions(call_from("ipv4:10.0.0.1", b"k"), 5)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("ipv4:192.0.2.7", "ipv4:192.0.2.7"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2::9]", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:%5Bfe80::1%25eth0%5D", "ipv6:fe80::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D", "ipv4:192.0.2.7"),
        ("ipv6:%5Bnonsense%5D", "ipv6:%5Bnonsense%5D"),
        ("unix", "unix"),
    ],
)
def test_an_anonymous_caller_is_its_network(address: str, network: str) -> None:
    """Who holds an IPv6 network has as many addresses as it likes; they count as one, written either way."""
    assert caller_of(call_from(address)) == network
    assert caller_of(call_from(address, b"k")) == b"k"


@pytest.mark.trio
async def test_places_of_streams_are_shared_between_callers(node: SoloNode) -> None:
    """The first client may use every place; the second takes from it, is told nothing, and both have their status."""
    trust = TrustStore([READER.public_key, AUDITOR.public_key])
    ended: list[RpcError] = []

    async def follow(client: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            async with client.subscribe_blocks(0) as blocks:
                await anext(blocks)
                task_status.started()
                async for _ in blocks:
                    pass
        except RpcError as error:
            ended.append(error)

    async with (
        running(node, trust=trust, limits=Limits(streams_max=4)) as served,
        connect(served.endpoint, dial_node(node_identity().public_key, READER)) as first,
        connect(served.endpoint, dial_node(node_identity().public_key, AUDITOR)) as second,
        trio.open_nursery() as nursery,
    ):
        for _ in range(4):
            await nursery.start(follow, first)
        for _ in range(2):
            await nursery.start(follow, second)
        await eventually(lambda: len(ended) == 2)
        assert [(error.reason, error.metadata["limit"]) for error in ended] == [("SERVER_BUSY", "4")] * 2
        assert all(error.retry_after_s for error in ended)
        with pytest.raises(RpcError, match="SERVER_BUSY"):
            async with second.subscribe_blocks(0) as blocks:
                await anext(blocks)
        assert (await first.status()).height == (await second.status()).height
        nursery.cancel_scope.cancel()


def test_callers_are_forgotten_beyond_a_bound() -> None:
    """Addresses that come and go cannot fill the memory."""
    access = Access(Limits(callers_max=10), RoleMap())
    for n in range(100):
        access.spend_transactions(call_from(f"ipv4:10.0.0.{n}"), 1)
    assert len(access._rates) == 10
