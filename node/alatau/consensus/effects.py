"""What the consensus core asks of its host.

The host performs the effects of a step **in their order**, and all of them before the next step. What this
validator signs must not be forgotten in a crash, so before each of its signatures leaves stand

* ``DoPersist``, which appends to the log and need not wait for the disk, and
* ``DoRecordSignState``, which waits until first the log, then the sign state is durable.

Nothing else waits for the disk: peers' votes and proposals that a crash takes from the log's tail are sent again,
and a commit proves itself. If one effect fails, the host performs nothing further and stops: the core believes
that it was done.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from alatau.consensus.errors import MessageError
from alatau.consensus.inputs import Timer
from alatau.consensus.messages import Message
from alatau.consensus.records import Record, SignState
from alatau.types.block import Block
from alatau.types.vote import Commit, Proposal, Vote


@dataclass(frozen=True, slots=True)
class DoResetLog:
    """Begin the log anew: everything in it is of heights below ``height``, which are committed.

    Need not be durable. A record of an earlier height that survives is ignored.
    """

    height: int


@dataclass(frozen=True, slots=True)
class DoRewriteLog:
    """Replace the log by these records, at once and durably (fsync), before anything later in the list.

    Happens where a height lasts so long that the log holds far more than a restart needs. It was large enough for
    the log and is not any more: a log that reaches its bound would stop the node.
    """

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class DoPersist:
    """Append to the log; durable no later than with the next ``DoRecordSignState``."""

    record: Record


@dataclass(frozen=True, slots=True)
class DoRecordSignState:
    """Flush the log (fsync), then make the sign state durable (fsync), before anything later in the list.

    The signatures it stands for follow in ``DoBroadcast``; where a step signs several things, this is the last of
    them, and the log holds them all. If the file holds a later state than this one,
    another process signs with our key or the file was changed: stop the node.
    """

    sign_state: SignState


@dataclass(frozen=True, slots=True)
class DoBroadcast:
    """Send to every connected peer, observers included."""

    message: Message


@dataclass(frozen=True, slots=True)
class DoSend:
    """Send to one peer; drop it if the peer is gone."""

    peer: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class DoSetTimer:
    """Feed ``InTimeout(timer)`` after ``delay_ms``. A second setting of an equal timer replaces the first."""

    timer: Timer
    delay_ms: int


@dataclass(frozen=True, slots=True)
class DoCancelTimers:
    """Forget every timer. One that fires all the same is harmless."""


@dataclass(frozen=True, slots=True)
class DoBuildBlock:
    """It is our turn: build a block on the parent and answer ``InBlockBuilt``. An empty one is fine.

    Answer even when late; the core drops a block whose round is over.
    """

    height: int
    round: int
    last_commit: Commit | None
    """To carry in the body: the parent's commit with every precommit that came since."""
    timestamp: int
    """Seconds, for the header."""


@dataclass(frozen=True, slots=True)
class DoValidateBlock:
    """Check and execute the block on the parent; answer ``InBlockValidated``.

    Asked once per block, or again for one that was proposed anew long after: keep results by hash. The host checks
    everything about the block but its time against our clock, which the core has done.
    """

    block: Block


@dataclass(frozen=True, slots=True)
class DoCommit:
    """The block is decided. Make it and its commit durable, apply it, answer ``InNewHeight``."""

    block: Block
    commit: Commit


@dataclass(frozen=True, slots=True)
class DoReportEvidence:
    """A validator signed two things where it may sign one. Send both to the validator registry.

    At most one a validator and height. Every node that has proof is asked; the hosts see to it that one of them sends
    it, and again until it is on chain.
    """

    first: Vote | Proposal
    second: Vote | Proposal


@dataclass(frozen=True, slots=True)
class DoRequestSync:
    """Fetch blocks from ``height`` on, at best from this peer; answer ``InNewHeight`` or ``InSyncFailed``.

    A request while another runs replaces nothing: the host may treat it as a reminder.
    """

    peer: bytes
    height: int


@dataclass(frozen=True, slots=True)
class DoReportPeer:
    """A peer sent something that no correct node sends. Drop it, and keep it out for a while."""

    peer: bytes
    error: MessageError


class Alarm(Enum):
    """What an operator has to know at once; the value is a stable word for logs."""

    KEY_IN_USE = "consensus.key_in_use_elsewhere"
    """Another process signs with our key: this one keeps silent."""
    SIGNING_AGAIN = "consensus.signing_again"
    """No sign of the other process since: this one signs again."""
    CLOCK_OFF = "consensus.clock_off"
    """Our clock is not that of the others: they refuse our proposals, and we prevote nil on theirs."""
    CLOCK_RIGHT = "consensus.clock_right"
    """It agrees with theirs again."""


@dataclass(frozen=True, slots=True)
class DoAlarm:
    """Tell the operator, loudly. Repeated while it lasts, at most once in some heights."""

    alarm: Alarm
    detail: str


@dataclass(frozen=True, slots=True)
class DoHalt:
    """Stop the node: going on could contradict what the network decided. An operator has to look.

    Happens where more than two thirds of the power precommit a block that this node finds invalid: this node's
    execution or disk is wrong, or theirs is.
    """

    reason: str


Effect: TypeAlias = (
    DoResetLog
    | DoRewriteLog
    | DoPersist
    | DoRecordSignState
    | DoBroadcast
    | DoSend
    | DoSetTimer
    | DoCancelTimers
    | DoBuildBlock
    | DoValidateBlock
    | DoCommit
    | DoReportEvidence
    | DoRequestSync
    | DoReportPeer
    | DoAlarm
    | DoHalt
)
