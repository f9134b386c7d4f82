"""What peers say, a message of each kind, and the half of a session that hears it."""

from contextlib import suppress

import trio
from hypothesis import strategies as st

from alatau.consensus.inputs import InMessage
from alatau.consensus.messages import (
    Message,
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
from alatau.p2p.inbox import Inbox
from alatau.p2p.methods import CONSENSUS, PROPOSALS, TRANSACTIONS, Lane, within_bounds
from alatau.p2p.table import PeerTable
from alatau.transport.certificates import is_node_key
from alatau.transport.messages import parse
from alatau.types.block import Block
from alatau.types.vote import Proposal, Vote, VoteKind
from alatau.wire.consensus import ControlMessage, write_control, write_proposal
from alatau.wire.gossip import write_batch
from alatau.wire.session import Goodbye, Hello, Ping, Pong, PublicKeys, SessionMessage, write_session
from tests.support.ministries import CHAIN, QUICK, Blocks, header, ministry
from tests.support.transactions import signed

PEER = ministry(2).member()
HELLO = Hello(1, CHAIN.chain_id, CHAIN.genesis_hash, 0, "test", CHAIN.genesis_file_hash)
VOTES = tuple(Vote(kind, 5, 1, hash_, b"v" * 20, b"s" * 65) for kind in VoteKind for hash_ in (None, b"h" * 32))
PAYMENT = signed(PrivateKey(b"\x07" * 32), to=bytes(20))
BLOCK, COMMIT = Blocks.of_height(1).chain[0]
FULL_BLOCK = Block(header(2, BLOCK.hash), (PAYMENT,) * 3, COMMIT)
PROPOSAL = Proposal(2, 0, FULL_BLOCK.hash, -1, 1_700_000_000_000, b"p" * 20, b"q" * 65)

_OF_SESSION: list[SessionMessage] = [
    HELLO,
    Ping(7),
    Pong(7),
    PublicKeys((PEER.public_key or b"",)),
    Goodbye("BYE", "why"),
]
_OF_CONSENSUS: list[ControlMessage] = [
    VotesMessage(VOTES),
    RoundCertificate(5, 3, VOTES),
    StatusMessage(6, 1, b"t" * 32),
    ProposalRequest(5, 3, b"h" * 32),
]
SAID = [
    (Lane.CONSENSUS, message.SerializeToString())
    for message in (*map(write_session, _OF_SESSION), *map(write_control, _OF_CONSENSUS))
]
"""One of each kind of message, and the lane that it comes on. The first is a hello."""
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

    async def drain(self) -> list[Message]:
        """Take what arrived, as the engine does; gives what the core is to hear."""
        heard: list[Message] = []
        while self.inbox.events.waiting(PEER.peer_id):
            event = await self.inbox.events.get()
            if isinstance(event, InMessage):
                heard.append(event.message)
        with suppress(trio.WouldBlock):
            self.inbox.transactions.receive_nowait()
        return heard
