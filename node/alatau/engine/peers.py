"""What the engine needs of the network. ``app`` provides it over ``p2p.network.Network``."""

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


@dataclass(frozen=True, slots=True)
class Fetched:
    """Blocks with the commits that decide them, as a peer gave them: nothing is checked yet."""

    peer: bytes
    blocks: tuple[tuple[Block, Commit], ...]
    """Empty where the peer could not serve."""


class FetchError(Exception):
    """A peer did not serve the blocks it was asked for: it stalled, closed, or sent what is none.

    The peer's fault; ask another.
    """


class Peers(Protocol):
    """The other nodes. Sending never waits."""

    def broadcast(self, message: Message) -> None:
        """Send to every connected peer."""

    def send(self, peer: bytes, message: Message) -> None:
        """Send to one peer, if it is connected."""

    def gossip_transactions(self, encoded: Sequence[bytes]) -> None:
        """Pass transactions on to the peers that have not shown them."""

    def send_transactions(self, peer: bytes, encoded: Sequence[bytes]) -> None:
        """Give a peer that has just come what waits in the pool."""

    def report(self, peer: bytes, reason: str) -> None:
        """A peer sent what no correct node sends: count it against the peer."""

    async def next_event(self) -> PeerEvent:
        """What a peer said about consensus, or that one came or went."""

    async def next_transactions(self) -> tuple[bytes, ...]:
        """Transactions that a peer passed on and no other had shown."""

    async def fetch_blocks(self, peer: bytes, start: int, count: int) -> Fetched:
        """Ask for decided blocks with their commits, from height ``start``; fewer may come, or none.

        ``peer`` is a hint: another may give them. The next ones may be fetched meanwhile, from several at once.

        Raises:
            FetchError: nothing usable came.
        """
