"""The exhaustive exploration of one round, and that it finds what is broken; ``make model`` explores two."""

from dataclasses import replace

import pytest

from alatau.consensus import state_machine
from alatau.consensus.proposal_keeper import ProposalKeeper
from alatau.consensus.state_machine import CastVote, RoundState, Step, Transition
from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.validator import ValidatorSet
from alatau.types.vote import VoteKind
from tests.simulation.model import CASTS, Counts, Exploration
from tests.simulation.model_node import Broken, Cast

OFFERS_TWO, OFFERS_INVALID, OFFERS_LATER, FOLLOWS = CASTS


@pytest.mark.parametrize(
    ("cast", "counts"),
    [
        (OFFERS_TWO, Counts(states=797, steps=2678, locals=1277, decided=771)),
        (OFFERS_INVALID, Counts(states=695, steps=2269, locals=1005, decided=639)),
        (OFFERS_LATER, Counts(states=248, steps=759, locals=634, decided=164)),
        (FOLLOWS, Counts(states=144, steps=400, locals=251, decided=62)),
    ],
)
def test_every_state_of_one_round_keeps_the_rules(cast: Cast, counts: Counts) -> None:
    """Agreement, validity and accountability; the counts say that all states were there to be judged."""
    assert Exploration(replace(cast, rounds=1)).run() == counts


def test_a_quorum_of_half_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four votes make a polka then."""
    monkeypatch.setattr(ValidatorSet, "has_quorum", lambda self, power: 2 * power >= self.total_power)
    with pytest.raises(Broken, match="without its polka"):
        Exploration(replace(OFFERS_TWO, rounds=1)).run()


def test_a_block_that_nobody_judged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the host said, it counts as valid."""
    monkeypatch.setattr(ProposalKeeper, "verdict", lambda self, block_hash: block_hash in self._verdicts or None)
    with pytest.raises(Broken, match="an invalid block is decided"):
        Exploration(replace(OFFERS_INVALID, rounds=1)).run()


def test_unlocking_without_a_polka_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked node takes any proposal of the next round."""

    def careless(state: RoundState, block_hash: bytes, valid_round: int, *, acceptable: bool) -> Transition:
        if state.step is not Step.PROPOSE or valid_round >= state.round:
            return state, ()
        chosen = block_hash if acceptable else None
        return replace(state, step=Step.PREVOTE), (CastVote(VoteKind.PREVOTE, chosen),)

    monkeypatch.setattr(state_machine, "_proposed", careless)
    with pytest.raises(Broken, match="against a lock"):
        Exploration(OFFERS_LATER).run()


def test_a_polka_of_the_wrong_round_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevotes of the round before are taken for those of this one."""
    right = VoteKeeper.polka

    def either(self: VoteKeeper, round_: int) -> bytes | None:
        return right(self, round_) or right(self, round_ - 1)

    monkeypatch.setattr(VoteKeeper, "polka", either)
    with pytest.raises(Broken, match="without its polka"):
        Exploration(OFFERS_LATER).run()


def test_accusing_a_correct_validator_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a node finds contradictory is looked at: here every second vote of a step."""

    def another(self: VoteKeeper, vote: object) -> object:
        return next((v for r in self._rounds for v in self.votes_for(VoteKind.PREVOTE, r, None)), vote)

    monkeypatch.setattr(VoteKeeper, "conflicting", another)
    with pytest.raises(Broken, match="is accused"):
        Exploration(replace(OFFERS_TWO, rounds=1)).run()
