"""What a node knows: of itself, from height to height, and of the height that it is deciding, until the next begins."""

from dataclasses import dataclass, field
from enum import Enum, auto

from alatau.consensus.authenticity import Authority
from alatau.consensus.driver import Driver
from alatau.consensus.effects import DoSetTimer, Effect
from alatau.consensus.inputs import HeightContext, Timer, TimerKind
from alatau.consensus.late_precommits import LatePrecommits
from alatau.consensus.peer_heights import PeerHeights
from alatau.consensus.proposer import Rotation, rotation
from alatau.consensus.signing import SigningGuard
from alatau.types.block import Block
from alatau.types.chain_config import ConsensusParameters


@dataclass(slots=True)
class ValidatorContext:
    """Who we are, what we may sign, whom we could ask, and the effects of the step that is running."""

    authority: Authority
    parameters: ConsensusParameters
    guard: SigningGuard
    peer_heights: PeerHeights = field(default_factory=PeerHeights)
    effects: list[Effect] = field(default_factory=list)
    now_ms: int = 0
    """Wall clock of this step."""
    last_proposal_ms: int = 0
    """When the last decided block was proposed: the block interval counts from there."""

    def do(self, *effects: Effect) -> None:
        """Ask the host for something, after everything asked before."""
        self.effects.extend(effects)


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
    reported: set[bytes] = field(default_factory=set)
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


def is_validator(ctx: ValidatorContext, height: Height) -> bool:
    """Whether we are in the set that decides ``height``."""
    return ctx.authority.address is not None and ctx.authority.address in height.context.validators.by_address


def others(ctx: ValidatorContext, height: Height) -> frozenset[bytes]:
    """The other validators of ``height``."""
    return frozenset(height.context.validators.by_address) - {ctx.authority.address}


def set_timer(ctx: ValidatorContext, height: Height, kind: TimerKind, delay_ms: int) -> None:
    """Set a timer of the height."""
    ctx.do(DoSetTimer(Timer(kind, height.number, 0), delay_ms))


def set_round_timer(ctx: ValidatorContext, height: Height, kind: TimerKind) -> None:
    """Set a timer of the current round, as long as that round's timeouts are."""
    round_ = height.driver.state.round
    ctx.do(DoSetTimer(Timer(kind, height.number, round_), timeout_ms(ctx.parameters, kind, round_)))


def timeout_ms(parameters: ConsensusParameters, kind: TimerKind, round_: int) -> int:
    """Delay of a step's timer, or of the rebroadcast, in ``round_``.

    Linear in the round, so that some round is long enough for any finite delay, and capped, so that a network
    that was down for a night is back within one timeout (Besu 7642). No power of two can overflow (Quorum 1664).
    """
    match kind:
        case TimerKind.PROPOSE | TimerKind.REBROADCAST:
            first = parameters.timeout_propose_ms
        case _:
            first = parameters.timeout_vote_ms
    return min(first + round_ * parameters.timeout_delta_ms, parameters.timeout_max_ms)
