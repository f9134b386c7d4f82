"""Rates."""

import pytest

from alatau.transport.limits import Limits, PeerRates, TokenBucket


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr("alatau.transport.limits.time.monotonic", lambda: now[0])
    return now


def test_a_bucket_gives_its_burst_and_then_its_rate(clock: list[float]) -> None:
    """Ten at once, then two a second, never saving more than ten."""
    bucket = TokenBucket(2.0, 10.0)
    assert [bucket.take() for _ in range(11)] == [True] * 10 + [False]
    assert bucket.wait_s() == 0.5
    clock[0] += 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    clock[0] += 1_000.0
    assert not bucket.take(10.5)
    assert bucket.take(10.0)


def test_callers_do_not_share_a_bucket(clock: list[float]) -> None:
    """One that is greedy costs another nothing."""
    rates = PeerRates(Limits(calls_per_s=1, calls_burst=1))
    assert rates.bucket(b"a").take()
    assert not rates.bucket(b"a").take()
    assert rates.bucket(b"b").take()


def test_the_number_of_remembered_callers_is_bounded(clock: list[float]) -> None:
    """The one unseen for longest goes first; a busy one stays."""
    rates = PeerRates(Limits(calls_per_s=1, calls_burst=1))
    rates.bucket("busy").take()
    for number in range(5_000):
        rates.bucket(f"10.0.{number}").take()
        assert not rates.bucket("busy").take()
    assert len(rates._buckets) == 4_096
