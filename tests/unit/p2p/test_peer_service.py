"""A peer that does not behave: it has a trusted key, and everything else is wrong."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import trio
from google.protobuf.message import Message

from alatau.consensus.inputs import InMessage, InPeerConnected
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.p2p.event_queue import TURN
from alatau.p2p.handshake import ChainId
from alatau.p2p.methods import CONSENSUS, FETCH_BLOCKS, PROPOSALS, TRANSACTIONS, Lane
from alatau.p2p.network import Network
from alatau.p2p.settings import Settings
from alatau.transport.channel import Channel, Stream, open_channel
from alatau.transport.credentials import dial_node
from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import Limits
from alatau.types.block import last
from alatau.types.vote import Proposal, Vote, VoteKind
from alatau.wire.consensus import write_control, write_proposal
from alatau.wire.gossip import write_batch
from alatau.wire.session import PROTOCOL_VERSION, Hello, Ping, Pong, read_session, write_session
from alatau.wire.sync import read_committed, write_range
from tests.support.ministries import CHAIN, QUICK, Blocks, Node, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]
HELLO = Hello(PROTOCOL_VERSION, CHAIN.chain_id, CHAIN.genesis_hash, 0, "test", CHAIN.genesis_file_hash)


@dataclass
class Rig:
    """A network, and a raw channel to it with a trusted key."""

    network: Network
    peer: Node
    channel: Channel

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Stream]:
        """A Consensus stream after its handshake."""
        async with self.channel.stream(CONSENSUS) as stream:
            await stream.send(write_session(HELLO))
            assert isinstance(read_session(await anext(stream)), Hello)
            yield stream

    async def outcome(self, stream: Stream) -> RpcError:
        """How the stream ends, once it does."""
        with trio.fail_after(10):
            with pytest.raises(RpcError) as caught:
                async for _ in stream:
                    pass
            return caught.value


@asynccontextmanager
async def rig(settings: Settings = QUICK, height: int = 0, chain: ChainId = CHAIN) -> AsyncIterator[Rig]:
    """A network with one member that is driven by hand."""
    node, peer = ministry(1), ministry(2)
    node.blocks = Blocks.of_height(height)
    async with node.running([peer.member()], chain=chain, settings=settings) as network:
        tls = dial_node(node.identity.public_key, peer.identity)
        limits = Limits(message_bytes_max=64 * 1024 * 1024)
        async with open_channel(f"127.0.0.1:{network.port}", tls, limits) as channel:
            yield Rig(network, peer, channel)


def vote() -> Vote:
    """A vote that is right in form."""
    return Vote(VoteKind.PRECOMMIT, 5, 0, b"h" * 32, b"v" * 20, b"s" * 65)


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (replace(HELLO, protocol_version=2), "WRONG_PROTOCOL"),
        (replace(HELLO, chain_id=1), "WRONG_CHAIN"),
        (replace(HELLO, genesis_hash=bytes(32)), "WRONG_GENESIS"),
        (replace(HELLO, genesis_file_hash=bytes(32)), "WRONG_GENESIS_FILE"),
        (replace(HELLO, genesis_hash=b"short"), "MALFORMED_MESSAGE"),
        (replace(HELLO, genesis_file_hash=b""), "MALFORMED_MESSAGE"),
        (Ping(1), "HANDSHAKE_EXPECTED"),
    ],
)
def test_a_wrong_first_message_ends_the_stream_with_its_reason(drive: Drive, hello: Hello | Ping, reason: str) -> None:
    """Before anything else is read, and without a session."""

    async def main() -> None:
        async with rig() as r, r.channel.stream(CONSENSUS) as stream:
            await stream.send(write_session(hello))
            assert (await r.outcome(stream)).reason == reason
            assert r.network.connected() == ()
            assert r.network.counters.sessions_refused[reason] == 1

    drive(main)


def test_a_peer_that_never_says_hello_is_not_waited_for(drive: Drive) -> None:
    """HANDSHAKE_TIMEOUT."""

    async def main() -> None:
        async with rig(replace(QUICK, handshake_timeout_s=0.1)) as r, r.channel.stream(CONSENSUS) as stream:
            assert (await r.outcome(stream)).reason == "HANDSHAKE_TIMEOUT"

    drive(main)


@pytest.mark.parametrize(
    ("junk", "reason"),
    [
        (b"\xff\xff\xff", "MALFORMED_MESSAGE"),
        (write_session(HELLO), "HANDSHAKE_REPEATED"),
        (write_control(VotesMessage((replace(vote(), signature=b"short"),))), "MALFORMED_MESSAGE"),
        (write_control(VotesMessage((replace(vote(), round=2**32 - 1),))), "MALFORMED_MESSAGE"),
        (write_control(VotesMessage((vote(),) * 3_000)), "MALFORMED_MESSAGE"),
    ],
    ids=["garbage", "second hello", "short signature", "huge round", "too many votes"],
)
def test_nonsense_on_the_consensus_stream_ends_the_session(drive: Drive, junk: bytes | Message, reason: str) -> None:
    """The engine sees nothing of it; whoever sends it is banned for a while."""

    async def main() -> None:
        async with rig() as r, r.session() as stream:
            await stream.send(junk)
            assert (await r.outcome(stream)).reason == reason
            assert r.network.connected() == ()
            assert await r.network.next_event() == InPeerConnected(r.peer.address)
            with pytest.raises(RpcError) as caught:
                async with r.session():
                    pass
            assert caught.value.reason == "PEER_BANNED"

    drive(main)


@pytest.mark.parametrize("lane", [PROPOSALS, TRANSACTIONS], ids=["proposals", "transactions"])
def test_side_streams_need_a_session(drive: Drive, lane: object) -> None:
    """NO_SESSION before the handshake."""

    async def main() -> None:
        async with rig() as r, r.channel.stream(lane) as stream:  # type: ignore[arg-type]
            assert (await r.outcome(stream)).reason == "NO_SESSION"

    drive(main)


def test_a_block_over_the_limit_is_not_decoded(drive: Drive) -> None:
    """BLOCK_TOO_LARGE from its length; one over the limit of all messages does not even get that far."""
    block, _ = Blocks.of_height(1).chain[0]
    proposal = Proposal(1, 0, block.hash, -1, 1_700_000_000_000, b"p" * 20, b"q" * 65)
    envelope = write_proposal(ProposalMessage(proposal, block))

    async def main() -> None:
        small = replace(QUICK, block_size_bytes_max=100_000)
        async with rig(small) as r, r.session() as stream, r.channel.stream(PROPOSALS) as proposals:
            envelope.proposal.block = bytes(100_001)
            await proposals.send(envelope)
            assert (await r.outcome(stream)).reason == "BLOCK_TOO_LARGE"
        async with rig(small) as r, r.session() as stream:
            async with r.channel.stream(PROPOSALS) as proposals:
                envelope.proposal.block = bytes(20_000_000)
                await proposals.send(envelope)
                assert (await r.outcome(proposals)).code in {Code.RESOURCE_EXHAUSTED, Code.CANCELLED}
            assert (await r.outcome(stream)).reason in {"CONNECTION_LOST", "CLOSED"}

    drive(main)


@pytest.mark.parametrize(
    "batch",
    [
        write_batch([b""], []),
        write_batch([bytes(128 * 1024 + 1)], []),
        write_batch([b"x"] * 5_000, []),
        write_batch([b"x"], [b"not an id"]),
        write_batch([b"x"], [bytes(20)] * 2_000),
    ],
    ids=["empty", "too long", "too many", "no id", "too many ids"],
)
def test_nonsense_in_a_batch_ends_the_session(drive: Drive, batch: Message) -> None:
    """Nothing of the batch reaches the engine."""

    async def main() -> None:
        async with rig() as r, r.session() as stream, r.channel.stream(TRANSACTIONS) as transactions:
            await transactions.send(batch)
            assert (await r.outcome(stream)).reason == "MALFORMED_MESSAGE"
            with pytest.raises(trio.WouldBlock):
                r.network._inbox.transactions.receive_nowait()

    drive(main)


def test_recipients_that_nobody_knows_take_no_room(drive: Drive) -> None:
    """A peer cannot fill a node's memory with invented ids."""

    async def main() -> None:
        async with rig() as r, r.session(), r.channel.stream(TRANSACTIONS) as transactions:
            for number in range(50):
                await transactions.send(write_batch([b"tx%d" % number], [bytes([number]) * 32]))
            for _ in range(50):
                await r.network.next_transactions()
            assert len(r.network._gossip._bits) == 1

    drive(main)


def test_a_ping_is_answered(drive: Drive) -> None:
    """With the same nonce, while other messages come."""

    async def main() -> None:
        async with rig() as r, r.session() as stream:
            await stream.send(write_control(VotesMessage((vote(),))))
            await stream.send(write_session(Ping(42)))
            assert read_session(await anext(stream)) == Pong(42)

    drive(main)


def test_a_peer_that_answers_no_ping_is_given_up(drive: Drive) -> None:
    """STALLED: its process may hang while its kernel still acknowledges."""

    async def main() -> None:
        settings = replace(QUICK, ping_interval_s=0.05, ping_timeout_s=0.15)
        async with rig(settings) as r, r.session() as stream:
            assert (await r.outcome(stream)).reason == "STALLED"

    drive(main)


def test_a_peer_that_does_not_read_costs_a_bounded_queue(drive: Drive) -> None:
    """Votes for it pile up to the bound, the oldest go, and the node broadcasts on without waiting."""
    big = VotesMessage((vote(),) * 500)

    async def main() -> None:
        async with rig(replace(QUICK, consensus_queue_max=16)) as r, r.session():
            for _ in range(400):
                r.network.broadcast(big)
                await trio.sleep(0.001)
            session = r.network._table.sessions[r.peer.address]
            assert session.queued(Lane.CONSENSUS) == 16
            assert r.network.counters.dropped[Lane.CONSENSUS] > 0
            assert r.network.counters.messages_out["VotesMessage"] == 400

    drive(main)


def test_an_engine_that_is_behind_stops_the_reading_of_one_lane_only(drive: Drive) -> None:
    """A flood of transactions that nobody takes does not delay a vote."""

    async def main() -> None:
        settings = replace(QUICK, inbound_transactions_max=2)
        async with (
            rig(settings) as r,
            r.session() as stream,
            r.channel.stream(TRANSACTIONS) as transactions,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(_flood, transactions)
            await trio.sleep(0.3)
            await stream.send(write_control(VotesMessage((vote(),))))
            while await r.network.next_event() != InMessage(r.peer.address, VotesMessage((vote(),))):
                pass
            assert r.network.counters.transactions_in < 200
            nursery.cancel_scope.cancel()

    drive(main)


async def _flood(transactions: Stream) -> None:
    number = 0
    while True:
        await transactions.send(write_batch([b"%d" % number + bytes(100_000)], []))
        number += 1


def test_a_rate_above_the_limit_is_slowed_down(drive: Drive) -> None:
    """The peer's messages wait in its own queues; it is not punished for a burst."""

    async def main() -> None:
        async with rig(replace(QUICK, votes_per_s=20.0)) as r, r.session() as stream:
            with trio.move_on_after(1):
                while True:
                    await stream.send(write_control(VotesMessage((vote(),))))
            assert 80 < r.network.counters.messages_in["VotesMessage"] < 200
            assert r.network.connected() == (r.peer.address,)

    drive(main)


def test_what_is_counted_are_votes_and_a_new_session_renews_nothing(drive: Drive) -> None:
    """A hundred votes in a message cost a hundred; what a peer has used up it has used up over all its sessions."""
    settings = replace(QUICK, votes_per_s=20.0)

    async def main() -> None:
        async with rig(settings) as r:
            for messages in (1, 0):
                async with r.session() as stream:
                    with trio.move_on_after(0.3):
                        while True:
                            await stream.send(write_control(VotesMessage((vote(),) * 90)))
                    assert r.network.counters.messages_in["VotesMessage"] == 1
                    assert r.network.counters.throttled[Lane.CONSENSUS] >= messages
                await eventually(lambda: r.network.connected() == (), "gone")

    drive(main)


def test_a_flood_of_one_peer_does_not_hold_up_the_votes_of_another(drive: Drive) -> None:
    """Though it came first, and nothing is taken meanwhile."""
    settings = replace(QUICK, votes_per_s=10_000.0, inbound_votes_max=256)

    async def main() -> None:
        node, loud, quiet = ministry(1), ministry(2), ministry(3)
        async with (
            node.running([loud.member(), quiet.member()], settings=settings) as network,
            AsyncExitStack() as stack,
        ):
            streams = []
            for peer in (loud, quiet):
                tls = dial_node(node.identity.public_key, peer.identity)
                channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{network.port}", tls))
                stream = await stack.enter_async_context(channel.stream(CONSENSUS))
                await stream.send(write_session(HELLO))
                await anext(stream)
                streams.append(stream)
            await eventually(lambda: len(network.connected()) == 2, "both are connected")
            for _ in range(2):
                await network.next_event()
            for _ in range(500):
                await streams[0].send(write_control(VotesMessage((vote(),))))
                if network._inbox.events.waiting(loud.address) == settings.inbound_votes_max:
                    break
            await eventually(lambda: network._inbox.events.waiting(loud.address) == 256, "the line is full")
            await streams[1].send(write_control(VotesMessage((vote(),))))
            await eventually(lambda: network._inbox.events.waiting(quiet.address) == 1, "it is not held up")
            heard = [(await network.next_event()).peer for _ in range(TURN + 1)]
            assert quiet.address in heard

    drive(main)


@pytest.mark.parametrize(("start", "count"), [(0, 1), (1, 0), (1, 1_000_000)])
def test_a_range_that_makes_no_sense_is_refused(drive: Drive, start: int, count: int) -> None:
    """RANGE_INVALID, with the field."""

    async def main() -> None:
        async with rig(height=3) as r, r.channel.stream(FETCH_BLOCKS, write_range(start, count)) as stream:
            error = await r.outcome(stream)
            assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "RANGE_INVALID")
            assert error.field_violations[0].field == "count"

    drive(main)


def test_an_answer_ends_at_the_tip_or_after_many_bytes(drive: Drive) -> None:
    """Asking for more than there is is no mistake."""

    async def main() -> None:
        async with rig(replace(QUICK, sync_bytes_max=2_000), height=30) as r:
            async with r.channel.stream(FETCH_BLOCKS, write_range(29, 200)) as stream:
                assert [last(read_committed(m))[0].header.number async for m in stream] == [29, 30]
            async with r.channel.stream(FETCH_BLOCKS, write_range(1, 200)) as stream:
                heights = [last(read_committed(m))[0].header.number async for m in stream]
            assert heights == list(range(1, len(heights) + 1))
            assert 2 <= len(heights) < 10

    drive(main)


def test_fetches_at_once_are_bounded_for_each_peer(drive: Drive) -> None:
    """TOO_MANY_CALLS with a time to come back."""

    async def main() -> None:
        async with rig(replace(QUICK, sync_calls_per_peer_max=0), height=3) as r:
            async with r.channel.stream(FETCH_BLOCKS, write_range(1, 3)) as stream:
                error = await r.outcome(stream)
            assert (error.reason, error.retry_after_s) == ("TOO_MANY_CALLS", 1.0)

    drive(main)


def test_a_stranger_among_the_calls_is_refused(drive: Drive) -> None:
    """A key that was removed between the handshake and the call."""

    async def main() -> None:
        async with rig(height=3) as r, r.session() as session:
            r.network.set_members([])
            assert (await r.outcome(session)).reason == "KEY_NOT_TRUSTED"
            with pytest.raises(RpcError) as caught:
                async with r.channel.stream(FETCH_BLOCKS, write_range(1, 3)) as stream:
                    await anext(stream)
            assert caught.value.reason == "KEY_NOT_TRUSTED"

    drive(main)


def test_two_networks_in_one_process_do_not_mix(drive: Drive) -> None:
    """Each has its own keys, peers and queues."""

    async def main() -> None:
        async with rig() as r, rig(chain=replace(CHAIN, chain_id=1)) as s, r.session() as stream:
            await eventually(lambda: r.network.connected() == (r.peer.address,), "in one")
            assert s.network.connected() == ()
            with pytest.raises(RpcError) as caught:
                async with s.session():
                    pass
            assert caught.value.reason == "WRONG_CHAIN"
            await stream.send(write_control(VotesMessage((vote(),))))
            await eventually(lambda: r.network.counters.messages_in["VotesMessage"] == 1, "the vote")
            assert s.network.counters.messages_in["VotesMessage"] == 0

    drive(main)
