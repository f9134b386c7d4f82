"""The rules of Algorithm 1, each with its guard."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.consensus.inputs import TimerKind
from alatau.consensus.state_machine import (
    CastVote,
    Decide,
    Event,
    NextRound,
    Polka,
    PolkaForNil,
    PrecommitsOfQuorum,
    Precommitted,
    PrevotesOfQuorum,
    Propose,
    Proposed,
    RoundState,
    Schedule,
    StartRound,
    Step,
    TimedOut,
    apply,
)
from alatau.types.vote import NO_ROUND, VoteKind

A, B = b"A" * 32, b"B" * 32
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def at(
    step: Step, round_: int = 1, locked: tuple[int, bytes] | None = None, valid: tuple[int, bytes] | None = None
) -> RoundState:
    """A state in the middle of a height."""
    valid = valid or locked
    return RoundState(round_, step, *(locked or (NO_ROUND, None)), *(valid or (NO_ROUND, None)))


def test_l11_a_proposer_offers_its_valid_value_or_asks_for_one() -> None:
    """L14 to L19, and the timeout of L21."""
    _, outputs = apply(at(Step.PRECOMMIT, 1, (0, A)), StartRound(2, is_proposer=True))
    assert outputs == (Schedule(TimerKind.PROPOSE), Propose(2, 0, A))
    _, outputs = apply(RoundState(), StartRound(0, is_proposer=True))
    assert outputs == (Schedule(TimerKind.PROPOSE), Propose(0, NO_ROUND, None))


def test_l11_no_round_starts_twice_or_backwards() -> None:
    """A late event of an earlier round changes nothing."""
    state = at(Step.PREVOTE, 3)
    for round_ in (2, 3):
        assert apply(state, StartRound(round_, is_proposer=True)) == (state, ())


@pytest.mark.parametrize(
    ("locked", "valid_round", "block", "acceptable", "vote"),
    [
        (None, NO_ROUND, A, True, A),  # L24
        (None, NO_ROUND, A, False, None),  # L26
        ((1, A), NO_ROUND, A, True, A),  # L23: the locked value
        ((1, A), NO_ROUND, B, True, None),  # L23: another
        ((1, A), 1, B, True, B),  # L29: a polka as late as the lock
        ((1, A), 2, B, True, B),
        ((2, A), 1, B, True, None),  # L29: the lock is later
        ((2, A), 1, A, True, A),
        (None, 1, A, False, None),  # L32
    ],
)
def test_l22_l28_what_a_proposal_gets(
    locked: tuple[int, bytes] | None, valid_round: int, block: bytes, acceptable: bool, vote: bytes | None
) -> None:
    """valid(v) and (not locked, or locked on it, or unlocked by its polka)."""
    state, outputs = apply(at(Step.PROPOSE, 3, locked), Proposed(block, valid_round, acceptable))
    assert outputs == (CastVote(PREVOTE, vote),)
    assert state.step is Step.PREVOTE


def test_l28_a_valid_round_of_the_future_is_ignored() -> None:
    """L28 asks for vr < round."""
    state = at(Step.PROPOSE, 3)
    assert apply(state, Proposed(A, 3, acceptable=True)) == (state, ())


def test_l34_the_prevote_timer_is_set_once_a_round() -> None:
    """For the first time, while in step prevote."""
    state, outputs = apply(at(Step.PREVOTE), PrevotesOfQuorum())
    assert outputs == (Schedule(TimerKind.PREVOTE),)
    assert apply(state, PrevotesOfQuorum()) == (state, ())
    for step in (Step.PROPOSE, Step.PRECOMMIT):
        assert apply(at(step), PrevotesOfQuorum())[1] == ()


def test_l36_a_polka_locks_in_step_prevote_and_is_remembered_later() -> None:
    """L38 to L41, and L42, L43 also after a precommit for nil."""
    state, outputs = apply(at(Step.PREVOTE), Polka(A))
    assert outputs == (CastVote(PRECOMMIT, A),)
    assert (state.locked_round, state.locked_hash, state.valid_round, state.valid_hash) == (1, A, 1, A)
    state, outputs = apply(at(Step.PRECOMMIT), Polka(A))
    assert outputs == ()
    assert (state.locked_round, state.valid_round, state.valid_hash) == (NO_ROUND, 1, A)
    assert apply(at(Step.PROPOSE), Polka(A)) == (at(Step.PROPOSE), ())


def test_l44_a_polka_for_nil_is_precommitted() -> None:
    """Only in step prevote; the lock stays."""
    state, outputs = apply(at(Step.PREVOTE, 2, (1, A)), PolkaForNil())
    assert outputs == (CastVote(PRECOMMIT, None),)
    assert state.locked_hash == A
    assert apply(at(Step.PRECOMMIT), PolkaForNil())[1] == ()


def test_l47_the_precommit_timer_is_set_once_a_round_in_any_step() -> None:
    """It is what moves on a node that missed the rest of the round."""
    for step in (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT):
        state, outputs = apply(at(step), PrecommitsOfQuorum())
        assert outputs == (Schedule(TimerKind.PRECOMMIT),)
        assert apply(state, PrecommitsOfQuorum()) == (state, ())


def test_l49_a_decision_of_any_round_ends_the_height() -> None:
    """Also before the first round; afterwards nothing happens any more."""
    for step in (Step.UNSTARTED, Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT):
        state, outputs = apply(at(step, 4), Precommitted(2, A))
        assert outputs == (Decide(2, A),)
        assert apply(state, StartRound(9, is_proposer=True)) == (state, ())


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        (TimerKind.PROPOSE, Step.PROPOSE, CastVote(PREVOTE, None)),  # L59
        (TimerKind.PREVOTE, Step.PREVOTE, CastVote(PRECOMMIT, None)),  # L63
        (TimerKind.PRECOMMIT, Step.PREVOTE, NextRound(2)),  # L67
        (TimerKind.PROPOSE, Step.PREVOTE, None),
        (TimerKind.PREVOTE, Step.PRECOMMIT, None),
    ],
)
def test_l57_l61_l65_timeouts(kind: TimerKind, step: Step, expected: object) -> None:
    """Each only in its step; a timer of another round does nothing."""
    assert apply(at(step), TimedOut(kind, 1))[1] == (() if expected is None else (expected,))
    assert apply(at(step), TimedOut(kind, 0)) == (at(step), ())


rounds = st.integers(0, 5)
hashes = st.sampled_from([A, B])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(StartRound, rounds, st.booleans()),
    st.builds(Proposed, hashes, st.integers(-1, 5), st.booleans()),
    st.builds(PrevotesOfQuorum),
    st.builds(Polka, st.just(A)),
    st.builds(PolkaForNil),
    st.builds(PrecommitsOfQuorum),
    st.builds(Precommitted, rounds, hashes),
    st.builds(TimedOut, st.sampled_from([TimerKind.PROPOSE, TimerKind.PREVOTE, TimerKind.PRECOMMIT]), rounds),
)


@settings(deadline=None)
@given(st.lists(events, max_size=40))
def test_at_most_one_vote_of_each_kind_a_round(sequence: list[Event]) -> None:
    """Whatever happens, in whatever order, nobody equivocates and nobody decides twice."""
    state, cast, decided = RoundState(), set(), 0
    for event in sequence:
        state, outputs = apply(state, event)
        for output in outputs:
            if isinstance(output, CastVote):
                assert (state.round, output.kind) not in cast
                cast.add((state.round, output.kind))
            decided += isinstance(output, Decide)
    assert decided <= 1


def test_precommits_before_the_first_round_start_no_timer() -> None:
    """L47 is a rule of a round: a quorum that is faster than we are does not end one that has not begun."""
    assert apply(RoundState(), PrecommitsOfQuorum()) == (RoundState(), ())


def test_a_state_that_no_rule_leaves_is_refused() -> None:
    """A lock without its value, or above the valid round: nothing is signed on it."""
    for wrong in (RoundState(2, Step.PREVOTE, 1, A, 0, A), RoundState(2, Step.PREVOTE, 1, None, 1, None)):
        with pytest.raises(AssertionError):
            apply(wrong, PrevotesOfQuorum())
