"""Roles and rates."""

import pytest

from alatau.client import RpcError, connect
from alatau.rpc.access import Access, Role, RoleMap
from alatau.rpc.limits import Limits
from alatau.transport.call import Call, PeerIdentity
from alatau.transport.certificates import issue_identity, new_key
from alatau.transport.credentials import TrustStore, dial_node
from tests.unit.rpc.solo_node import SoloNode, node_identity, running
from tests.unit.rpc.test_transaction_service import payment

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
    assert 0 < int(caught.value.metadata["retry_after_ms"]) <= 501
    assert caught.value.retry_after_s is not None
    access.spend_transactions(call_from("ipv4:10.0.0.2"), 5)
    access.spend_transactions(call_from("ipv4:10.0.0.1", b"k"), 5)


def test_callers_are_forgotten_beyond_a_bound() -> None:
    """Addresses that come and go cannot fill the memory."""
    access = Access(Limits(callers_max=10), RoleMap())
    for n in range(100):
        access.spend_transactions(call_from(f"ipv4:10.0.0.{n}"), 1)
    assert len(access._buckets) == 10
