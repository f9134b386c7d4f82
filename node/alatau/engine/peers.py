"""What the engine needs of the network. ``p2p.network.Network`` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from alatau.consensus.messages import Message
from alatau.types.block import Block
from alatau.types.vote import Commit


@dataclass(frozen=True, slots=True)
class PeerSaid:
    """A peer sent a consensus message."""

    peer: bytes
    """Its id: a validator's address, or an observer's key hash."""
    message: Message


@dataclass(frozen=True, slots=True)
class PeerCame:
    """A session with a peer began."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class PeerWent:
    """A session with a peer ended."""

    peer: bytes


PeerEvent: TypeAlias = PeerSaid | PeerCame | PeerWent


class FetchError(Exception):
    """A peer did not serve the blocks it was asked for: it stalled, closed, or sent what is none.

    The peer's fault; ask another.
    """


class Peers(Protocol):
    """The other nodes. Nothing here waits but ``fetch_blocks``."""

    def broadcast(self, message: Message) -> None:
        """Send to every connected peer."""

    def send(self, peer: bytes, message: Message) -> None:
        """Send to one peer, if it is connected."""

    def gossip_transactions(self, encoded: Sequence[bytes], source: bytes | None) -> None:
        """Pass transactions on to the peers that have not shown them, ``source`` least of all."""

    async def fetch_blocks(self, peer: bytes, start: int, count: int) -> list[tuple[Block, Commit]]:
        """Ask a peer for decided blocks with their commits, from height ``start``; fewer may come.

        Raises:
            FetchError: nothing usable came.
        """

    def report(self, peer: bytes, reason: str) -> None:
        """A peer sent what no correct node sends: count it against the peer."""
