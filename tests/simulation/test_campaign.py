"""A few hundred random stories; ``make simulate`` tells more."""

import pytest

from tests.simulation.campaign import simulate

_SEEDS = 300
_BATCH = 25


@pytest.mark.parametrize("first", range(0, _SEEDS, _BATCH))
def test_networks_survive_their_faults(first: int) -> None:
    """Agreement, validity, one quorum a round, locks kept, nothing forgotten, and progress afterwards."""
    for seed in range(first, first + _BATCH):
        story = simulate(seed)
        assert story.heights >= 2, f"seed {seed}"


def test_a_seed_tells_the_same_story_every_time() -> None:
    """Replaying a failure is possible because nothing but the seed decides."""
    once: list[str] = []
    again: list[str] = []
    assert simulate(11, once) == simulate(11, again)
    assert once == again
    assert len(once) > 10
