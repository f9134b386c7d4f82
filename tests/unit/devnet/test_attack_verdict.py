"""The rules of the attack campaign's verdict, and that its catalogue can be run by name."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from alatau_devnet.attack.catalogue import ATTACKS
from alatau_devnet.attack.report import write_report
from alatau_devnet.attack.scene import Tolerance
from alatau_devnet.attack.verdict import Measured, Row, Verdict, judge

CALM = Measured(
    before_p50_ms=200,
    before_p95_ms=300,
    during_p50_ms=250,
    during_p95_ms=900,
    after_p50_ms=200,
    after_p95_ms=320,
    unfinished=0,
    answered_share=1.0,
    rss_most_mib=120,
    growth_mib=10,
    descriptors_most=80,
)


def test_what_is_within_its_bounds_passes() -> None:
    """Nothing is held against an attack that nobody felt."""
    assert judge(CALM, Tolerance()) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"during_p95_ms": 2_001}, "p95 during it 2,001 ms, tolerated 2,000 ms"),
        ({"during_p95_ms": inf}, "p95 during it none final"),
        ({"after_p95_ms": 1_001}, "p95 after it 1,001 ms, tolerated 1,000 ms"),
        ({"after_p95_ms": inf}, "p95 after it none final"),
        ({"unfinished": 1}, "1 honest payments never became final"),
        ({"answered_share": 0.94}, "the victim answered 94%"),
        ({"growth_mib": 257}, "a node grew by 257 MiB"),
        ({"died": ("National Bank",)}, "ended: National Bank"),
        ({"forked": True}, "two nodes have different blocks"),
        ({"error": "refused"}, "the attack was not carried out: refused"),
    ],
)
def test_each_bound_fails_by_itself(changes: dict[str, object], reason: str) -> None:
    """One thing that is not tolerable is a FAIL, and the reason says which."""
    (found,) = judge(replace(CALM, **changes), Tolerance())
    assert reason in found


def test_the_calm_before_sets_the_bound_where_it_is_slow() -> None:
    """On a slow machine what counts is the ratio."""
    slow = replace(CALM, before_p95_ms=1_000, during_p95_ms=3_900, after_p95_ms=2_900)
    assert judge(slow, Tolerance()) == ()
    assert len(judge(replace(slow, during_p95_ms=4_100, after_p95_ms=3_100), Tolerance())) == 2


def test_an_attack_may_be_allowed_to_hold_up_consensus_but_not_for_good() -> None:
    """Without a quorum nothing is final while it lasts; everything must be afterwards."""
    stopped = replace(CALM, during_p50_ms=inf, during_p95_ms=inf)
    assert judge(stopped, Tolerance(p95_during_factor=None)) == ()
    assert judge(replace(stopped, unfinished=3), Tolerance(p95_during_factor=None)) != ()


def test_the_report_is_json_and_has_one_verdict(tmp_path: Path) -> None:
    """Times that nobody could measure are null; one FAIL fails the whole."""
    rows = [
        Row("a", "told", CALM, Verdict.PASS, ()),
        Row("b", "", replace(CALM, during_p95_ms=inf), Verdict.FAIL, ("why",)),
    ]
    write_report(tmp_path / "build" / "report.json", rows)
    document = json.loads((tmp_path / "build" / "report.json").read_text())
    assert document["verdict"] == "FAIL"
    assert [entry["attack"] for entry in document["attacks"]] == ["a", "b"]
    assert document["attacks"][1]["measured"]["during_p95_ms"] is None
    assert document["attacks"][1]["reasons"] == ["why"]


def test_names_are_unique_and_can_be_given_to_only() -> None:
    """``--only`` takes names separated by commas."""
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and "," not in name and " " not in name for name in names)
    assert all(attack.what for attack in ATTACKS)
