"""Whatever a peer sends, from its bytes to the engine: it is taken, or refused with a reason."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Any

import trio
from hypothesis import given
from hypothesis import strategies as st

from alatau.consensus.messages import (
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.crypto.secp256k1 import PrivateKey
from alatau.p2p.budget import Budget
from alatau.p2p.counters import Counters
from alatau.p2p.gossip import Gossip
from alatau.p2p.handshake import read_hello
from alatau.p2p.inbox import Inbox
from alatau.p2p.methods import CONSENSUS, FETCH_BLOCKS, PROPOSALS, TRANSACTIONS, Lane, within_bounds
from alatau.p2p.table import PeerTable
from alatau.transport.certificates import is_node_key
from alatau.transport.errors import MalformedMessageError, RpcError
from alatau.transport.messages import parse
from alatau.types.block import Block, last
from alatau.types.vote import Proposal, Vote, VoteKind
from alatau.wire.bounds import WireError
from alatau.wire.consensus import write_control, write_proposal
from alatau.wire.gossip import write_batch
from alatau.wire.session import Goodbye, Hello, Ping, Pong, PublicKeys, write_session
from alatau.wire.sync import read_committed, read_range, write_committed, write_range
from tests.support.ministries import CHAIN, QUICK, Blocks, header, ministry
from tests.support.transactions import signed

PEER = ministry(2).member()
HELLO = Hello(1, CHAIN.chain_id, CHAIN.genesis_hash, 0, "test", CHAIN.genesis_file_hash)
VOTES = tuple(Vote(kind, 5, 1, hash_, b"v" * 20, b"s" * 65) for kind in VoteKind for hash_ in (None, b"h" * 32))
PAYMENT = signed(PrivateKey(b"\x07" * 32), to=bytes(20))
BLOCK, COMMIT = Blocks.of_height(1).chain[0]
FULL_BLOCK = Block(header(2, BLOCK.hash), (PAYMENT,) * 3, COMMIT)
PROPOSAL = Proposal(2, 0, FULL_BLOCK.hash, -1, 1_700_000_000_000, b"p" * 20, b"q" * 65)

SAID = [
    (Lane.CONSENSUS, message.SerializeToString())
    for message in (
        *map(write_session, (HELLO, Ping(7), Pong(7), PublicKeys((PEER.public_key or b"",)), Goodbye("BYE", "why"))),
        *map(
            write_control,
            (
                VotesMessage(VOTES),
                RoundCertificate(5, 3, VOTES),
                StatusMessage(6, 1, b"t" * 32),
                ProposalRequest(5, 3, b"h" * 32),
            ),
        ),
    )
]
SAID += [
    (Lane.PROPOSALS, write_proposal(ProposalMessage(PROPOSAL, FULL_BLOCK, VOTES)).SerializeToString()),
    (Lane.TRANSACTIONS, write_batch([PAYMENT.encoded, b"\x02\xc0"], [b"r" * 20]).SerializeToString()),
]
METHODS = {Lane.CONSENSUS: CONSENSUS, Lane.PROPOSALS: PROPOSALS, Lane.TRANSACTIONS: TRANSACTIONS}


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes like those of a real message: some changed, cut, repeated or put in."""
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["change", "cut", "repeat", "insert"])):
            case "change":
                data = data[:at] + draw(st.binary(max_size=4)) + data[at + 4 :]
            case "cut":
                data = data[:at] + data[at + length :]
            case "repeat":
                data = data[:at] + data[at : at + length] * draw(st.integers(1, 30)) + data[at:]
            case "insert":
                data = data[:at] + draw(st.binary(max_size=20)) + data[at:]
    return data


@st.composite
def messages(draw: st.DrawFn) -> tuple[Lane, bytes]:
    """A lane, and what may come on it."""
    lane, data = draw(st.sampled_from(SAID))
    if draw(st.booleans()):
        return lane, draw(changed(data))
    return draw(st.sampled_from(list(Lane))), draw(st.binary(max_size=200))


class Receiver:
    """A node's half of a session, without a network."""

    def __init__(self) -> None:
        self.counters, self.gossip = Counters(), Gossip(1_000)
        self.table = PeerTable(bytes(32), QUICK, self.counters)
        self.table.set_members([PEER])
        self.gossip.set_peers([PEER.peer_id])
        self.inbox = Inbox(self.table, Blocks(), self.gossip, is_node_key, None, QUICK, self.counters)
        self.session = self.table.open_session(PEER, HELLO, dialed=False, channel=None)
        self.budget = Budget(QUICK, self.counters)

    async def take(self, lane: Lane, data: bytes) -> None:
        """One message, as a session takes it; raises what bans the peer."""
        message = parse(METHODS[lane].request, data, within_bounds)
        assert self.budget.cost(lane, message) >= 1
        await self.inbox.handle(self.session, lane, message)

    async def drain(self) -> None:
        """Take what arrived, as the engine does."""
        while self.inbox.events.waiting(PEER.peer_id):
            await self.inbox.events.get()
        with suppress(trio.WouldBlock):
            self.inbox.transactions.receive_nowait()


@given(sent=st.lists(messages(), max_size=8))
def test_whatever_bytes_a_peer_sends_are_taken_or_refused(sent: list[tuple[Lane, bytes]]) -> None:
    """On every lane, whatever came before; what is refused has a reason, and nothing piles up."""

    async def main() -> None:
        receiver = Receiver()
        for lane, data in sent:
            try:
                await receiver.take(lane, data)
            except (MalformedMessageError, WireError) as error:
                assert error.reason.isidentifier()  # noqa: PT017
            await receiver.drain()
            assert receiver.inbox.events.waiting(PEER.peer_id) == 0
            assert len(receiver.gossip._bits) == 1
            assert receiver.session.height < 2**64

    trio.run(main)


@given(data=st.sampled_from([data for _, data in SAID]).flatmap(changed) | st.binary(max_size=200))
def test_whatever_comes_first_is_a_hello_or_refused(data: bytes) -> None:
    """With an error that can be told to the peer."""

    async def stream() -> AsyncIterator[Any]:
        yield parse(CONSENSUS.request, data, within_bounds)

    async def main() -> None:
        async with aclosing(stream()) as messages_:
            with suppress(RpcError):
                assert await read_hello(messages_, CHAIN, 1.0)

    trio.run(main)


def _answered(data: bytes) -> None:
    last(read_committed(parse(FETCH_BLOCKS.response, data, within_bounds)))


def _asked(data: bytes) -> None:
    read_range(parse(FETCH_BLOCKS.request, data, within_bounds))


BLOCKS = write_committed(FULL_BLOCK, COMMIT).SerializeToString()


@given(
    read=st.sampled_from([_answered, _asked]),
    data=st.sampled_from([BLOCKS, write_range(1, 10).SerializeToString()]).flatmap(changed) | st.binary(max_size=200),
)
def test_whatever_is_asked_or_answered_in_catching_up_is_read_or_refused(
    read: Callable[[bytes], None], data: bytes
) -> None:
    """Blocks, commits and ranges."""
    with suppress(MalformedMessageError, WireError):
        read(data)


def test_every_kind_of_message_is_among_those_that_are_changed() -> None:
    """A new kind has to be added here; and as they are, all are taken, but for a second hello."""
    envelope = {field.name for field in CONSENSUS.request.DESCRIPTOR.fields}
    assert {
        CONSENSUS.request.FromString(data).WhichOneof("message") for lane, data in SAID if lane is Lane.CONSENSUS
    } == envelope

    async def main() -> None:
        for lane, data in SAID[1:]:
            receiver = Receiver()
            await receiver.take(lane, data)
            await receiver.drain()

    trio.run(main)
