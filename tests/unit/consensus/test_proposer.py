"""Whose turn it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.consensus.proposer import (
    PastBlock,
    absent_validators,
    blocks_looked_at,
    failing_validators,
    proposer,
    rotation,
)
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
    unit = gcd(*powers)
    chosen = rotation(validators, 0, frozenset())
    turns = Counter(chosen.proposer(r) for r in range(validators.total_power // unit))
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
    addresses = st.sets(st.sampled_from([v.address for v in validators.validators]))
    absent, failing = frozenset(data.draw(addresses)), frozenset(data.draw(addresses))
    height = data.draw(st.integers(0, 200))
    chosen = rotation(validators, height, absent, failing)
    seen = {chosen.proposer(r) for r in range(validators.total_power)}
    assert validators.has_honest(sum(map(validators.power_of, seen)))


def past(count: int, builder: Callable[[int], int], signers: tuple[int, ...] = (1, 2, 3, 4)) -> list[PastBlock]:
    """Blocks 1 to ``count``, all signed by these."""
    return [PastBlock(h, address_of(builder(h)), commit(h - 1, *signers)) for h in range(1, count + 1)]


def turn_of(height: int) -> int:
    """Whose slot a height of four validators is."""
    return int.from_bytes(proposer(equal_validators(4), height, 0, frozenset()), "big")


def without(number: int) -> Callable[[int], int]:
    """Everybody builds in its slots, but one, whose slots the next one takes."""
    return lambda height: turn_of(height) if turn_of(height) != number else turn_of(height + 1)


def test_who_signs_but_builds_nothing_is_failing() -> None:
    """A clock that is an hour off: its proposals get nil, four slots long, then nobody waits for it any more."""
    validators = equal_validators(4)
    assert blocks_looked_at(validators, 16) == 17
    assert failing_validators(validators, past(16, without(3)), 16) == frozenset()
    failing = failing_validators(validators, past(17, without(3)), 16)
    assert failing == {address_of(3)}
    assert failing_validators(validators, past(17, turn_of), 16) == frozenset()
    turns = [proposer(validators, h, 0, frozenset(), failing) for h in range(960)]
    assert turns.count(address_of(3)) == 5, "one slot in 48 is a trial"
    later = [proposer(validators, h, r, frozenset(), failing) for h in range(320) for r in (1, 2)]
    assert address_of(3) not in later


def test_one_block_ends_the_failing() -> None:
    """The trial was taken: the clock is right again."""
    validators, blocks = equal_validators(4), past(40, without(3))
    blocks[30] = replace(blocks[30], builder=address_of(3))
    assert failing_validators(validators, blocks, 16) == frozenset()


def test_who_did_not_sign_is_not_failing() -> None:
    """It was down, or has only just joined: its slots say nothing about its proposals."""
    validators = equal_validators(4)
    assert failing_validators(validators, past(40, without(3), (1, 2, 4)), 16) == frozenset()


def test_the_absent_get_no_trial() -> None:
    """It would cost a timeout, and they are heard of by their signature."""
    validators, gone = equal_validators(4), frozenset({address_of(3)})
    assert address_of(3) not in {proposer(validators, h, 0, gone, gone) for h in range(320)}


def number_of(address: bytes) -> int:
    """Of a validator of the simulation."""
    return int.from_bytes(address, "big")


def test_turns_are_frozen() -> None:
    """Another walk would split a network in which only some nodes are upgraded."""
    heavy = validator_set([validator(1, 1_000_000_007), validator(2, 998_244_353), validator(3, 777_777_777)])
    turns = {height: [number_of(proposer(heavy, height, r, frozenset())) for r in range(8)]
             for height in (0, 10**9, 10**15)}  # fmt: skip
    assert turns == {
        0: [1, 2, 1, 3, 2, 1, 2, 1],
        10**9: [2, 1, 3, 2, 1, 3, 2, 1],
        10**15: [3, 2, 1, 3, 1, 3, 2, 1],
    }
    three = [number_of(proposer(equal_validators(3), 0, r, frozenset())) for r in range(4)]
    assert three == [1, 2, 3, 1]


def test_rounds_without_end_cost_one_cycle() -> None:
    """A height that is stalled for a million rounds remembers no more turns than there are."""
    chosen = rotation(equal_validators(4), 1, frozenset())
    assert len({chosen.proposer(r) for r in range(1_000)}) == 4
    assert len(chosen._order) == 4


def test_a_trial_is_one_slot_of_a_cycle() -> None:
    """However heavy who is failing: its other slots are passed over, and the trial comes round with the others."""
    validators = validator_set([validator(1, 2), validator(2), validator(3), validator(4)])
    failing = frozenset({address_of(1)})
    trial = next(h for h in range(320) if proposer(validators, h, 0, frozenset(), failing) == address_of(1))
    turns = [number_of(proposer(validators, trial, r, frozenset(), failing)) for r in range(8)]
    assert turns.count(1) == 2
    assert turns[:4] == turns[4:]


def test_each_validator_has_three_slots_among_the_blocks_looked_at() -> None:
    """And one block more, whose commit says who signed the last of them."""
    assert blocks_looked_at(equal_validators(6), 4) == 3 * 6 + 1


def test_a_block_without_a_commit_says_nothing_of_its_parent() -> None:
    """The first one: nobody signed genesis."""
    blocks = [replace(block, last_commit=None) for block in past(40, without(3))]
    assert failing_validators(equal_validators(4), blocks, 16) == frozenset()


@pytest.mark.parametrize(("signed", "failing"), [(1, frozenset()), (2, frozenset({address_of(3)}))])
def test_two_slots_without_a_block_are_failing(signed: int, failing: frozenset[bytes]) -> None:
    """Of those whose blocks it signed: one may be a lost message."""
    blocks = past(40, without(3))
    slots = [at for at, block in enumerate(blocks[:-1]) if turn_of(block.height) == 3]
    for at in slots[:-signed]:
        blocks[at + 1] = replace(blocks[at + 1], last_commit=commit(blocks[at].height, 1, 2, 4))
    assert failing_validators(equal_validators(4), blocks, 16) == failing


def test_in_a_large_set_every_slot_is_a_trial() -> None:
    """Its own come so seldom that no trial may be left out."""
    validators, failing = equal_validators(200), frozenset({address_of(3)})
    turns = [proposer(validators, h, 0, frozenset(), failing) for h in range(400)]
    assert turns.count(address_of(3)) == 2
