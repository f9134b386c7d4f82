"""What an attack came to, and whether that is tolerable: rules only, so that they can be tested without a network.

Times of payments are compared with those of the calm just before, on the same machine: what a machine does in so many
milliseconds is its own. Where the calm was none, because payments took long already or other work had the processors, a
time proves nothing, and the verdict says so instead of PASS or FAIL. What no load excuses fails in any case: an end, a
fork, a payment that is lost, memory.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alatau_devnet.attack.scene import Tolerance

CALM_P95_MS_MAX: Final = 1_000.0
"""A calm network of four on one machine is three times as fast: blocks come every 200 ms."""
CALM_ANSWERED_LEAST: Final = 0.98
OTHERS_SHARE_MAX: Final = 0.25
"""Of the processors, for work that is none of the campaign's. With half of two cores for others, times double."""


class Verdict(StrEnum):
    """The last column of the table."""

    PASS = "PASS"  # noqa: S105  no password
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured around one attack. Times are of honest payments; infinite where none became final."""

    before_p50_ms: float
    before_p95_ms: float
    during_p50_ms: float
    during_p95_ms: float
    after_p50_ms: float
    after_p95_ms: float
    unfinished: int
    """Honest payments that never became final."""
    before_answered_share: float
    """Of the victim's answers to an honest client in the calm before."""
    answered_share: float
    """The same while the attack ran."""
    before_failed_rounds: int
    """Blocks of the calm before that needed a second round."""
    failed_rounds: int
    """The same while the attack ran."""
    before_victim_share: float
    """Processors that the victim used in the calm before."""
    victim_share: float
    """The same while the attack ran."""
    others_share: float
    """Share of the machine that went to other work, in the phase where it was most."""
    rss_most_mib: float
    growth_mib: float
    descriptors_most: int
    died: tuple[str, ...] = ()
    """Nodes whose process ended."""
    forked: bool = False
    """Whether two nodes have different blocks at one height."""
    error: str = ""
    """Why the attack itself could not be carried out."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and why it is not PASS."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the report."""

    attack: str
    told: str
    """What the attacker says it did."""
    measured: Measured
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is not PASS."""


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """That of a campaign: the worst."""
    for worst in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if worst in verdicts:
            return worst
    return Verdict.PASS


def judge(measured: Measured, tolerance: Tolerance) -> Judgement:
    """Everything that is not tolerable, in words."""
    if reasons := _inexcusable(measured, tolerance):
        return Judgement(Verdict.FAIL, reasons + _slowness(measured, tolerance))
    slowness, restless = _slowness(measured, tolerance), _restless(measured)
    no_calm = [reason for reason in restless if reason.startswith("before")]
    if no_calm or (slowness and restless):
        return Judgement(Verdict.INCONCLUSIVE, (*restless, *slowness))
    return Judgement(Verdict.FAIL if slowness else Verdict.PASS, slowness)


def _inexcusable(measured: Measured, tolerance: Tolerance) -> tuple[str, ...]:
    reasons = []
    if measured.error:
        reasons.append(f"the attack was not carried out: {measured.error}")
    if measured.forked:
        reasons.append("two nodes have different blocks at one height")
    if measured.died:
        reasons.append(f"ended: {', '.join(measured.died)}")
    if measured.unfinished:
        reasons.append(f"{measured.unfinished} honest payments never became final")
    if measured.growth_mib > tolerance.memory_growth_mib_max:
        reasons.append(f"a node grew by {measured.growth_mib:,.0f} MiB, tolerated {tolerance.memory_growth_mib_max:g}")
    return tuple(reasons)


def _restless(measured: Measured) -> tuple[str, ...]:
    """Why times of this run prove nothing."""
    reasons = []
    if _exceeds(measured.before_p95_ms, CALM_P95_MS_MAX):
        reasons.append(f"before it p95 was {_ms(measured.before_p95_ms)} already")
    if measured.before_answered_share < CALM_ANSWERED_LEAST:
        reasons.append(f"before it the victim answered {measured.before_answered_share:.0%} of the questions only")
    if measured.others_share > OTHERS_SHARE_MAX:
        reasons.append(f"other work had {measured.others_share:.0%} of the machine")
    return tuple(reasons)


def _slowness(measured: Measured, tolerance: Tolerance) -> tuple[str, ...]:
    reasons = []
    if tolerance.p95_during_factor is not None:
        bound = tolerance.p95_during_factor * measured.before_p95_ms + tolerance.consensus_waits_ms
        if _exceeds(measured.during_p95_ms, bound):
            reasons.append(f"p95 during it {_ms(measured.during_p95_ms)}, tolerated {bound:,.0f} ms")
    bound = tolerance.p95_after_factor * measured.before_p95_ms
    if _exceeds(measured.after_p95_ms, bound):
        reasons.append(f"p95 after it {_ms(measured.after_p95_ms)}, tolerated {bound:,.0f} ms")
    least = tolerance.answered_least * measured.before_answered_share
    if measured.answered_share < least:
        share = measured.answered_share
        reasons.append(f"the victim answered {share:.0%} of an honest client's questions, {least:.0%} expected")
    most = tolerance.failed_rounds_max
    if most is not None and measured.failed_rounds > measured.before_failed_rounds + most:
        reasons.append(f"{measured.failed_rounds} blocks needed a second round, tolerated {most}")
    return tuple(reasons)


def _exceeds(value: float, bound: float) -> bool:
    """Whether a time is above its bound; one that nobody measured is."""
    return math.isinf(value) or value > bound


def _ms(value: float) -> str:
    return "none final" if math.isinf(value) else f"{value:,.0f} ms"
