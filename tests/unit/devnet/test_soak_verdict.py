"""The rules of the soak's verdict: what grows after the beginning fails, what only settles does not."""

from collections.abc import Callable

import pytest

from alatau_devnet.soak_verdict import Sample, SoakVerdict, judge

RATE = 500.0


def run(change: Callable[[int, dict[str, object]], None] = lambda *_: None, count: int = 40) -> list[Sample]:
    """Samples of a run in which nothing grows but the chain, ``change``d one by one."""
    samples = []
    for n in range(count):
        values: dict[str, object] = {
            "at_s": 5.0 * n,
            "final": int(RATE * 5 * n),
            "p50_ms": 200.0,
            "p95_ms": 300.0,
            "own_mib": (100.0 + min(n, 8), 90.0),
            "descriptors": (80, 85),
            "disk_bytes": (917 * int(RATE * 5 * n), 0),
        }
        change(n, values)
        samples.append(Sample(**values))  # type: ignore[arg-type]
    return samples


def verdict_of(samples: list[Sample], nodes_alive: int = 4, *, forked: bool = False) -> SoakVerdict:
    """Judge a run of four nodes."""
    return judge(samples, rate=RATE, nodes_alive=nodes_alive, nodes=4, forked=forked)


def test_a_run_that_only_settles_passes() -> None:
    """Caches that fill at the beginning are no growth; the figures are those of the run."""
    verdict = verdict_of(run())
    assert (verdict.verdict, verdict.reasons) == ("PASS", ())
    assert (verdict.payments, verdict.disk_bytes_per_payment) == (97_500, 917.0)
    assert (verdict.memory_growth_mib, verdict.descriptor_growth, verdict.latency_drift) == (0.0, 0, 1.0)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("own_mib", lambda n: (100.0, 90.0 + 3 * n), "memory grew"),
        ("descriptors", lambda n: (80 + 5 * n, 80), "descriptors grew"),
        ("p50_ms", lambda n: 200.0 + 60 * n, "median latency went"),
        ("p50_ms", lambda n: 200.0 if n < 20 else None, "nothing became final at the end"),
        ("final", lambda n: 400 * 5 * n, "400 payments a second became final"),
        ("disk_bytes", lambda n: (3_000 * 2_500 * n, 0), "3,000 bytes on a node's disk"),
    ],
)
def test_what_grows_fails(name: str, value: Callable[[int], object], reason: str) -> None:
    """Each by itself, and the reason says what."""
    verdict = verdict_of(run(lambda n, values: values.update({name: value(n)})))
    assert verdict.verdict == "FAIL"
    assert reason in "; ".join(verdict.reasons)


def test_at_a_low_rate_blocks_weigh_more_than_payments() -> None:
    """Their size on disk is then no verdict on payments; it is reported all the same."""

    def slow(n: int, values: dict[str, object]) -> None:
        values.update(final=30 * 5 * n, disk_bytes=(3_000 * 30 * 5 * n, 0))

    verdict = judge(run(slow), rate=30.0, nodes_alive=4, nodes=4, forked=False)
    assert (verdict.verdict, verdict.disk_bytes_per_payment) == ("PASS", 3_000.0)


def test_nodes_that_end_or_disagree_fail() -> None:
    """Whatever the figures."""
    assert "1 of 4 nodes ended" in verdict_of(run(), 3).reasons
    assert verdict_of(run(), forked=True).verdict == "FAIL"


def test_a_run_that_is_too_short_says_so() -> None:
    """A verdict on two samples would be none."""
    assert "run it longer" in verdict_of(run(count=5)).reasons[0]
    assert verdict_of([]).verdict == "FAIL"
