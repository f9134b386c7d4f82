"""A simulation is worth what its checkers find: here a rule is broken on purpose, and they must."""

from dataclasses import replace

import pytest

from alatau.consensus import state_machine
from alatau.consensus.core import Consensus
from alatau.consensus.effects import DoPersist, DoRecordSignState, Effect
from alatau.consensus.inputs import Input
from alatau.consensus.signing import SigningGuard
from alatau.consensus.state_machine import RoundState, Step, Transition
from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.validator import ValidatorSet
from tests.simulation.campaign import simulate

_SEEDS = 400


def _finds(what: str) -> bool:
    """Whether some seed fails with these words; a broken rule may show in other ways before."""
    for seed in range(_SEEDS):
        try:
            simulate(seed)
        except AssertionError as violation:
            if what in str(violation):
                return True
    return False


def test_a_core_that_ignores_its_lock_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """L23 and L29 without their second half."""

    def proposed(state: RoundState, block_hash: bytes, valid_round: int, *, acceptable: bool) -> Transition:
        if state.step is not Step.PROPOSE or valid_round >= state.round:
            return state, ()
        return state_machine._prevote(state, block_hash if acceptable else None)

    monkeypatch.setattr(state_machine, "_proposed", proposed)
    assert _finds("broke its lock")


def test_a_core_that_forgets_its_lock_in_a_crash_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amnesia: the votes come back from the log, the lock does not."""
    restore = Consensus._restore

    def forgetful(self: Consensus, records: tuple[object, ...]) -> None:
        restore(self, records)  # type: ignore[arg-type]
        driver = self._height.driver
        driver.state = replace(driver.state, locked_round=-1, locked_hash=None)

    monkeypatch.setattr(Consensus, "_restore", forgetful)
    assert _finds("broke its lock")


def test_a_core_that_speaks_before_it_writes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same effects in another order: after a crash it says something else."""
    step = Consensus.step

    def hasty(self: Consensus, event: Input, now_ms: int) -> tuple[Effect, ...]:
        return tuple(sorted(step(self, event, now_ms), key=lambda e: isinstance(e, (DoPersist, DoRecordSignState))))

    monkeypatch.setattr(Consensus, "step", hasty)
    assert _finds("twice")


def test_a_core_without_its_log_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that loses its log keeps silent, so a network of them stands still: no recovery."""
    monkeypatch.setattr(Consensus, "_restore", lambda *_: None)
    monkeypatch.setattr(SigningGuard, "restore", lambda *_: False)
    assert _finds("no recovery")


def test_a_quorum_of_half_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than half is not more than two thirds."""
    monkeypatch.setattr(ValidatorSet, "has_quorum", lambda self, power: power * 2 > self.total_power)
    assert _finds("two quorums")


def test_votes_counted_twice_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that counts messages instead of validators decides on too little."""
    add = VoteKeeper.add

    def generous(self: VoteKeeper, vote: object) -> None:
        add(self, vote)  # type: ignore[arg-type]
        for tally in self._rounds[vote.round].prevotes, self._rounds[vote.round].precommits:  # type: ignore[attr-defined]
            for block_hash in tally.power:
                if tally.power[block_hash]:
                    tally.power[block_hash] += 1

    monkeypatch.setattr(VoteKeeper, "add", generous)
    assert _finds("without proof")
