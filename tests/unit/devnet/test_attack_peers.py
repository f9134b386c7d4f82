"""The attacks with a validator's key, against one node in this process: real keys, real TLS, real gRPC."""

import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest
import trio

from alatau.consensus.inputs import InMessage
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.vote import consensus_domain
from alatau_devnet.attack import peers
from alatau_devnet.attack.peers import Flood, Impostor, keep_at, summary
from alatau_devnet.errors import DevnetError
from tests.support.guest import as_guest
from tests.support.ministries import CHAIN, ministry
from tests.support.waiting import eventually

MIB = 1024 * 1024


async def attacked(flood: Flood, ends: Callable[[Counter[str], Counter[str]], bool]) -> Counter[str]:
    """Flood a node until ``ends`` says so of what was told to the attacker and of the bans; gives the bans."""
    node, thief = ministry(1), ministry(2)
    key = PrivateKey(b"\x07" * 32)
    impostor = Impostor(thief.identity, key, CHAIN, consensus_domain(CHAIN.chain_id, CHAIN.genesis_hash))
    told = Counter[str]()
    async with node.running([thief.member()]) as network, trio.open_nursery() as nursery:
        endpoint = f"127.0.0.1:{network.port}"
        nursery.start_soon(keep_at, impostor, endpoint, node.identity.public_key, flood, told)
        await eventually(lambda: ends(told, network.counters.bans), "the node defends itself", 20)
        nursery.cancel_scope.cancel()
    return network.counters.bans


@pytest.mark.parametrize(
    "make", [peers.empty_votes, peers.random_bytes, peers.rlp_bomb], ids=lambda make: make.__name__
)
def test_who_sends_what_is_no_message_is_banned_again_and_again(make: Callable[[], Flood]) -> None:
    """And its next session is refused; without memory beyond the messages on their way."""

    async def main() -> None:
        flood = make()
        tracemalloc.start()
        try:
            bans = await attacked(flood, lambda told, bans: bans.total() >= 2 and told["PEER_BANNED"] >= 1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert set(bans) == {"MALFORMED_MESSAGE"}
        assert peak < 64 * MIB

    as_guest(main)


@pytest.mark.parametrize("make", [peers.vote_flood, peers.bad_transactions])
def test_a_flood_of_what_is_right_in_form_is_slowed_down(make: Callable[[], Flood]) -> None:
    """It is for consensus and admission to say that it is of no use; here it has its budget, and nothing more."""

    async def main() -> None:
        node, thief = ministry(1), ministry(2)
        impostor = Impostor(thief.identity, PrivateKey(b"\x07" * 32), CHAIN, bytes(32))
        told = Counter[str]()
        taken = Counter[str]()
        async with node.running([thief.member()]) as network, trio.open_nursery() as nursery:

            async def take() -> None:
                while True:
                    taken["messages"] += isinstance(await network.next_event(), InMessage)

            async def take_transactions() -> None:
                while True:
                    taken["transactions"] += len((await network.next_transactions())[1])

            nursery.start_soon(take)
            nursery.start_soon(take_transactions)
            endpoint = f"127.0.0.1:{network.port}"
            nursery.start_soon(keep_at, impostor, endpoint, node.identity.public_key, make(), told)
            await eventually(lambda: network.counters.throttled.total() >= 2, "it waits", 20)
            assert taken["messages"] <= 12
            assert taken["transactions"] <= 60_000
            assert not network.counters.bans
            nursery.cancel_scope.cancel()

    as_guest(main)


@pytest.mark.parametrize("told", [Counter[str](), Counter(PEER_BANNED=3), Counter(sessions=2, PEER_BANNED=1)])
def test_an_attack_that_is_refused_at_the_door_is_none(told: Counter[str]) -> None:
    """It must not pass for one that was survived."""
    with pytest.raises(DevnetError, match="nothing was sent on a session"):
        summary(told)


def test_an_attack_in_whose_sessions_something_was_sent_counts() -> None:
    """However it ended."""
    assert summary(Counter(sessions=1, sent=4, MALFORMED_MESSAGE=1)) == "MALFORMED_MESSAGE 1, sent 4, sessions 1"


def test_a_key_that_nobody_registered_gets_no_session() -> None:
    """The attacker is told so, and the campaign by it."""

    async def main() -> None:
        node, stranger = ministry(1), ministry(3)
        impostor = Impostor(stranger.identity, PrivateKey(b"\x07" * 32), CHAIN, bytes(32))
        told = Counter[str]()
        async with node.running([ministry(2).member()]) as network, trio.open_nursery() as nursery:
            endpoint = f"127.0.0.1:{network.port}"
            nursery.start_soon(keep_at, impostor, endpoint, node.identity.public_key, peers.random_bytes(), told)
            await eventually(lambda: told.total() >= 1, "it is refused", 20)
            nursery.cancel_scope.cancel()
        with pytest.raises(DevnetError):
            summary(told)

    as_guest(main)
