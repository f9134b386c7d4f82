"""Everything a node knows about the height that it is deciding; gone when the next begins."""

from dataclasses import dataclass, field
from enum import Enum, auto

from alatau.consensus.driver import Driver
from alatau.consensus.effects import DoSetTimer
from alatau.consensus.inputs import HeightContext, Timer, TimerKind
from alatau.consensus.late_precommits import LatePrecommits
from alatau.consensus.proposer import Rotation, rotation
from alatau.consensus.seat import Seat
from alatau.consensus.timeouts import timeout_ms
from alatau.types.block import Block


class Phase(Enum):
    """Where a height is in its life."""

    WAITING = auto()
    """Nothing to decide yet."""
    RUNNING = auto()
    """In a round."""
    COMMITTING = auto()
    """Decided; the host commits."""
    HALTED = auto()
    """Decided against what this node finds valid."""


@dataclass(slots=True)
class Height:
    """One height: its rules, its messages and what has been asked of whom."""

    context: HeightContext
    rotation: Rotation
    driver: Driver
    late: LatePrecommits
    """The commit of the parent."""
    phase: Phase = Phase.WAITING
    transactions_waiting: bool = False
    interval_over: bool = False
    heartbeat_over: bool = False
    peer_began: bool = False
    """Whether somebody else votes at this height."""
    proposed_at_ms: int | None = None
    """When we saw the first proposal."""
    spare: Block | None = None
    """A block of ours that was built too slowly for its round."""
    validating: set[bytes] = field(default_factory=set)
    """Blocks that the host is at."""
    requested: set[tuple[int, bytes | None]] = field(default_factory=set)
    """(round, block) asked of peers since the last rebroadcast."""
    requests: int = 0
    """How many, to ask another voter each time."""
    convicted: set[bytes] = field(default_factory=set)
    """Validators whose equivocation was reported."""
    answers: dict[bytes, int] = field(default_factory=dict)
    """Costly answers given to each peer."""
    sync_timer_set: bool = False

    @property
    def number(self) -> int:
        """The height."""
        return self.context.height

    @property
    def undecided(self) -> bool:
        """Whether rules may still fire."""
        return self.phase in (Phase.WAITING, Phase.RUNNING)

    def proposer(self, round_: int) -> bytes:
        """Whose turn a round is."""
        return self.rotation.proposer(self.number, round_)


def new_height(context: HeightContext, late: LatePrecommits) -> Height:
    """The variables of a height before its first round (L1 to L10)."""
    return Height(
        context=context,
        rotation=rotation(context.validators, context.absent),
        driver=Driver(context.validators),
        late=late,
        transactions_waiting=context.transactions_waiting,
    )


def is_validator(seat: Seat, height: Height) -> bool:
    """Whether we are in the set that decides ``height``."""
    return seat.authority.address is not None and seat.authority.address in height.context.validators.by_address


def others(seat: Seat, height: Height) -> frozenset[bytes]:
    """The other validators of ``height``."""
    return frozenset(height.context.validators.by_address) - {seat.authority.address}


def set_timer(seat: Seat, height: Height, kind: TimerKind, delay_ms: int) -> None:
    """Set a timer of the height."""
    seat.do(DoSetTimer(Timer(kind, height.number, 0), delay_ms))


def set_round_timer(seat: Seat, height: Height, kind: TimerKind) -> None:
    """Set a timer of the current round, as long as that round's timeouts are."""
    round_ = height.driver.state.round
    seat.do(DoSetTimer(Timer(kind, height.number, round_), timeout_ms(seat.parameters, kind, round_)))
