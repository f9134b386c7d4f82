"""Some random stories; ``make simulate`` tells more."""

from functools import cache
from random import Random

import pytest

from alatau.consensus.core import Consensus
from alatau.consensus.effects import DoCancelTimers
from tests.simulation.campaign import Story, simulate
from tests.simulation.cast import SIZES, choose_cast
from tests.simulation.checkers import Checkers
from tests.simulation.world import Faults, World

_SEEDS = 60
_BATCH = 6

_FAULTS = {
    "a third silent",
    "clock off",
    "crash",
    "crash between log and sign state",
    "empty disk",
    "log lost",
    "no sign state",
    "old sign state",
    "one-way cut",
    "partition",
    "proposals lost",
    "votes lost",
}

_LIES = {
    "floods",
    "forges a proposal",
    "forges votes",
    "invents a lock",
    "lies about its height",
    "lies in sync",
    "proposes an invalid block",
    "proposes off the clock",
    "proposes twice",
    "replays",
    "sends garbage",
    "strips a proof of lock",
    "swaps a body",
    "tells two halves two things",
    "votes ahead",
    "votes in far rounds",
    "votes otherwise",
    "votes twice",
    "withholds a proposal",
    "withholds a vote",
}


@cache
def story(seed: int) -> Story:
    """A seed's story, told once for all tests."""
    return simulate(seed)


@pytest.mark.parametrize("first", range(0, _SEEDS, _BATCH))
def test_networks_survive_their_faults(first: int) -> None:
    """Agreement, validity, one quorum a round, locks kept, nothing forgotten, and progress afterwards."""
    for seed in range(first, first + _BATCH):
        assert story(seed).heights >= 4, f"seed {seed}"


def test_stories_are_deep() -> None:
    """Every fault strikes, every lie is told, sets change more than once, rounds and heights go on and on."""
    stories = [story(seed) for seed in range(_SEEDS)]
    features = frozenset[str]().union(*(each.features for each in stories))
    assert features == _FAULTS | _LIES
    assert {each.validators for each in stories} == set(SIZES) == set(range(4, 11))
    assert {each.set_changes for each in stories} >= {0, 1, 2, 3}
    assert {each.faulty for each in stories} == {"none", "twins", "mutation", "split", "wipe"}
    assert sum(each.round_max >= 5 for each in stories) >= 5
    assert all(each.validators >= 4 for each in stories)
    assert sum(each.evidence > 0 for each in stories) >= 3


def test_a_seed_tells_the_same_story_every_time() -> None:
    """Replaying a failure is possible because nothing but the seed decides."""
    once: list[str] = []
    again: list[str] = []
    assert simulate(11, once) == simulate(11, again)
    assert once == again
    assert len(once) > 10


def test_a_decision_by_a_precommit_that_only_block_sync_showed_is_one() -> None:
    """Seed 18443 blamed the core for it: a liar's precommit was in a commit that it served, and in no message."""
    assert story(18_443).heights >= 4


@pytest.mark.parametrize("seed", [5, 23])
def test_looking_at_the_rules_when_nothing_was_kept_finds_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The core passes over the rules after a message of which it kept nothing: without that the story is the same."""
    quick: list[str] = []
    slow: list[str] = []
    told = simulate(seed, quick)
    monkeypatch.setattr(Consensus, "_is_idle", lambda self, event: False)
    assert simulate(seed, slow) == told
    assert slow == quick


def test_who_was_switched_off_stays_off_although_its_power_was_to_come_back() -> None:
    """Seed 107 revived a validator that had fallen silent, and blamed the core for going on."""
    cast = choose_cast(Random(0))
    world = World(0, cast.rules, Checkers(cast.rules, frozenset()), Faults(crash=1.0))
    node = world.add("v1", cast.addresses[0])
    node.start()
    world.mortal = {node}
    assert world.crashes(node, DoCancelTimers())
    world.mortal = set()
    world.kill(node)
    assert not world.run(5_000, lambda: node.up)
    node.start()
    world.mortal = {node}
    assert world.crashes(node, DoCancelTimers())
    world.mortal = set()
    assert world.run(5_000, lambda: node.up)
