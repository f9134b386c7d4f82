"""What a soak measured, and what must not grow: rules only, so that they can be tested without a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

_BEGINNING_SHARE: Final = 0.25
"""Of the run, in which caches fill and the allocator finds its size: not compared."""
_MEMORY_GROWTH_MIB_MAX: Final = 32.0
"""From the first third after the beginning to the last: an object of 100 bytes that leaks with each payment shows after
335,000 of them, eleven minutes at 500 a second."""
_DESCRIPTOR_GROWTH_MAX: Final = 64
"""LevelDB opens more tables as it grows, up to 400."""
_DRIFT_MAX: Final = 2.0
"""Median latency of the last third over that of the first."""
_DRIFT_MS_FLOOR: Final = 500.0
"""Below this no drift counts: the machine's other work moves it more."""
_KEPT_UP_SHARE: Final = 0.95
"""Of what was sent that must be final at the last sample."""
_DISK_BYTES_PER_PAYMENT_MAX: Final = 2_000.0
"""On one node; 917 were measured for a payment in its block with receipt, indexes, state and history. Short runs hold
more in logs that are not compacted yet."""
_DISK_PAYMENTS_MIN: Final = 100
"""Payments a second from which the bound on disk counts: with fewer, blocks weigh more than what is in them."""
_SAMPLES_MIN: Final = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment of the run."""

    at_s: float
    final: int
    """Payments that were final by then."""
    p50_ms: float | None
    """Of what became final since the last sample; None where nothing did."""
    p95_ms: float | None
    own_mib: tuple[float, ...]
    """Memory of each node that runs, without pages of files: those are the kernel's to take back, and grow with the
    chain as LevelDB maps its tables."""
    descriptors: tuple[int, ...]
    disk_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SoakVerdict:
    """What the run came to."""

    verdict: Literal["PASS", "FAIL"]
    reasons: tuple[str, ...]
    payments: int
    memory_growth_mib: float
    descriptor_growth: int
    latency_drift: float
    """Median of the last third over that of the first."""
    disk_bytes_per_payment: float


def judge(samples: Sequence[Sample], *, rate: float, nodes_alive: int, nodes: int, forked: bool) -> SoakVerdict:
    """Compare the end with the beginning."""
    reasons = []
    if nodes_alive < nodes:
        reasons.append(f"{nodes - nodes_alive} of {nodes} nodes ended")
    if forked:
        reasons.append("two nodes have different blocks at one height")
    settled = samples[int(len(samples) * _BEGINNING_SHARE) :]
    if len(settled) < _SAMPLES_MIN:
        reasons.append(f"{len(settled)} samples after the beginning, at least {_SAMPLES_MIN} are needed: run it longer")
        return SoakVerdict("FAIL", tuple(reasons), samples[-1].final if samples else 0, 0.0, 0, 0.0, 0.0)
    third = len(settled) // 3
    first, last = settled[:third], settled[-third:]
    memory = median(max(s.own_mib, default=0.0) for s in last) - median(max(s.own_mib, default=0.0) for s in first)
    descriptors = round(
        median(max(s.descriptors, default=0) for s in last) - median(max(s.descriptors, default=0) for s in first)
    )
    before_ms, after_ms = _latency_ms(first), _latency_ms(last)
    drift = after_ms / before_ms if before_ms else 0.0
    payments, span_s = samples[-1].final - samples[0].final, samples[-1].at_s - samples[0].at_s
    per_payment = (max(samples[-1].disk_bytes) - max(samples[0].disk_bytes)) / max(payments, 1)
    if payments < _KEPT_UP_SHARE * rate * span_s:
        reasons.append(f"{payments / span_s:,.0f} payments a second became final, {rate:,.0f} were to be sent")
    if not after_ms:
        reasons.append("nothing became final at the end")
    if memory > _MEMORY_GROWTH_MIB_MAX:
        reasons.append(f"memory grew by {memory:,.0f} MiB after the beginning")
    if descriptors > _DESCRIPTOR_GROWTH_MAX:
        reasons.append(f"descriptors grew by {descriptors}")
    if drift > _DRIFT_MAX and after_ms > _DRIFT_MS_FLOOR:
        reasons.append(f"median latency went from {before_ms:,.0f} to {after_ms:,.0f} ms")
    if per_payment > _DISK_BYTES_PER_PAYMENT_MAX and payments >= _DISK_PAYMENTS_MIN * span_s:
        reasons.append(f"a payment takes {per_payment:,.0f} bytes on a node's disk")
    return SoakVerdict(
        "FAIL" if reasons else "PASS",
        tuple(reasons),
        payments,
        round(memory, 1),
        descriptors,
        round(drift, 2),
        round(per_payment, 1),
    )


def _latency_ms(samples: Sequence[Sample]) -> float:
    """Median of the medians; 0 where nothing became final."""
    return median([sample.p50_ms for sample in samples if sample.p50_ms is not None] or [0.0])
