"""Reasons for connections that do not come about, from real ones."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alatau.p2p.dialer import dial_failure
from alatau.p2p.network import Network
from alatau.transport.certificates import issue_identity
from alatau.transport.errors import Code, RpcError
from tests.support.ministries import Node, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


def expired(node: Node) -> Node:
    """The same key with a certificate that has ended."""
    return replace(node, identity=issue_identity(node.identity.key_pem, node.name, now=LONG_AGO))


async def reason_of(network: Network, expected: str) -> None:
    """Wait until the attempt to reach the only peer has failed for this reason."""
    await eventually(lambda: network.peers()[0].last_end != "", "an attempt failed")
    assert network.peers()[0].last_end == expected
    assert network.counters.dials_failed[expected] >= 1


def test_nobody_there(drive: Drive) -> None:
    """UNREACHABLE."""

    async def main() -> None:
        there = ministry(2)
        there.port = 1
        async with ministry(1).running([there.member()]) as network:
            await reason_of(network, "UNREACHABLE")

    drive(main)


def test_a_peer_that_does_not_know_us(drive: Drive) -> None:
    """CERTIFICATE_REFUSED: TLS 1.3 lets the dialler finish before the other side has looked at its certificate."""

    async def main() -> None:
        there = ministry(2)
        async with there.running([]), ministry(1).running([there.member()]) as network:
            await reason_of(network, "CERTIFICATE_REFUSED")

    drive(main)


def test_our_own_certificate_has_expired(drive: Drive) -> None:
    """OWN_CERTIFICATE_EXPIRED, though the peer knows the key."""

    async def main() -> None:
        here, there = expired(ministry(1)), ministry(2)
        async with there.running([replace(here.member(), endpoint="")]), here.running([there.member()]) as network:
            await reason_of(network, "OWN_CERTIFICATE_EXPIRED")

    drive(main)


def test_the_peers_certificate_has_expired(drive: Drive) -> None:
    """PEER_CERTIFICATE_EXPIRED."""

    async def main() -> None:
        here, there = ministry(1), expired(ministry(2))
        async with there.running([]), here.running([there.member()]) as network:
            await reason_of(network, "PEER_CERTIFICATE_EXPIRED")

    drive(main)


def test_another_node_answers(drive: Drive) -> None:
    """PEER_CERTIFICATE_UNTRUSTED where the key is known; see test_introduction for where only its hash is."""

    async def main() -> None:
        there, expected = ministry(2), ministry(3)
        async with there.running([]):
            expected.port = there.port
            async with ministry(1).running([expected.member()]) as network:
                await reason_of(network, "PEER_CERTIFICATE_UNTRUSTED")

    drive(main)


@pytest.mark.parametrize(
    "error",
    [
        RpcError(Code.FAILED_PRECONDITION, "genesis differs", reason="WRONG_GENESIS"),
        RpcError(Code.UNAVAILABLE, "the node is stopping", reason="NODE_STOPPING"),
        RpcError(Code.UNAVAILABLE, "something that grpc says in a later version", reason="UNAVAILABLE"),
    ],
)
def test_what_has_a_reason_keeps_it(error: RpcError) -> None:
    """Only grpc's prose is interpreted."""
    own = ministry(1).identity
    assert dial_failure(error, own) == (error.reason, error.message)
