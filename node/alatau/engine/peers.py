"""What the engine needs of the network; ``p2p.network.Network`` is one."""

from collections.abc import Sequence
from typing import Protocol

from alatau.consensus.inputs import PeerEvent
from alatau.consensus.messages import Message
from alatau.types.block import Block
from alatau.types.vote import Commit


class Peers(Protocol):
    """The other nodes. Sending never waits."""

    def broadcast(self, message: Message) -> None:
        """Send to every connected peer."""

    def send(self, peer_id: bytes, message: Message) -> None:
        """Send to one peer, if it is connected."""

    def gossip_transactions(self, transactions: Sequence[bytes]) -> None:
        """Pass encoded transactions on to the peers that have not shown them."""

    def send_transactions(self, peer_id: bytes, transactions: Sequence[bytes]) -> None:
        """Give a peer that has just connected what waits in the pool."""

    def report(self, peer_id: bytes, reason: str) -> None:
        """A peer sent what no correct node sends: count it against the peer."""

    async def next_event(self) -> PeerEvent:
        """What a peer said about consensus, or that one connected or disconnected."""

    async def next_transactions(self) -> tuple[bytes, tuple[bytes, ...]]:
        """(peer id, encoded transactions that it passed on and no other had shown)."""

    async def fetch_blocks(
        self, preferred: bytes, start: int, count: int
    ) -> tuple[bytes, Sequence[tuple[Block, Commit]]]:
        """Ask for decided blocks with their commits, ascending from height ``start``; fewer may come.

        Another peer than the preferred one may give them. The next ones may be fetched meanwhile, from several at once.

        Returns:
            Who gave them, and the blocks: nothing is checked yet. None where nobody delivered.
        """
