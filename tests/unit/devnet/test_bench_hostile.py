"""The bench of hostile code: what is judged, and that its code is as heavy as it claims."""

from dataclasses import replace

import pytest

from alatau_devnet.attack.heavy_code import heavy_init_codes
from alatau_devnet.bench_hostile import Stretch, broken_bounds, longest, report_of
from tests.support.world import contract, run

CALM = Stretch("calm", 600, 170.0, 260.0, 0, 0, 0, 20.0, 0.0)
FIRST = replace(CALM, name="a proposer, at first", p95_ms=1_700.0, own_rounds_failed=5)


def test_a_network_that_holds_breaks_no_bound() -> None:
    """What a dishonest proposer costs until it is passed over is told, and not judged."""
    report = report_of([CALM, replace(CALM, name="a deployer", p95_ms=334.0), FIRST, replace(CALM, name="passed over")])
    assert report["honest_p95_ratio"] == 1.28
    assert broken_bounds(report) == []


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (replace(CALM, held_ms_max=50.0), "longer than 20 ms"),
        (replace(CALM, p95_ms=530.0), "2.04 times as long"),
        (replace(CALM, failed_rounds=1), "1 rounds of honest proposers failed"),
        (replace(CALM, unfinished=3), "3 honest payments never became final"),
    ],
)
def test_each_bound_can_be_broken(attack: Stretch, told: str) -> None:
    """One word too many in the loop, twice the time, a failed round, a lost payment."""
    (broken,) = broken_bounds(report_of([CALM, replace(attack, name="a deployer")]))
    assert told in broken


def test_the_longest_turn_is_read_from_the_buckets() -> None:
    """The bound of the highest bucket that grew, over all nodes; what was there before does not count."""
    before = {0.01: 5.0, 0.02: 5.0, 0.05: 6.0, float("inf"): 6.0}
    same, more = dict(before), {0.01: 8.0, 0.02: 9.0, 0.05: 10.0, float("inf"): 10.0}
    assert longest([before], [same]) == 0.0
    assert longest([before, before], [same, more]) == 0.02


def test_every_code_burns_its_gas() -> None:
    """Init code that a creation may carry, in a loop whose end is that of its gas."""
    gas = 200_000
    names = set()
    for name, code in heavy_init_codes():
        names.add(name)
        assert len(code) <= 49_152
        outcome, _ = run(contract(code), gas=gas)
        assert (outcome.succeeded, outcome.gas_left) == (False, 0), name
    assert {"ADD", "ADD, straight", "MODEXP 1024 x 32", "SSTORE cold"} <= names
