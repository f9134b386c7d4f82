"""Fetching blocks from one peer, right and wrong ones."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trio

from alatau.consensus.messages import StatusMessage
from alatau.p2p.methods import PEER_SERVICE
from alatau.p2p.network import Network
from alatau.p2p.settings import Settings
from alatau.transport.call import Call
from alatau.transport.credentials import IdentityHolder, ServerTls, TrustStore
from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, serve
from alatau.transport.service import Send, bind
from alatau.wire.bounds import WireError
from alatau.wire.session import PROTOCOL_VERSION, Hello, write_session
from alatau.wire.sync import read_range, write_committed
from tests.support.ministries import CHAIN, QUICK, Blocks, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


@dataclass
class Odd:
    """A peer that claims a chain and serves what a test wants of it."""

    blocks: Blocks
    manner: str
    claimed: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def consensus(self, requests: AsyncIterator[Any], _call: Call, send: Send) -> None:
        """Say hello and listen."""
        await anext(requests)
        height = self.claimed or self.blocks.height()
        await send(
            write_session(
                Hello(PROTOCOL_VERSION, CHAIN.chain_id, CHAIN.genesis_hash, height, "odd", CHAIN.genesis_file_hash)
            )
        )
        async for _ in requests:
            pass

    async def proposals(self, requests: AsyncIterator[Any], _call: Call, _send: Send) -> None:
        """Listen."""
        async for _ in requests:
            pass

    transactions = proposals

    async def fetch_blocks(self, request: Any, _call: Call, send: Send) -> None:
        """Serve, oddly."""
        wanted = read_range(request)
        self.asked.append((wanted.start, wanted.count))
        chosen = self.blocks.chain[wanted.start - 1 : wanted.start - 1 + wanted.count]
        match self.manner:
            case "stall":
                await send(write_committed(*chosen[0]))
                await trio.sleep_forever()
            case "too many":
                chosen = self.blocks.chain[wanted.start - 1 : wanted.start + wanted.count]
            case "out of order":
                chosen = chosen[::-1]
            case "other commits":
                chosen = [(block, replace(commit, height=commit.height + 1)) for block, commit in chosen]
            case "garbage":
                await send(b"\x0a\x05junk!")
                return
            case "fail":
                raise RpcError(Code.INTERNAL, "broken", reason="INTERNAL")
        for block, commit in chosen:
            await send(write_committed(block, commit))


@asynccontextmanager
async def against(*odd: Odd, settings: Settings = QUICK) -> AsyncIterator[tuple[Network, list[bytes]]]:
    """A network that is connected to odd peers, and their ids in their order."""
    here = ministry(100)
    async with here.running([], settings=settings) as network, trio.open_nursery() as nursery:
        members = []
        for number, peer in enumerate(odd, 1):
            there = ministry(number)
            tls = ServerTls(IdentityHolder(there.identity), TrustStore([here.identity.public_key]))
            start = partial(
                serve,
                [bind(PEER_SERVICE, peer)],
                [Listener("127.0.0.1", 0, tls)],
                limits=Limits(shutdown_grace_s=0.1),
            )
            there.port = (await nursery.start(start)).ports[0]
            members.append(there.member())
        network.set_members(members)
        await eventually(lambda: len(network.connected()) == len(odd), "connected")
        yield network, [member.peer_id for member in members]
        nursery.cancel_scope.cancel()


def test_blocks_come_with_their_commits_whoever_dialled(drive: Drive) -> None:
    """Over the session's own connection, or one that is opened for it."""

    async def main() -> None:
        one, two = ministry(1), ministry(2)
        one.blocks = two.blocks = Blocks.of_height(40)
        async with one.running([]) as a, two.running([one.member()]) as b:
            a.set_members([two.member()])
            await eventually(lambda: len(a.connected()) == len(b.connected()) == 1, "connected")
            for network, peer in ((a, two), (b, one)):
                assert await network.fetch_from(peer.address, 3, 20) == one.blocks.chain[2:22]
                assert await network.fetch_from(peer.address, 39, 20) == one.blocks.chain[38:]
                assert await network.fetch_from(peer.address, 41, 20) == []
                assert network.counters.blocks_fetched == 22

    drive(main)


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("too many", "SYNC_EXCESS"),
        ("out of order", "SYNC_OUT_OF_ORDER"),
        ("other commits", "MALFORMED_MESSAGE"),
        ("garbage", "MALFORMED_MESSAGE"),
    ],
)
def test_a_peer_that_sends_nonsense_is_banned(drive: Drive, manner: str, reason: str) -> None:
    """And nothing of its answer is used."""

    async def main() -> None:
        async with against(Odd(Blocks.of_height(20), manner)) as (network, (peer,)):
            with pytest.raises(WireError) as caught:
                await network.fetch_from(peer, 1, 10)
            assert caught.value.reason == reason
            assert network.counters.bans[reason] == 1

    drive(main)


def test_a_peer_that_stalls_is_not_waited_for(drive: Drive) -> None:
    """SYNC_STALLED, whatever it has sent before."""

    async def main() -> None:
        settings = replace(QUICK, sync_stall_s=0.1)
        async with against(Odd(Blocks.of_height(20), "stall"), settings=settings) as (network, (peer,)):
            with pytest.raises(RpcError) as caught:
                await network.fetch_from(peer, 1, 10)
            assert caught.value.reason == "SYNC_STALLED"

    drive(main)


def test_a_peer_that_is_not_there_has_no_blocks(drive: Drive) -> None:
    """NO_ENDPOINT for one that cannot be dialled either."""

    async def main() -> None:
        async with ministry(1).running([]) as network:
            with pytest.raises(RpcError) as caught:
                await network.fetch_from(b"x" * 20, 1, 10)
            assert caught.value.reason == "NO_ENDPOINT"

    drive(main)


async def catch_up(network: Network, preferred: bytes, to: int, portion: int) -> list[bytes]:
    """Fetch everything, portion by portion, as the engine does; gives who gave each portion."""
    givers, height = [], 0
    while height < to:
        giver, blocks = await network.fetch_blocks(preferred, height + 1, portion)
        assert [block.header.number for block, _ in blocks] == list(range(height + 1, height + 1 + len(blocks)))
        height += len(blocks)
        givers += [giver] * bool(blocks)  # none, where a busy machine made every peer seem to stall
        await trio.sleep(0.02)  # executing them
    return givers


def test_several_peers_are_asked_at_once(drive: Drive) -> None:
    """Each block is fetched once, from one of them."""

    async def main() -> None:
        peers = [Odd(Blocks.of_height(200), "good") for _ in range(3)]
        async with against(*peers) as (network, ids):
            givers = await catch_up(network, ids[0], 200, 10)
            assert set(givers) == set(ids)
            asked = sorted(start for peer in peers for start, _ in peer.asked)
            assert len(asked) == len(set(asked))
            assert network.counters.blocks_fetched == 200

    drive(main)


@pytest.mark.parametrize("manner", ["stall", "fail", "garbage", "out of order"])
def test_the_rest_goes_on_without_a_peer_that_fails(drive: Drive, manner: str) -> None:
    """Whether it is the preferred one or one that fetches ahead."""

    async def main() -> None:
        settings = replace(QUICK, sync_stall_s=0.3)
        for bad in range(2):
            peers = [Odd(Blocks.of_height(60), manner if number == bad else "good") for number in range(3)]
            async with against(*peers, settings=settings) as (network, ids):
                givers = await catch_up(network, ids[0], 60, 5)
                assert ids[bad] not in givers

    drive(main)


def test_a_peer_that_claims_more_than_it_has_is_found_out(drive: Drive) -> None:
    """It is asked once beyond its chain; its claim no longer counts, and the others serve."""

    async def main() -> None:
        liar, good = Odd(Blocks.of_height(5), "good", claimed=10**12), Odd(Blocks.of_height(60), "good")
        async with against(liar, good) as (network, ids):
            assert {peer.height for peer in network.peers()} == {10**12, 60}
            givers = await catch_up(network, ids[0], 60, 5)
            assert givers.count(ids[0]) == 1
            assert {peer.height for peer in network.peers()} != {10**12, 60}

    drive(main)


def test_one_liar_does_not_make_a_node_seem_behind(drive: Drive) -> None:
    """Nor can one that is behind hide that the others are ahead: what counts takes more than may be faulty."""

    async def main() -> None:
        for claims, credible in (((10**12, 60, 59), 60), ((5, 60, 60), 60), ((10**12, 10**12, 60), 10**12)):
            peers = [Odd(Blocks.of_height(5), "good", claimed=claim) for claim in claims]
            async with against(*peers) as (network, _):
                assert network.credible_height() == credible
        async with ministry(1).running([]) as network:
            assert network.credible_height() == 0

    drive(main)


@pytest.mark.parametrize("lowered", [0, 1, 30])
def test_a_peer_that_lowers_its_height_is_held_to_its_first_claim(drive: Drive, lowered: int) -> None:
    """A chain never shrinks: CometBFT's CVE-2025-24371 waited for ever for one that did."""

    async def main() -> None:
        here, there = ministry(1), ministry(2)
        async with here.running([]) as one, there.running([]) as two:
            one.set_members([there.member()])
            two.set_members([here.member()])
            await eventually(lambda: len(one.connected()) == len(two.connected()) == 1, "connected")
            two.broadcast(StatusMessage(61, 0, bytes(32)))
            await eventually(lambda: one.peers()[0].height == 60, "its claim")
            two.broadcast(StatusMessage(lowered, 0, bytes(32)))
            await eventually(lambda: one.counters.messages_in["StatusMessage"] == 2, "its other claim")
            assert one.peers()[0].height == 60

    drive(main)


def test_nobody_who_delivers_gives_no_blocks(drive: Drive) -> None:
    """So that the engine asks again later."""

    async def main() -> None:
        async with against(Odd(Blocks.of_height(5), "fail"), Odd(Blocks.of_height(5), "fail")) as (network, ids):
            assert await network.fetch_blocks(ids[0], 1, 5) == (ids[0], [])

    drive(main)


def test_what_a_rejected_peer_gave_ahead_is_not_used(drive: Drive) -> None:
    """Its portions are fetched again from others."""

    async def main() -> None:
        peers = [Odd(Blocks.of_height(60), "good") for _ in range(3)]
        async with against(*peers) as (network, ids):
            first = await network.fetch_blocks(ids[0], 1, 5)
            await eventually(lambda: network.counters.blocks_fetched >= 15, "the next ones are fetched")
            network.report(ids[1], "bad_block")
            network.report(ids[2], "bad_block")
            second = await network.fetch_blocks(ids[0], 6, 5)
            assert first[0] == second[0] == ids[0]

    drive(main)
