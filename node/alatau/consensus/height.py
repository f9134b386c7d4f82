"""What a node knows: of itself, from height to height, and of the height that it is deciding, until the next begins."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from alatau.consensus.authenticity import Authority
from alatau.consensus.clock_watch import ClockWatch
from alatau.consensus.driver import Driver
from alatau.consensus.effects import Alarm, DoAlarm, DoSetTimer, Effect
from alatau.consensus.inputs import HeightContext, Timer, TimerKind
from alatau.consensus.last_height import LastHeight
from alatau.consensus.message_checks import VOTES_PER_VALIDATOR_MAX
from alatau.consensus.peer_heights import PeerHeights
from alatau.consensus.proposer import Rotation, rotation
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord
from alatau.consensus.signing import SigningGuard, sign_step
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig, ConsensusParameters
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Proposal, Vote


@dataclass(slots=True)
class ValidatorContext:
    """Who we are, what we may sign, whom we could ask, and the effects of the step that is running."""

    authority: Authority
    config: ChainConfig
    guard: SigningGuard
    peer_heights: PeerHeights = field(default_factory=PeerHeights)
    clock: ClockWatch = field(default_factory=ClockWatch)
    effects: list[Effect] = field(default_factory=list)
    now_ms: int = 0
    """Wall clock of this step."""
    last_proposal_ms: int = 0
    """When the last decided block was proposed: the block interval counts from there."""

    @property
    def parameters(self) -> ConsensusParameters:
        """Timing and liveness rules."""
        return self.config.consensus

    def do(self, *effects: Effect) -> None:
        """Ask the host for something, after everything asked before."""
        self.effects.extend(effects)

    def recognise(self, signed: Vote | Proposal) -> None:
        """Something with a right signature of our key came from elsewhere: whose is it?"""
        if self.guard.recognise(signed):
            what = f"a {sign_step(signed).name.lower()} of height {signed.height}, round {signed.round}"
            self.do(DoAlarm(Alarm.KEY_IN_USE, f"{what} is signed with our key, and not by this node"))


LOG_BYTES: Final = 128 * 1024 * 1024
"""A height that logged so much is stalled, and most of it is of rounds that are over: the log is written anew with
what a restart needs. An eighth of the log's bound, since a round may add several blocks before the next begins."""

_WORK_BASE: Final = 256
"""Signature checks that a peer may cause in a round, or until the rebroadcast after at least one propose timeout,
besides those of the votes of every validator: 12 ms of work. A full block counts for 80."""

_PEERS_MAX: Final = 1_024
"""Peers whose work is counted; p2p holds fewer sessions."""


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
    last: LastHeight
    """The commit and the votes of the parent."""
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
    work: dict[bytes, int] = field(default_factory=dict)
    """Signature checks that each peer has caused since the last round or rebroadcast."""
    clock_offsets_ms: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    """Block -> who proposed it first, and how far the clock of that validator was ahead of ours then."""
    own: list[OwnVoteRecord | OwnProposalRecord] = field(default_factory=list)
    """What we signed: all of it is in the log, and stays when the log is written anew."""
    logged_blocks: set[bytes] = field(default_factory=set)
    """Blocks in the log."""
    logged_bytes: int = 0
    """About how long the log is."""
    rewrite_at_bytes: int = LOG_BYTES
    """How long it may become before it is written anew."""
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
        return self.rotation.proposer(round_)


def new_height(context: HeightContext, last: LastHeight) -> Height:
    """The variables of a height before its first round (L1 to L10)."""
    return Height(
        context=context,
        rotation=rotation(context.validators, context.height, context.absent, context.failing),
        driver=Driver(context.validators),
        last=last,
        transactions_waiting=context.transactions_waiting,
    )


def afford(height: Height, peer: bytes, checks: int) -> bool:
    """Count signature checks against a peer's share; whether they are within it. Nothing may be done if not.

    Each peer has its own share, so that nobody's flood costs another's vote. What is refused comes again with the
    next rebroadcast; by then, or by the next round, the share is whole.
    """
    spent = height.work.get(peer, 0)
    if spent + checks > work_share(height.context.validators) or (not spent and len(height.work) >= _PEERS_MAX):
        return False
    height.work[peer] = spent + checks
    return True


def work_share(validators: ValidatorSet) -> int:
    """Signature checks that one peer may cause in a round."""
    return _WORK_BASE + VOTES_PER_VALIDATOR_MAX * len(validators.validators)


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
