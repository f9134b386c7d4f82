"""What happens to a message that a peer sent."""

from collections.abc import Callable
from typing import Any

import trio

from alatau.consensus.inputs import InMessage
from alatau.consensus.messages import Message, ProposalRequest
from alatau.p2p.counters import Counters
from alatau.p2p.event_queue import EventQueue, height_of
from alatau.p2p.gossip import Gossip
from alatau.p2p.handshake import BlockSource
from alatau.p2p.methods import Lane
from alatau.p2p.session import Session
from alatau.p2p.settings import Settings
from alatau.p2p.table import PeerTable
from alatau.transport.slices import in_slices
from alatau.types.transaction import Transaction
from alatau.wire.bounds import WireError
from alatau.wire.consensus import read_control, read_proposal, votes_in
from alatau.wire.gossip import read_batch
from alatau.wire.session import Goodbye, Hello, Ping, Pong, PublicKeys, read_session, write_session


class Inbox:
    """Reads messages and puts them where the engine takes them. Who sends what nobody correct sends is banned."""

    def __init__(
        self,
        table: PeerTable,
        blocks: BlockSource,
        gossip: Gossip,
        learn: Callable[[bytes], bool],
        known: Callable[[bytes], Transaction | None] | None,
        settings: Settings,
        counters: Counters,
    ) -> None:
        self._table = table
        self._gossip = gossip
        self._learn = learn
        self._known = known
        self._settings = settings
        self._counters = counters
        self.events = EventQueue(settings.inbound_votes_max, lambda: blocks.height() + 1)
        """What the engine is to hear of peers."""
        transactions = trio.open_memory_channel[tuple[bytes, tuple[bytes, ...]]](settings.inbound_transactions_max)
        self._to_transactions, self.transactions = transactions

    async def handle(self, session: Session, lane: Lane, message: Any) -> None:
        """Deal with one message; waits while the engine is behind. Raises ``WireError`` for one that nobody sends."""
        match lane:
            case Lane.CONSENSUS:
                await self._on_consensus(session, message)
            case Lane.PROPOSALS:
                steps = read_proposal(message, self._settings.block_size_bytes_max, self._known)
                proposal = await in_slices(steps)
                self._counters.messages_in["ProposalMessage"] += 1
                session.height = max(session.height, _claimed_height(proposal))
                await self.events.put(InMessage(session.peer_id, proposal), self._settings.inbound_votes_max // 2)
            case Lane.TRANSACTIONS:
                await self._on_transactions(session, message)

    async def forward_events(self) -> None:
        """Tell the engine of peers that connect and disconnect, until cancelled."""
        while True:
            await self.events.put(await self._table.next_event(), 1)

    async def _on_consensus(self, session: Session, envelope: Any) -> None:
        match read_session(envelope):
            case Ping(nonce):
                session.put(Lane.CONSENSUS, write_session(Pong(nonce)).SerializeToString(), self._counters)
                return
            case Pong(nonce):
                session.pong(nonce)
                return
            case PublicKeys(keys):
                for key in keys:
                    self._learn(key)
                return
            case Goodbye(reason, detail):
                session.end(reason, detail, by_peer=True)
                return
            case Hello():
                raise WireError("a second hello", "HANDSHAKE_REPEATED")
        message = read_control(envelope)
        if message is None:  # of a later minor version
            self._counters.messages_in["unknown"] += 1
            return
        session.height = max(session.height, _claimed_height(message))  # a chain never shrinks (CVE-2025-24371)
        self._counters.messages_in[type(message).__name__] += 1
        await self.events.put(InMessage(session.peer_id, message), max(1, votes_in(envelope)))

    async def _on_transactions(self, session: Session, envelope: Any) -> None:
        batch = read_batch(envelope)
        fresh = self._gossip.receive(session.peer_id, batch)
        self._counters.messages_in["TransactionBatch"] += 1
        self._counters.transactions_in += len(fresh)
        self._counters.transactions_duplicate += len(batch.transactions) - len(fresh)
        if fresh:
            await self._to_transactions.send((session.peer_id, fresh))


def _claimed_height(message: Message) -> int:
    """How many blocks the sender must have decided to say this; a claim, no proof."""
    return 0 if isinstance(message, ProposalRequest) else height_of(message) - 1
