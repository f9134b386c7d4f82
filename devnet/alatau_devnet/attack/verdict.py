"""What an attack came to, and whether that is tolerable: rules only, so that they can be tested without a network."""

import math
from dataclasses import dataclass
from enum import StrEnum

from alatau_devnet.attack.scene import Tolerance


class Verdict(StrEnum):
    """The last column of the table."""

    PASS = "PASS"  # noqa: S105  no password
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
    answered_share: float
    """Of the victim's answers to an honest client while the attack ran."""
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
class Row:
    """A line of the report."""

    attack: str
    told: str
    """What the attacker says it did."""
    measured: Measured
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it failed."""


def judge(measured: Measured, tolerance: Tolerance) -> tuple[str, ...]:
    """Everything that is not tolerable, in words; empty is PASS."""
    reasons = []
    if measured.error:
        reasons.append(f"the attack was not carried out: {measured.error}")
    if measured.forked:
        reasons.append("two nodes have different blocks at one height")
    if measured.died:
        reasons.append(f"ended: {', '.join(measured.died)}")
    if measured.unfinished:
        reasons.append(f"{measured.unfinished} honest payments never became final")
    factor = tolerance.p95_during_factor
    if factor is not None:
        bound = max(factor * measured.before_p95_ms, tolerance.p95_during_ms_floor)
        if _exceeds(measured.during_p95_ms, bound):
            reasons.append(f"p95 during it {_ms(measured.during_p95_ms)}, tolerated {bound:,.0f} ms")
    bound = max(tolerance.p95_after_factor * measured.before_p95_ms, tolerance.p95_after_ms_floor)
    if _exceeds(measured.after_p95_ms, bound):
        reasons.append(f"p95 after it {_ms(measured.after_p95_ms)}, tolerated {bound:,.0f} ms")
    if measured.answered_share < tolerance.answered_least:
        share, least = measured.answered_share, tolerance.answered_least
        reasons.append(f"the victim answered {share:.0%} of an honest client's questions, {least:.0%} expected")
    if measured.growth_mib > tolerance.memory_growth_mib_max:
        reasons.append(f"a node grew by {measured.growth_mib:,.0f} MiB, tolerated {tolerance.memory_growth_mib_max:g}")
    return tuple(reasons)


def _exceeds(value: float, bound: float) -> bool:
    """Whether a time is above its bound; one that nobody measured is."""
    return math.isinf(value) or value > bound


def _ms(value: float) -> str:
    return "none final" if math.isinf(value) else f"{value:,.0f} ms"
