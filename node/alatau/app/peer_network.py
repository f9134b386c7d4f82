"""The peer network as the engine wants it, and the committed chain as peers want it."""

from collections.abc import Sequence
from dataclasses import dataclass

from alatau.chain.registry_reader import read_observers
from alatau.consensus.messages import Message
from alatau.engine.chain_view import ChainView
from alatau.engine.peers import Fetched, FetchError, PeerCame, PeerEvent, PeerSaid, PeerWent
from alatau.p2p.member import Member, PeerConnected, PeerLost
from alatau.p2p.network import Network
from alatau.storage.store import Store
from alatau.transport.errors import RpcError
from alatau.types.block import Block
from alatau.types.genesis import Genesis
from alatau.types.vote import Commit


@dataclass(frozen=True, slots=True)
class StoredBlocks:
    """Serves committed blocks to peers."""

    store: Store

    def height(self) -> int:
        """Height of the last committed block."""
        tip = self.store.tip
        return 0 if tip is None else tip.number

    def committed(self, height: int) -> tuple[Block, Commit] | None:
        """A committed block with its commit; None above the tip and for genesis."""
        block, commit = self.store.block(height), self.store.commit_of(height)
        return None if block is None or commit is None else (block, commit)


@dataclass(frozen=True, slots=True)
class NetworkPeers:
    """``engine.peers.Peers`` over a ``Network``."""

    network: Network

    def broadcast(self, message: Message) -> None:
        """Send to every connected peer."""
        self.network.broadcast(message)

    def send(self, peer: bytes, message: Message) -> None:
        """Send to one peer, if it is connected."""
        self.network.send(peer, message)

    def gossip_transactions(self, encoded: Sequence[bytes]) -> None:
        """Pass transactions on to the peers that have not shown them."""
        self.network.gossip_transactions(encoded)

    def send_transactions(self, peer: bytes, encoded: Sequence[bytes]) -> None:
        """Give a peer what waits in the pool."""
        self.network.send_transactions(peer, encoded)

    def report(self, peer: bytes, reason: str) -> None:
        """Count it against the peer."""
        self.network.report(peer, reason)

    async def next_event(self) -> PeerEvent:
        """The next thing that a peer said about consensus, or that became of one."""
        peer, event = await self.network.consensus.receive()
        match event:
            case PeerConnected():
                return PeerCame(peer)
            case PeerLost():
                return PeerWent(peer)
            case _:
                return PeerSaid(peer, event)

    async def next_transactions(self) -> tuple[bytes, ...]:
        """Transactions that no peer had shown before."""
        _, encoded = await self.network.transactions.receive()
        return encoded

    async def fetch_blocks(self, peer: bytes, start: int, count: int) -> Fetched:
        """Decided blocks from a peer, the next ones being fetched from others meanwhile; raises ``FetchError``."""
        try:
            fetched = await self.network.fetch_ahead(peer, start, count)
        except RpcError as error:
            raise FetchError(str(error)) from error
        return Fetched(fetched.peer_id, tuple(fetched.blocks))


def members_of(genesis: Genesis, view: ChainView) -> tuple[Member, ...]:
    """Who belongs to the network now: the validators of the next heights and the registered observers.

    Founders' TLS keys are in the genesis file. Of those who came later the registry keeps the hash, and the key
    itself is learnt from the node that answers at their endpoint with it.
    """
    keys = {v.tls_key_hash: v.tls_public_key for v in genesis.validators}
    members: dict[bytes, Member] = {}
    for height in sorted(view.validators):
        for v in view.validators[height].validators:
            members[v.tls_key_hash] = Member(v.tls_key_hash, keys.get(v.tls_key_hash), v.address, v.endpoint, v.name)
    if genesis.config.system.validator_registry is not None:
        for observer in read_observers(view.tip, genesis.config):
            key_hash = observer.tls_key_hash
            members.setdefault(key_hash, Member(key_hash, keys.get(key_hash), None, "", observer.name))
    return tuple(members.values())
