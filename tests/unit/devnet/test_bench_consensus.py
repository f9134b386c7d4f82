"""What ``make bench-consensus`` measures, and that it would see what it looks for."""

from collections import deque

import pytest

from alatau.consensus.core import Consensus
from alatau_devnet.bench_consensus import Growth, Silence, cost, entries_of, network, reach


def test_a_height_of_four_costs_a_proposal_and_two_votes_each() -> None:
    """Three messages of the proposer and at most three a vote; less where two votes travel together."""
    found = cost(4, 4)
    assert 3 + 9 < found.messages <= 3 + 12 + 12
    assert 0 < found.decide_ms_p50 <= found.decide_ms_max
    assert found.bytes > found.bytes_without_load > 100 * found.messages


def test_entries_are_counted_wherever_the_core_holds_them() -> None:
    """A hundred more in any container of it are seen."""
    world = network(4)
    world.start()
    reach(world, 2)
    core: Consensus = world.nodes[0].core
    before = entries_of(core)
    core._ctx.peer_heights._failed |= {bytes([n]) for n in range(100)}
    assert entries_of(core) >= before + 100
    assert entries_of(deque([1, 2, [3]])) == 4


@pytest.mark.parametrize(("entries", "ratio"), [((5, 9, 10, 10, 10, 10), 1.0), ((1, 2, 3, 4, 5, 6), 1.5)])
def test_growth_compares_the_last_third(entries: tuple[int, ...], ratio: float) -> None:
    """A start is no growth."""
    assert Growth(1.0, 100, entries).ratio == ratio


def test_the_ratio_is_of_whatever_suffers_more() -> None:
    """Throughput or latency."""
    assert Silence(4, 1, 100, 50, 10, 11).ratio == 2
    assert Silence(4, 1, 100, 100, 10, 30).ratio == 3
