"""Whole nodes without sockets: engine, consensus, store, journal and mempool are real, peers are in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from alatau.chain.execution import block_environment
from alatau.chain.genesis import make_genesis
from alatau.consensus.authenticity import Authority
from alatau.consensus.core import Consensus
from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected, PeerEvent
from alatau.consensus.messages import Message
from alatau.consensus.records import Record
from alatau.crypto.secp256k1 import PrivateKey, recover_address
from alatau.engine.admission import Admission, AdmissionView
from alatau.engine.chain_view import ChainView, open_chain_view
from alatau.engine.engine import Collaborators, Engine
from alatau.engine.journal import Journal, open_journal
from alatau.engine.production import Production
from alatau.engine.subscriptions import Subscriptions
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.storage.disk import Disk
from alatau.storage.store import Store
from alatau.types.block import Block
from alatau.types.chain_config import ConsensusParameters
from alatau.types.genesis import Genesis, genesis_validator_set
from alatau.types.vote import Commit, Proposal, Vote, consensus_domain
from tests.support.small_network import VALIDATORS, small_genesis

FAST = ConsensusParameters(
    block_interval_ms=20,
    heartbeat_ms=100,
    timeout_propose_ms=300,
    timeout_vote_ms=200,
    timeout_delta_ms=100,
    timeout_max_ms=2_000,
)
"""Quick enough for tests; nothing in them depends on how quick."""


class Hub:
    """Connects the nodes of a test; each may be cut off."""

    def __init__(self) -> None:
        self.members: dict[bytes, LocalPeers] = {}

    def join(self, member: "LocalPeers") -> None:
        """Connect a node with all others."""
        for other in self.members.values():
            other.hear(InPeerConnected(member.id))
            member.hear(InPeerConnected(other.id))
        self.members[member.id] = member

    def leave(self, member: "LocalPeers") -> None:
        """Cut a node off."""
        if self.members.pop(member.id, None) is not None:
            for other in self.members.values():
                other.hear(InPeerDisconnected(member.id))


class LocalPeers:
    """``engine.peers.Peers`` within a process."""

    def __init__(self, id_: bytes, hub: Hub, store: Store) -> None:
        self.id = id_
        self._hub = hub
        self._store = store
        self._say, self._hear = trio.open_memory_channel[PeerEvent](10_000)
        self._give, self._take = trio.open_memory_channel[tuple[bytes, tuple[bytes, ...]]](10_000)
        self.reported: list[tuple[bytes, str]] = []
        self.lie: Block | None = None
        """Served instead of the block of its height."""

    def hear(self, event: PeerEvent) -> None:
        """Something reaches this node."""
        self._say.send_nowait(event)

    def broadcast(self, message: Message) -> None:
        """To all that are connected."""
        for id_ in list(self._hub.members):
            self.send(id_, message)

    def send(self, peer_id: bytes, message: Message) -> None:
        """To one."""
        if self.id in self._hub.members and peer_id != self.id and peer_id in self._hub.members:
            self._hub.members[peer_id].hear(InMessage(self.id, message))

    def gossip_transactions(self, transactions: Sequence[bytes]) -> None:
        """To all."""
        for id_ in list(self._hub.members):
            self.send_transactions(id_, transactions)

    def send_transactions(self, peer_id: bytes, transactions: Sequence[bytes]) -> None:
        """To one."""
        if transactions and self.id in self._hub.members and peer_id != self.id and peer_id in self._hub.members:
            self._hub.members[peer_id]._give.send_nowait((self.id, tuple(transactions)))

    def report(self, peer_id: bytes, reason: str) -> None:
        """Note it."""
        self.reported.append((peer_id, reason))

    async def next_event(self) -> PeerEvent:
        """What comes in."""
        return await self._hear.receive()

    async def next_transactions(self) -> tuple[bytes, tuple[bytes, ...]]:
        """What is passed on."""
        return await self._take.receive()

    async def fetch_blocks(
        self, preferred: bytes, start: int, count: int
    ) -> tuple[bytes, Sequence[tuple[Block, Commit]]]:
        """From the other's store."""
        await trio.lowlevel.checkpoint()
        other = self._hub.members.get(preferred)
        if other is None or self.id not in self._hub.members:
            return preferred, ()
        return preferred, other.serve(start, count)

    def serve(self, start: int, count: int) -> list[tuple[Block, Commit]]:
        """Committed blocks."""
        found = []
        for height in range(start, start + count):
            block, commit = self._store.block(height), self._store.commit_of(height)
            if block is None or commit is None:
                break
            lying = self.lie is not None and self.lie.header.number == height
            found.append((self.lie if lying and self.lie else block, commit))
        return found


@dataclass(slots=True)
class LocalNode:
    """A node and what it is made of."""

    key: PrivateKey
    store: Store
    journal: Journal
    view: ChainView
    mempool: Mempool
    admission: Admission
    subscriptions: Subscriptions
    peers: LocalPeers
    engine: Engine
    records: tuple[Record, ...]
    """What the log held."""
    domain: bytes
    evidence: list[tuple[Vote | Proposal, Vote | Proposal]] = field(default_factory=list)

    def state_roots(self) -> list[bytes]:
        """Of every block."""
        return [self.store.header(h).state_root for h in range(self.view.height + 1)]


def local_genesis() -> Genesis:
    """Four validators, fast."""
    return small_genesis(consensus=FAST)


@asynccontextmanager
async def opened_node(
    key: PrivateKey, genesis: Genesis, folder: Path, hub: Hub, disk: Disk | None = None
) -> AsyncIterator[LocalNode]:
    """A node on what lies in ``folder``, not started."""
    made = make_genesis(genesis)
    store = Store.open(folder / "data", disk=disk)
    journal, recovered = open_journal(folder / "wal", folder / "sign_state.json", disk)
    try:
        store.init_genesis(made)
        view = open_chain_view(genesis.config, store, genesis_validator_set(genesis))
        domain = consensus_domain(genesis.config.chain_id, made.block.hash)
        mempool = Mempool(MempoolLimits(), 0)
        peers = LocalPeers(key.address, hub, store)

        def admission_view() -> AdmissionView:
            tip = view.tip
            return AdmissionView(tip.state, block_environment(genesis.config, tip.header, tip.block_hash))

        admission = Admission(mempool, genesis.config, admission_view, _now_ms, peers.gossip_transactions)
        subscriptions = Subscriptions()
        evidence: list[tuple[Vote | Proposal, Vote | Proposal]] = []
        voting = key.address in genesis_validator_set(genesis).by_address
        engine = Engine(
            Collaborators(
                view=view,
                consensus=Consensus(
                    Authority(key.address if voting else None, key.sign, recover_address, domain),
                    genesis.config,
                ),
                journal=journal,
                mempool=mempool,
                admission=admission,
                production=Production(genesis.config, domain, mempool, admission, 0.01, _now_ms),
                subscriptions=subscriptions,
                peers=peers,
                validator=key.address if voting else None,
                domain=domain,
                now_ms=_now_ms,
                report_evidence=lambda a, b: evidence.append((a, b)),
                members_changed=lambda _: None,
            )
        )
        parts = (
            key,
            store,
            journal,
            view,
            mempool,
            admission,
            subscriptions,
            peers,
            engine,
            recovered.records,
            domain,
            evidence,
        )
        yield LocalNode(*parts)
    finally:
        journal.close()
        store.close()


@asynccontextmanager
async def running_node(
    key: PrivateKey, genesis: Genesis, folder: Path, hub: Hub, disk: Disk | None = None
) -> AsyncIterator[LocalNode]:
    """A node that takes part until the context ends."""
    async with opened_node(key, genesis, folder, hub, disk) as node, trio.open_nursery() as nursery:
        await nursery.start(node.engine.run, node.records)
        hub.join(node.peers)
        try:
            yield node
        finally:
            hub.leave(node.peers)
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def running_network(
    folder: Path, count: int = 4, genesis: Genesis | None = None
) -> AsyncIterator[list[LocalNode]]:
    """The first ``count`` of four validators."""
    hub, genesis = Hub(), genesis or local_genesis()
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running_node(key, genesis, folder / str(n), hub))
            for n, key in enumerate(VALIDATORS[:count])
        ]


async def wait_for_height(nodes: Sequence[LocalNode], height: int) -> None:
    """Until all have decided it; a test that waits longer than 20 s fails."""
    with trio.fail_after(20):
        while any(node.view.height < height for node in nodes):  # noqa: ASYNC110  several nodes, one look
            await trio.sleep(0.01)


def _now_ms() -> int:
    return 1_700_000_000_000 + round(trio.current_time() * 1_000) % 10**9
