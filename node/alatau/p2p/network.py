"""The peers of a node: :class:`Network` is what the engine sees of them (``engine.peers.Peers``).

``await nursery.start(network.run)``, then ``next_event`` and ``next_transactions`` in two tasks. Sending never
blocks; what arrives waits in two bounded channels, one for consensus and one for transactions, so that neither
holds up the other. A full one stops the reading of the streams behind it, never the rest of the node.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog
import trio

from alatau.consensus.inputs import PeerEvent
from alatau.consensus.messages import Message, ProposalMessage
from alatau.p2p.block_fetcher import BlockFetcher
from alatau.p2p.counters import Counters
from alatau.p2p.dialer import Dialer
from alatau.p2p.gossip import Gossip, in_batches
from alatau.p2p.handshake import BlockSource, ChainId
from alatau.p2p.inbox import Inbox
from alatau.p2p.introduction import introduce
from alatau.p2p.member import Member, PeerInfo
from alatau.p2p.methods import PEER_SERVICE, Lane, within_bounds
from alatau.p2p.peer_service import PeerHandlers
from alatau.p2p.settings import Settings
from alatau.p2p.sync_client import fetch_blocks
from alatau.p2p.table import PeerTable
from alatau.transport.certificates import is_node_key, key_hash
from alatau.transport.credentials import IdentityHolder, ServerTls, TrustStore
from alatau.transport.errors import RpcError
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, PortInUseError, Server, serve
from alatau.transport.service import bind
from alatau.types.block import Block
from alatau.types.transaction import Transaction
from alatau.types.vote import Commit
from alatau.wire.consensus import write_control, write_proposal
from alatau.wire.gossip import write_batch
from alatau.wire.session import PublicKeys, write_session

_LOG = structlog.get_logger("alatau.p2p")

_ENVELOPE_BYTES = 256 * 1024
"""Room beside the block in the largest message: the proposal and the votes of a proof of lock."""


class Network:
    """A node's connections to the other members."""

    def __init__(
        self,
        *,
        identity: IdentityHolder,
        chain: ChainId,
        blocks: BlockSource,
        members: Iterable[Member] = (),
        settings: Settings | None = None,
        known_transaction: Callable[[bytes], Transaction | None] | None = None,
    ) -> None:
        """``known_transaction`` gives a transaction by its hash, so that it is not decoded again in a block."""
        self._settings = settings = settings or Settings()
        self.counters = Counters()
        self.port = 0
        """Where it listens, once it runs."""
        self._identity = identity
        self._trust = TrustStore()
        self._limits = Limits(message_bytes_max=settings.block_size_bytes_max + _ENVELOPE_BYTES)
        self._table = PeerTable(identity.current.key_hash, settings, self.counters)
        self._gossip = Gossip(settings.seen_max)
        self._gossip_waiting = trio.Event()
        self._gossip_full = trio.Event()
        self._inbox = Inbox(
            self._table, blocks, self._gossip, self.learn_key, known_transaction, settings, self.counters
        )
        parts = (chain, blocks, self._table, self._inbox, settings)
        self._handlers = PeerHandlers(*parts, self.counters)
        self._dialer = Dialer(identity, *parts, self._limits, self.learn_key, self.counters)
        self._fetcher = BlockFetcher(self._table, self.fetch_from)
        self._dialing: dict[Member, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._server: Server | None = None
        self.set_members(members)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen, dial and gossip until cancelled. Raises ``PortInUseError``."""
        try:
            await self._run(task_status)
        except ExceptionGroup as group:
            if (busy := group.subgroup(PortInUseError)) is not None:
                raise PortInUseError(str(busy.exceptions[0])) from group
            raise

    async def _run(self, task_status: trio.TaskStatus[None]) -> None:
        listener = Listener(self._settings.host, self._settings.port, ServerTls(self._identity, self._trust))
        service = bind(PEER_SERVICE, self._handlers, within_bounds, described=False)
        async with trio.open_nursery() as nursery:
            server: Server = await nursery.start(partial(serve, [service], [listener], limits=self._limits))
            self.port = server.ports[0]
            self._server = server
            self._nursery = nursery
            nursery.start_soon(self._inbox.forward_events)
            nursery.start_soon(self._flush_gossip)
            nursery.start_soon(self._fetcher.run)
            self._adjust_dialing()
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None
                for session in tuple(self._table.sessions.values()):
                    session.end("NODE_STOPPING")

    @property
    def server(self) -> Server:
        """Where peers come in, once it runs."""
        assert self._server is not None, "the network has not been started"
        return self._server

    # -- members -----------------------------------------------------------------------------------------

    def set_members(self, members: Iterable[Member]) -> None:
        """Who belongs to the network from now on; the sessions of those who left end at once."""
        self._table.set_members(members)
        known = self._table.members()
        self._gossip.set_peers(m.peer_id for m in known)
        self._set_trust()
        self._adjust_dialing()

    def learn_key(self, public_key: bytes) -> bool:
        """Take the key (SubjectPublicKeyInfo, DER) of a member that the registry named by its hash, from anybody.

        Gives whether a member has this key. Those who are connected are told.
        """
        member = self._table.member_by_key(key_hash(public_key))
        if member is None or not is_node_key(public_key):
            return False
        if self._table.learn_key(public_key):
            _LOG.info("peer.key_learnt", peer=member.name, key_hash=member.key_hash.hex())
            self._set_trust()
            data = write_session(PublicKeys((public_key,))).SerializeToString()
            for session in self._table.sessions.values():
                session.put(Lane.CONSENSUS, data, self.counters)
        return True

    async def introduce_self(self, target: str) -> None:
        """Tell a member at ``target``, its listener for clients, who we are, whenever nobody lets us in.

        For observers, of whom the registry, and so the members, know only the hash of the key. Until cancelled.
        """
        while True:
            if not self._table.sessions:
                keys = (self._table.public_key(member) for member in self._table.members())
                try:
                    await introduce(self._identity.current.public_key, target, [key for key in keys if key is not None])
                    _LOG.info("introduction.made", target=target)
                except RpcError as error:
                    _LOG.warning("introduction.failed", target=target, reason=error.reason, detail=error.message)
            await trio.sleep(self._settings.introduce_s)

    def peers(self) -> tuple[PeerInfo, ...]:
        """Every other member, connected or not."""
        return self._table.infos()

    def connected(self) -> tuple[bytes, ...]:
        """Ids of the peers with a session."""
        return tuple(self._table.sessions)

    def alone_s(self) -> float:
        """For how many seconds there has been no session with anybody; 0 while there is one."""
        return self._table.alone_s()

    def credible_height(self) -> int:
        """The height that at least one correct node has decided; 0 while nobody is connected.

        A claim costs nothing, so one peer's proves nothing: it takes more validators than may be faulty.
        """
        validators = [member for member in self._table.members() if member.validator is not None]
        sessions = self._table.sessions.values()
        claims = [s.height for s in sessions if s.member.validator is not None] or [s.height for s in sessions]
        claims.sort(reverse=True)
        faulty_max = len(validators) // 3  # of one more, this node
        return claims[min(faulty_max, len(claims) - 1)] if claims else 0

    def report(self, peer_id: bytes, reason: str) -> None:
        """A peer sent what no correct node sends: end its session and keep it out for a while."""
        self._table.ban(peer_id, reason)
        self._fetcher.forget(peer_id)

    def suspect(self, peer_id: bytes, reason: str, count: int) -> None:
        """A peer did so often what a correct one does now and then; beyond its allowance it is kept out for a while."""
        self._table.suspect(peer_id, reason, count)

    # -- receiving ---------------------------------------------------------------------------------------

    async def next_event(self) -> PeerEvent:
        """What a peer said about consensus, or that one connected or disconnected."""
        return await self._inbox.events.get()

    async def next_transactions(self) -> tuple[bytes, tuple[bytes, ...]]:
        """(peer id, encoded transactions that it passed on and no other had shown)."""
        return await self._inbox.transactions.receive()

    # -- sending -----------------------------------------------------------------------------------------

    def broadcast(self, message: Message) -> None:
        """Say something about consensus to every connected peer."""
        self._put(tuple(self._table.sessions), message)

    def send(self, peer_id: bytes, message: Message) -> None:
        """Say something about consensus to one peer; nothing happens if it is not connected."""
        self._put((peer_id,), message)

    def gossip_transactions(self, transactions: Iterable[bytes]) -> None:
        """Pass on encoded transactions to the peers that have not shown them, soon and in batches."""
        self._gossip.offer(transactions)
        self._gossip_waiting.set()
        if (
            self._gossip.waiting >= self._settings.gossip_transactions_max
            or self._gossip.waiting_bytes >= self._settings.gossip_bytes_max
        ):
            self._gossip_full.set()

    def send_transactions(self, peer_id: bytes, transactions: Sequence[bytes]) -> None:
        """Give one peer transactions whatever it has shown: what waits in the pool, to one that has just come."""
        self._put_transactions((peer_id,), transactions)

    # -- catching up -------------------------------------------------------------------------------------

    async def fetch_from(self, peer_id: bytes, start: int, count: int) -> list[tuple[Block, Commit]]:
        """Ask one peer for committed blocks, ascending from ``start``; it may give fewer, or none.

        What it gives is readable and in order, but not yet proven: check each commit.

        Raises:
            RpcError: the peer is not there or refuses; WireError: it sent nonsense and has been banned.
        """
        return await fetch_blocks(
            self._table, self._identity, self._limits, self._settings, self.counters, peer_id, start, count
        )

    async def fetch_blocks(
        self, preferred: bytes, start: int, count: int
    ) -> tuple[bytes, Sequence[tuple[Block, Commit]]]:
        """The same from ``preferred`` or whoever else delivers, with the next portions fetched from others meanwhile.

        For who asks for one portion after the other. Gives who delivered, and no blocks where nobody did.
        """
        fetched = await self._fetcher.get(preferred, start, count)
        return fetched.peer_id, fetched.blocks

    # -- inside ------------------------------------------------------------------------------------------

    def _put(self, peer_ids: Sequence[bytes], message: Message) -> None:
        sessions = [session for id_ in peer_ids if (session := self._table.sessions.get(id_)) is not None]
        if not sessions:
            return
        if isinstance(message, ProposalMessage):
            lane, data = Lane.PROPOSALS, write_proposal(message).SerializeToString()
        else:
            lane, data = Lane.CONSENSUS, write_control(message).SerializeToString()
        self.counters.messages_out[type(message).__name__] += len(sessions)
        for session in sessions:
            session.put(lane, data, self.counters)

    def _put_transactions(self, peer_ids: Sequence[bytes], transactions: Sequence[bytes]) -> None:
        sessions = [session for id_ in peer_ids if (session := self._table.sessions.get(id_)) is not None]
        if not sessions:
            return
        recipients = [session.peer_id for session in sessions]
        settings = self._settings
        for batch in in_batches(transactions, settings.gossip_transactions_max, settings.gossip_bytes_max):
            data = write_batch(batch, recipients).SerializeToString()
            self.counters.messages_out["TransactionBatch"] += len(sessions)
            self.counters.transactions_out += len(batch) * len(sessions)
            for session in sessions:
                session.put(Lane.TRANSACTIONS, data, self.counters)

    async def _flush_gossip(self) -> None:
        while True:
            await self._gossip_waiting.wait()
            with trio.move_on_after(self._settings.gossip_interval_s):
                await self._gossip_full.wait()
            self._gossip_waiting, self._gossip_full = trio.Event(), trio.Event()
            for outgoing in self._gossip.flush(tuple(self._table.sessions)):
                self._put_transactions(outgoing.peers, outgoing.transactions)

    def _set_trust(self) -> None:
        keys = (self._table.public_key(member) for member in self._table.members())
        self._trust.set_keys(key for key in keys if key is not None)

    def _adjust_dialing(self) -> None:
        if self._nursery is None:
            return
        wanted = {m for m in self._table.members() if m.endpoint}
        for member in self._dialing.keys() - wanted:
            self._dialing.pop(member).cancel()
        for member in wanted - self._dialing.keys():
            self._dialing[member] = trio.CancelScope()
            self._nursery.start_soon(self._dial, member, self._dialing[member])

    async def _dial(self, member: Member, scope: trio.CancelScope) -> None:
        with scope:
            await self._dialer.keep_connected(member)
