"""Everything that can happen to the consensus core.

The host gives one at a time to ``Consensus.step(input, now_ms)`` and performs the effects it returns before the
next. ``now_ms`` is the wall clock, milliseconds since 1970: it dates proposals and judges theirs.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from alatau.consensus.messages import Message
from alatau.consensus.records import Record, SignState
from alatau.types.block import Block
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit


class TimerKind(IntEnum):
    """What a timer is for."""

    PROPOSE = 1
    """L57: no acceptable proposal came."""
    PREVOTE = 2
    """L61: prevotes of a quorum disagree."""
    PRECOMMIT = 3
    """L65: precommits of a quorum disagree."""
    REBROADCAST = 4
    """A round lasts long: say our last votes again."""
    INTERVAL = 5
    """The minimum block interval is over."""
    HEARTBEAT = 6
    """Nobody had a transaction for long: an empty block is due."""
    SYNC = 7
    """A peer is ahead and we did not follow by ourselves."""
    JOIN = 8
    """A node without a past waited long enough to hear of a chain that exists."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Names one timer. A timer of a height or round that is over has no effect (Besu 1734)."""

    kind: TimerKind
    height: int
    round: int
    """0 for the kinds that belong to a height."""


@dataclass(frozen=True, slots=True)
class HeightContext:
    """What committed data says about the height to decide.

    Two nodes at one height have equal contexts, ``last_commit`` and ``transactions_waiting`` apart.
    """

    height: int
    validators: ValidatorSet
    """Decides ``height``."""
    next_validators: ValidatorSet
    """Decides ``height + 1``; known because a change takes effect two heights later."""
    parent_hash: bytes
    parent_timestamp: int
    """Seconds, of the parent's header."""
    last_commit: Commit | None
    """A commit of the parent; None where the parent is genesis."""
    absent: frozenset[bytes]
    """Validators passed over as proposers: ``proposer.absent_validators`` over the ``last_commit`` of the last
    ``absent_commits`` committed blocks, the parent's body included."""
    failing: frozenset[bytes]
    """Validators passed over because they sign but their proposals are not taken: ``proposer.failing_validators``."""
    transactions_waiting: bool
    """Whether the mempool has a transaction that a block could take."""


@dataclass(frozen=True, slots=True)
class InStart:
    """The node starts. The first input, once."""

    context: HeightContext
    records: tuple[Record, ...]
    """The log, in order, up to its last whole record. Records of other heights are ignored."""
    sign_state: SignState | None
    """What the sign-state file holds; None where there is none."""
    may_sign: bool
    """False keeps the validator silent: the host found its sign state older than its chain."""
    fresh: bool
    """No chain, no log and no sign state: ask around before voting for a first block (Besu 8307)."""


@dataclass(frozen=True, slots=True)
class InNewHeight:
    """The tip moved: by our own ``DoCommit``, whose block is now durable, or by blocks fetched from peers."""

    context: HeightContext


@dataclass(frozen=True, slots=True)
class InMessage:
    """A peer said something. Its form is checked; nothing else about it is believed."""

    peer: bytes
    """The peer's id: a validator's address, or an observer's key hash."""
    message: Message


@dataclass(frozen=True, slots=True)
class InTimeout:
    """A timer set by ``DoSetTimer`` ran out."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class InBlockBuilt:
    """Answers ``DoBuildBlock``. The host executed the block in building it, so it is valid."""

    round: int
    """As in the effect."""
    block: Block


@dataclass(frozen=True, slots=True)
class InBlockValidated:
    """Answers ``DoValidateBlock``, whenever it is done."""

    height: int
    block_hash: bytes
    error: str | None
    """Why the block is invalid; None where it is valid."""


@dataclass(frozen=True, slots=True)
class InTransactionsAvailable:
    """The mempool has something for a block. Cheap to repeat; counts until the height ends."""


@dataclass(frozen=True, slots=True)
class InPeerConnected:
    """A session with a peer began: it may have missed everything so far."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class InPeerDisconnected:
    """A session with a peer ended."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class InSyncFailed:
    """Answers ``DoRequestSync`` where the peer could not show what it claimed: do not ask it again soon."""

    peer: bytes


Input: TypeAlias = (
    InStart
    | InNewHeight
    | InMessage
    | InTimeout
    | InBlockBuilt
    | InBlockValidated
    | InTransactionsAvailable
    | InPeerConnected
    | InPeerDisconnected
    | InSyncFailed
)
PeerEvent: TypeAlias = InMessage | InPeerConnected | InPeerDisconnected
"""What the core hears of peers. Each is named by its id: a validator's address, or an observer's key hash."""
