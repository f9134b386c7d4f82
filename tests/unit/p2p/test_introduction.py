"""Members of whom the registry tells only the hash of their key."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from alatau.p2p.introduction import introduce, introduction_service
from alatau.p2p.member import Member
from alatau.transport.certificates import key_hash
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.errors import RpcError
from alatau.transport.key_discovery import discover_public_key
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, serve
from tests.support.ministries import Node, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def by_hash(node: Node) -> Member:
    """A validator as the registry knows it."""
    return replace(node.member(), public_key=None)


def observer(node: Node) -> Member:
    """An observer as the registry knows it: a hash and a name."""
    return replace(by_hash(node), validator=None, endpoint="")


@pytest.mark.parametrize("reverse", [False, True])
def test_validators_known_by_hash_learn_each_others_keys_from_their_endpoints(drive: Drive, *, reverse: bool) -> None:
    """Whoever comes up first, and without anybody handing out certificates."""

    async def main() -> None:
        nodes = [ministry(1), ministry(2)]
        one, two = reversed(nodes) if reverse else nodes
        async with one.running([]) as a, two.running([by_hash(one)]) as b:
            a.set_members([by_hash(two)])
            await eventually(lambda: a.connected() == (two.address,), "one sees two")
            await eventually(lambda: b.connected() == (one.address,), "two sees one")

    drive(main)


def test_somebody_else_at_the_endpoint_is_not_believed(drive: Drive) -> None:
    """WRONG_KEY, and no trust in what was shown."""

    async def main() -> None:
        one, impostor, expected = ministry(1), ministry(2), ministry(3)
        async with one.running([]) as network, impostor.running([]):
            wanted = replace(by_hash(expected), endpoint=impostor.member().endpoint)
            network.set_members([wanted])
            await eventually(lambda: network.peers()[0].last_end == "WRONG_KEY", "it is noticed")
            assert network._table.public_key(wanted) is None

    drive(main)


def test_nobody_at_the_endpoint_is_unreachable(drive: Drive) -> None:
    """Refused, not answering, or no address at all."""

    async def main() -> None:
        for endpoint in ("127.0.0.1:1", "nowhere.invalid:7000"):
            with pytest.raises(RpcError) as caught:
                await discover_public_key(endpoint, bytes(32))
            assert caught.value.reason == "UNREACHABLE"

    drive(main)


def test_an_observer_introduces_itself_to_one_and_is_known_to_all(drive: Drive) -> None:
    """Members pass the key on, also to one that connects later; the observer connects to each."""

    async def main() -> None:
        nodes, guest = [ministry(1), ministry(2), ministry(3)], ministry(9)
        async with nodes[0].running([]) as one, nodes[1].running([]) as two, nodes[2].running([]) as three:
            one.set_members([nodes[1].member(), observer(guest)])
            two.set_members([nodes[0].member(), nodes[2].member(), observer(guest)])
            await eventually(lambda: len(one.connected()) == 1, "the first two are connected")
            tls = ServerTls(IdentityHolder(nodes[0].identity), None)
            service = introduction_service(one.learn_key)
            async with trio.open_nursery() as nursery:
                start = partial(serve, [service], [Listener("127.0.0.1", 0, tls)], limits=Limits(shutdown_grace_s=0.1))
                server = await nursery.start(start)
                three.set_members([nodes[1].member(), observer(guest)])
                async with guest.running([node.member() for node in nodes]) as network:
                    await trio.sleep(0.2)
                    assert network.connected() == ()
                    nursery.start_soon(network.introduce_self, f"127.0.0.1:{server.ports[0]}")
                    await eventually(lambda: len(network.connected()) == 3, "the observer is connected to all")
                    peers, guest_id = (one, two, three), guest.identity.key_hash
                    await eventually(lambda: all(guest_id in n.connected() for n in peers), "and they to it")
                    nursery.cancel_scope.cancel()

    drive(main)


def test_a_key_that_is_not_registered_is_not_let_in(drive: Drive) -> None:
    """Anybody may say anything; the registry decides."""

    async def main() -> None:
        node, stranger = ministry(1), ministry(2)
        async with node.running([]) as network:
            assert not network.learn_key(stranger.identity.public_key)
            tls = ServerTls(IdentityHolder(node.identity), None)
            async with trio.open_nursery() as nursery:
                service = introduction_service(network.learn_key)
                start = partial(serve, [service], [Listener("127.0.0.1", 0, tls)], limits=Limits(shutdown_grace_s=0.1))
                server = await nursery.start(start)
                with pytest.raises(RpcError) as caught:
                    await introduce(
                        stranger.identity.public_key, f"127.0.0.1:{server.ports[0]}", [node.identity.public_key]
                    )
                assert caught.value.reason == "KEY_NOT_TRUSTED"
                nursery.cancel_scope.cancel()

    drive(main)


def test_a_registered_hash_of_something_that_is_no_key_harms_nobody(drive: Drive) -> None:
    """The registry cannot look behind a hash; the node can."""
    other_curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    spki = other_curve.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    async def main() -> None:
        async with ministry(1).running([]) as network:
            for thing in (b"no key at all", spki):
                network.set_members([Member(key_hash(thing), None, None, "", "odd")])
                assert not network.learn_key(thing)

    drive(main)
