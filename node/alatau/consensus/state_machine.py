"""The round state machine: the rules of Algorithm 1 of arXiv 1807.04938, line by line.

One :class:`RoundState` goes through the rounds of one height. :func:`apply` takes an event and gives the next
state with what to do about it; it knows no votes and no blocks, only hashes. The driver watches the messages and
raises the events; every guard on the node's own variables (step, locked and valid value) stands here.

    =====  ====================================================  ===========================
    lines  upon                                                  event
    =====  ====================================================  ===========================
    11-21  StartRound(round)                                     StartRound
    22-27  proposal, valid round -1, step propose                Proposed
    28-33  proposal with valid round and its polka, propose      Proposed
    34-35  prevotes of a quorum, step prevote                    PrevotesOfQuorum
    36-43  proposal with polka of this round, prevote or later   Polka
    44-46  polka for nil, step prevote                           PolkaForNil
    47-48  precommits of a quorum                                PrecommitsOfQuorum
    49-54  proposal with a quorum of precommits, any round       Precommitted
    55-56  f+1 messages of a later round                         StartRound
    57-60  timeout propose                                       TimedOut(PROPOSE)
    61-64  timeout prevote                                       TimedOut(PREVOTE)
    65-67  timeout precommit                                     TimedOut(PRECOMMIT)
    =====  ====================================================  ===========================

One departure: a proposer, too, sets its propose timer (L20 sets it only for the others). In the paper
``getValue()`` is immediate; here a block is built for a while, and a builder that hangs must not hold its node.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from alatau.consensus.inputs import TimerKind
from alatau.types.vote import NO_ROUND, VoteKind


class Step(IntEnum):
    """Where a node is in its round; the order is that of L36's ``step >= prevote``."""

    UNSTARTED = 0
    """Before round 0: waiting for a transaction or the heartbeat."""
    PROPOSE = 1
    PREVOTE = 2
    PRECOMMIT = 3
    DECIDED = 4


@dataclass(frozen=True, slots=True)
class RoundState:
    """The variables of L1 to L9 that last longer than a rule."""

    round: int = 0
    step: Step = Step.UNSTARTED
    locked_round: int = NO_ROUND
    locked_hash: bytes | None = None
    valid_round: int = NO_ROUND
    valid_hash: bytes | None = None
    prevote_timer: bool = False
    """Whether L34 has fired in this round ("for the first time")."""
    precommit_timer: bool = False
    """Whether L47 has fired in this round."""


@dataclass(frozen=True, slots=True)
class StartRound:
    """L11, reached from the start of the height, L56 and L67."""

    round: int
    is_proposer: bool


@dataclass(frozen=True, slots=True)
class Proposed:
    """L22, and L28 where ``valid_round`` is not -1: then its polka is there."""

    block_hash: bytes
    valid_round: int
    acceptable: bool
    """The paper's valid(v); for a first proposal also that its time is near our clock."""


@dataclass(frozen=True, slots=True)
class PrevotesOfQuorum:
    """L34."""


@dataclass(frozen=True, slots=True)
class Polka:
    """L36: 2f+1 prevotes of this round for a block that is here and valid."""

    block_hash: bytes


@dataclass(frozen=True, slots=True)
class PolkaForNil:
    """L44."""


@dataclass(frozen=True, slots=True)
class PrecommitsOfQuorum:
    """L47."""


@dataclass(frozen=True, slots=True)
class Precommitted:
    """L49: 2f+1 precommits of any one round for a block that is here and valid."""

    round: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class TimedOut:
    """L57, L61, L65."""

    kind: TimerKind
    round: int


Event: TypeAlias = (
    StartRound | Proposed | PrevotesOfQuorum | Polka | PolkaForNil | PrecommitsOfQuorum | Precommitted | TimedOut
)


@dataclass(frozen=True, slots=True)
class Propose:
    """L14 to L19: propose the valid block, or build one where there is none."""

    round: int
    valid_round: int
    valid_hash: bytes | None


@dataclass(frozen=True, slots=True)
class CastVote:
    """Sign and broadcast a vote of the current round."""

    kind: VoteKind
    block_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Set the current round's timer of this kind."""

    kind: TimerKind


@dataclass(frozen=True, slots=True)
class NextRound:
    """L67: start this round."""

    round: int


@dataclass(frozen=True, slots=True)
class Decide:
    """L51: the height is decided."""

    round: int
    block_hash: bytes


Output: TypeAlias = Propose | CastVote | Schedule | NextRound | Decide
Transition: TypeAlias = tuple[RoundState, tuple[Output, ...]]


def apply(state: RoundState, event: Event) -> Transition:
    """The next state and what to do; the state itself and nothing where a guard does not hold."""
    if state.step is Step.DECIDED:
        return state, ()
    match event:
        case StartRound(round_, is_proposer):
            after = _start_round(state, round_, is_proposer=is_proposer)
        case Proposed(block_hash, valid_round, acceptable):
            after = _proposed(state, block_hash, valid_round, acceptable=acceptable)
        case Polka(block_hash):
            after = _polka(state, block_hash)
        case PolkaForNil():
            after = _polka_for_nil(state)
        case PrevotesOfQuorum():
            after = _prevotes_of_quorum(state)
        case PrecommitsOfQuorum():
            after = _precommits_of_quorum(state)
        case Precommitted(round_, block_hash):
            after = replace(state, step=Step.DECIDED), (Decide(round_, block_hash),)  # L49 to L54
        case TimedOut(kind, round_):
            after = _timed_out(state, kind, round_)
    _check(state, after[0])
    return after


def _start_round(state: RoundState, round_: int, *, is_proposer: bool) -> Transition:
    if round_ < state.round or (round_ == state.round and state.step is not Step.UNSTARTED):
        return state, ()
    started = replace(state, round=round_, step=Step.PROPOSE, prevote_timer=False, precommit_timer=False)  # L12, L13
    schedule = Schedule(TimerKind.PROPOSE)  # L21
    if is_proposer:
        return started, (schedule, Propose(round_, state.valid_round, state.valid_hash))  # L14 to L19
    return started, (schedule,)


def _proposed(state: RoundState, block_hash: bytes, valid_round: int, *, acceptable: bool) -> Transition:
    if state.step is not Step.PROPOSE or valid_round >= state.round:
        return state, ()
    unlocked = state.locked_round <= valid_round  # L23, where valid_round is -1: not locked at all; L29
    if acceptable and (unlocked or state.locked_hash == block_hash):
        return _prevote(state, block_hash)  # L24, L30
    return _prevote(state, None)  # L26, L32


def _polka(state: RoundState, block_hash: bytes) -> Transition:
    if state.step not in (Step.PREVOTE, Step.PRECOMMIT):
        return state, ()
    valid = replace(state, valid_hash=block_hash, valid_round=state.round)  # L42, L43
    if state.step is Step.PRECOMMIT:
        return valid, ()
    locked = replace(valid, locked_hash=block_hash, locked_round=state.round, step=Step.PRECOMMIT)  # L38, L39, L41
    return locked, (CastVote(VoteKind.PRECOMMIT, block_hash),)  # L40


def _polka_for_nil(state: RoundState) -> Transition:
    return _precommit_nil(state) if state.step is Step.PREVOTE else (state, ())  # L45, L46


def _prevotes_of_quorum(state: RoundState) -> Transition:
    if state.step is not Step.PREVOTE or state.prevote_timer:
        return state, ()
    return replace(state, prevote_timer=True), (Schedule(TimerKind.PREVOTE),)  # L35


def _precommits_of_quorum(state: RoundState) -> Transition:
    if state.step is Step.UNSTARTED or state.precommit_timer:
        return state, ()
    return replace(state, precommit_timer=True), (Schedule(TimerKind.PRECOMMIT),)  # L48


def _timed_out(state: RoundState, kind: TimerKind, round_: int) -> Transition:
    if round_ != state.round:
        return state, ()
    match kind, state.step:
        case TimerKind.PROPOSE, Step.PROPOSE:
            return _prevote(state, None)  # L59, L60
        case TimerKind.PREVOTE, Step.PREVOTE:
            return _precommit_nil(state)  # L63, L64
        case TimerKind.PRECOMMIT, Step.PROPOSE | Step.PREVOTE | Step.PRECOMMIT:
            return state, (NextRound(state.round + 1),)  # L67
        case _:
            return state, ()


def _prevote(state: RoundState, block_hash: bytes | None) -> Transition:
    return replace(state, step=Step.PREVOTE), (CastVote(VoteKind.PREVOTE, block_hash),)


def _precommit_nil(state: RoundState) -> Transition:
    return replace(state, step=Step.PRECOMMIT), (CastVote(VoteKind.PRECOMMIT, None),)


def _check(before: RoundState, after: RoundState) -> None:
    """What no rule may break: rounds and locks only grow, and a locked value is a valid one."""
    assert (after.round, after.step) >= (before.round, before.step)
    assert before.locked_round <= after.locked_round <= after.valid_round <= after.round
    assert before.valid_round <= after.valid_round
    assert (after.locked_hash is None) == (after.locked_round == NO_ROUND)
    assert after.locked_round != after.valid_round or after.locked_hash == after.valid_hash
