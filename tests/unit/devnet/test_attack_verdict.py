"""The rules of the attack campaign's verdict, and that its catalogue can be run by name."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from alatau_devnet.attack.catalogue import ATTACKS
from alatau_devnet.attack.report import write_page, write_report
from alatau_devnet.attack.scene import Tolerance
from alatau_devnet.attack.verdict import Judgement, Measured, Row, Verdict, judge, overall

CALM = Measured(
    before_p50_ms=200,
    before_p95_ms=300,
    during_p50_ms=250,
    during_p95_ms=900,
    after_p50_ms=200,
    after_p95_ms=320,
    unfinished=0,
    before_answered_share=1.0,
    answered_share=1.0,
    before_failed_rounds=0,
    failed_rounds=0,
    before_victim_share=0.1,
    victim_share=0.6,
    others_share=0.02,
    rss_most_mib=120,
    growth_mib=10,
    descriptors_most=80,
)
STRICT = Tolerance(failed_rounds_max=0)


def test_what_is_within_its_bounds_passes() -> None:
    """Nothing is held against an attack that nobody felt, on a busy machine either."""
    assert judge(CALM, STRICT) == Judgement(Verdict.PASS, ())
    assert judge(replace(CALM, others_share=0.9), STRICT).verdict is Verdict.PASS


SLOW = [
    ({"during_p95_ms": 1_201}, "p95 during it 1,201 ms, tolerated 1,200 ms"),
    ({"during_p95_ms": inf}, "p95 during it none final"),
    ({"after_p95_ms": 901}, "p95 after it 901 ms, tolerated 900 ms"),
    ({"after_p95_ms": inf}, "p95 after it none final"),
    ({"answered_share": 0.94}, "the victim answered 94%"),
    ({"failed_rounds": 1}, "1 blocks needed a second round"),
]
INEXCUSABLE = [
    ({"unfinished": 1}, "1 honest payments never became final"),
    ({"growth_mib": 321}, "a node grew by 321 MiB"),
    ({"died": ("National Bank",)}, "ended: National Bank"),
    ({"forked": True}, "two nodes have different blocks"),
    ({"error": "refused"}, "the attack was not carried out: refused"),
]


@pytest.mark.parametrize(("changes", "reason"), SLOW + INEXCUSABLE)
def test_each_bound_fails_by_itself(changes: dict[str, Any], reason: str) -> None:
    """One thing that is not tolerable is a FAIL, and the reason says which."""
    found = judge(replace(CALM, **changes), STRICT)
    assert found.verdict is Verdict.FAIL
    assert len(found.reasons) == 1
    assert reason in found.reasons[0]


@pytest.mark.parametrize(("changes", "reason"), SLOW)
def test_on_a_machine_with_other_work_what_is_slow_proves_nothing(changes: dict[str, Any], reason: str) -> None:
    """The verdict says so, and names both."""
    found = judge(replace(CALM, others_share=0.5, **changes), STRICT)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "other work had 50% of the machine" in found.reasons[0]
    assert reason in found.reasons[-1]


@pytest.mark.parametrize(
    "changes", [{"before_p95_ms": 1_001.0}, {"before_p95_ms": inf}, {"before_answered_share": 0.9}]
)
def test_without_a_calm_before_nothing_passes(changes: dict[str, Any]) -> None:
    """A bound that is a multiple of a bad time bounds nothing."""
    assert judge(replace(CALM, **changes), STRICT).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("changes", "reason"), INEXCUSABLE)
def test_no_load_excuses_what_is_lost(changes: dict[str, Any], reason: str) -> None:
    """An end, a fork, a lost payment and memory fail whatever else the machine had to do."""
    found = judge(replace(CALM, others_share=0.9, before_p95_ms=inf, **changes), STRICT)
    assert found.verdict is Verdict.FAIL
    assert reason in found.reasons[0]


def test_the_calm_before_sets_the_bounds() -> None:
    """What counts is the ratio, and what consensus waits by its own timeouts."""
    slow = replace(CALM, before_p95_ms=900, during_p95_ms=3_500, after_p95_ms=2_600, before_answered_share=0.99)
    assert judge(slow, Tolerance()).verdict is Verdict.PASS
    assert len(judge(replace(slow, during_p95_ms=3_700, after_p95_ms=2_800), Tolerance()).reasons) == 2
    absent = replace(CALM, during_p95_ms=5_000)
    assert judge(absent, Tolerance(consensus_waits_ms=4_000)).verdict is Verdict.PASS
    assert judge(absent, Tolerance(consensus_waits_ms=3_000)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL], Verdict.FAIL),
        ([Verdict.INCONCLUSIVE, Verdict.PASS], Verdict.INCONCLUSIVE),
        ([Verdict.PASS], Verdict.PASS),
    ],
)
def test_a_campaign_is_as_good_as_its_worst(verdicts: list[Verdict], worst: Verdict) -> None:
    """One that proves nothing is no PASS."""
    assert overall(verdicts) is worst


def test_an_attack_may_be_allowed_to_hold_up_consensus_but_not_for_good() -> None:
    """Without a quorum nothing is final while it lasts; everything must be afterwards."""
    stopped = replace(CALM, during_p50_ms=inf, during_p95_ms=inf)
    assert judge(stopped, Tolerance(p95_during_factor=None)).verdict is Verdict.PASS
    assert judge(replace(stopped, unfinished=3), Tolerance(p95_during_factor=None)).verdict is Verdict.FAIL


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


def test_the_table_of_a_page_is_replaced_between_its_marks(tmp_path: Path) -> None:
    """Whatever lies around it stays; a page without marks is refused."""
    page = tmp_path / "security.md"
    page.write_text("a\n<!-- attacks: written by make attack -->\nold\n<!-- end of attacks -->\nb\n")
    for _ in range(2):
        write_page(page, [Row("idle", "", CALM, Verdict.PASS, ())])
    text = page.read_text()
    assert text.startswith("a\n")
    assert text.endswith("\nb\n")
    assert "old" not in text
    assert text.count("| idle | 200 / 300 | 250 / 900 | 200 / 320 | 100% | 10% to 60% | 120 (+10) | PASS |") == 1
    with pytest.raises(ValueError, match="no marks"):
        write_page(Path(__file__), [])
