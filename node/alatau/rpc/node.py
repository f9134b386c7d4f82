"""What the services need of a running node.

``app`` implements :class:`Node` over the engine, the store and the peers. All values are snapshots: frozen, taken
at the moment of the question. All but ``admission`` answers at once, so a service never waits on consensus.
"""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import trio

from alatau.chain.executed import ExecutedBlock
from alatau.consensus.view import RoundView
from alatau.mempool.pool import Mempool
from alatau.storage.scrub import NOTHING_SCRUBBED, ScrubState
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet
from alatau.wire.status import SyncState

__all__ = ["Node", "NodeStatus", "PeerView", "Refusal", "Subscriptions", "SyncState", "TransactionIntake"]


class Refusal(Protocol):
    """Why the pool did not take a transaction."""

    @property
    def reason(self) -> str:
        """Name of an ``ErrorReason``, without its prefix; see docs/errors.md."""

    @property
    def message(self) -> str:
        """For people: what is wrong, with the values, and what to do."""

    @property
    def retry_after_s(self) -> float | None:
        """When to try again, where waiting helps and the time is known."""

    @property
    def next_nonce(self) -> int | None:
        """Where the nonce is what is wrong: the one to send next."""

    @property
    def values(self) -> Mapping[str, str]:
        """What the message says in words, for programs: metadata of the error."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What changes from moment to moment and is not in the store."""

    sync_state: SyncState
    highest_peer_height: int
    """Highest height that a peer claims; 0 where none does."""
    pool_transactions: int
    pool_bytes: int
    validator_address: bytes | None
    """Address of this node's voting key; None for an observer."""
    since_last_block_ms: int = 0
    """Since a block was committed last, or the node started."""
    scrub: ScrubState = NOTHING_SCRUBBED
    """What the background scrub of the database has found."""
    kept_out_by: Mapping[str, str] = field(default_factory=dict)
    """Name of a peer -> why it has banned this node."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """A connected node."""

    id: bytes
    """Validator address, or an observer's TLS key hash."""
    name: str
    address: str
    """``host:port``."""
    validator: bool
    outbound: bool
    height: int
    round_trip_us: int | None
    """None where it is not measured yet."""
    """0 where not measured yet."""
    connected_at_ms: int


class TransactionIntake(Protocol):
    """The way into the pool."""

    async def submit(self, transactions: Sequence[bytes], caller: Hashable) -> Sequence[Refusal | None]:
        """Offer signed bytes to the pool, those of one sender in order of nonce.

        ``caller`` (the key of its certificate, or its address) is whose turn it is: each has a queue of its own.
        Gives one entry for each: None where the pool has it now (or had it already). Returns when they are pooled,
        not when they are final. Never raises for what a sender did.
        """


class Subscriptions(Protocol):
    """Committed blocks, for those who follow them."""

    def open(self) -> AbstractContextManager[trio.MemoryReceiveChannel[ExecutedBlock]]:
        """Blocks committed from now on, sent after the store has them.

        The channel ends where the subscriber lagged further behind than the node keeps; it then opens another and
        reads what it missed from the store.
        """


class Node(Protocol):
    """A running node, as the services see it."""

    @property
    def config(self) -> ChainConfig:
        """The rules of the network."""

    @property
    def store(self) -> Store:
        """Committed blocks and state."""

    @property
    def mempool(self) -> Mempool:
        """What waits. Services ask; only ``admission`` brings something in."""

    @property
    def admission(self) -> TransactionIntake:
        """Where transactions are offered."""

    @property
    def subscriptions(self) -> Subscriptions:
        """Where blocks are followed."""

    def next_nonce(self, address: bytes) -> int:
        """The account's nonce, past its transactions that wait in the pool without a gap."""

    def next_block_time(self) -> int:
        """The timestamp that a block proposed now would have, seconds since 1970; never below the tip's."""

    def status(self) -> NodeStatus:
        """Sync state and pool."""

    def round_view(self) -> RoundView | None:
        """The round; None before the node has joined consensus for the first time."""

    def cut_off(self) -> str | None:
        """Why nothing that is submitted here would reach a validator, in words; None where it would.

        True of a node that others have banned, or that has been without any peer for longer than dialling takes.
        """

    def peers(self) -> Sequence[PeerView]:
        """Connected nodes."""

    def validators(self, height: int) -> ValidatorSet | None:
        """The set that decides ``height``; None where that is not known (too far ahead, or pruned)."""
