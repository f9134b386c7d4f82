"""Whose turn it is."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.consensus.proposer import absent_validators, proposer, rotation
from alatau.types.validator import ValidatorSet, validator_set
from alatau.types.vote import Commit, CommitSignature
from tests.simulation.chain import address_of, equal_validators, validator


def commit(height: int, *who: int) -> Commit:
    """A commit signed by these."""
    return Commit(height, 0, bytes(32), tuple(CommitSignature(address_of(n), bytes(65)) for n in sorted(who)))


def test_equal_powers_take_turns() -> None:
    """Each once before anyone again, over heights as over rounds."""
    validators = equal_validators(4)
    over_rounds = [proposer(validators, 9, r, frozenset()) for r in range(8)]
    assert len(set(over_rounds[:4])) == 4
    assert over_rounds[:4] == over_rounds[4:]
    assert over_rounds[1:5] == [proposer(validators, 10, r, frozenset()) for r in range(4)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_turns_are_as_many_as_power(powers: list[int]) -> None:
    """Exactly, over a cycle; and the turns of a heavy validator are spread."""
    validators = validator_set(validator(n, p) for n, p in enumerate(powers, 1))
    chosen = rotation(validators, frozenset())
    cycle = chosen.ends[-1]
    turns = Counter(chosen.proposer(h, 0) for h in range(cycle))
    unit = validators.total_power // cycle
    assert {a: n * unit for a, n in turns.items()} == {v.address: v.power for v in validators.validators}


def test_a_heavy_validator_does_not_hold_the_turn() -> None:
    """Half of the power proposes about every second time."""
    validators = validator_set([validator(1, 5), *(validator(n) for n in range(2, 7))])
    turns = [proposer(validators, h, 0, frozenset()) == address_of(1) for h in range(100)]
    assert 45 <= sum(turns) <= 55
    assert sum(a and b for a, b in pairwise(turns)) <= 20


def test_the_absent_are_passed_over_until_a_commit_carries_them() -> None:
    """A dead ministry must not slow every fourth block."""
    validators = equal_validators(4)
    without = [commit(h, 1, 2, 3) for h in range(5)]
    absent = absent_validators(validators, without, 5)
    assert absent == {address_of(4)}
    assert address_of(4) not in {proposer(validators, h, r, absent) for h in range(9) for r in range(9)}
    assert absent_validators(validators, [*without[1:], commit(5, 1, 2, 4)], 5) == frozenset()


def test_a_young_chain_passes_nobody_over() -> None:
    """Too few commits to tell."""
    assert absent_validators(equal_validators(4), [commit(1, 1, 2, 3)] * 4, 5) == frozenset()


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.data())
def test_proposers_are_never_fewer_than_f_plus_one(powers: list[int], data: st.DataObject) -> None:
    """Whoever is absent: with all faulty ones among the proposers, a correct one remains."""
    validators: ValidatorSet = validator_set(validator(n, p) for n, p in enumerate(powers, 1))
    absent = frozenset(data.draw(st.sets(st.sampled_from([v.address for v in validators.validators]))))
    chosen = rotation(validators, absent).proposers
    assert validators.has_honest(sum(v.power for v in chosen))
    assert [v.address for v in chosen] == sorted(v.address for v in chosen)
