"""Rates."""

import pytest

from alatau.transport.rates import CALLERS_MAX, PerCaller, TokenBucket


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr("alatau.transport.rates.time.monotonic", lambda: now[0])
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
    rates = PerCaller[object, TokenBucket](lambda _: TokenBucket(1, 1))
    assert rates.of(b"a").take()
    assert not rates.of(b"a").take()
    assert rates.of(b"b").take()


def test_the_number_of_remembered_callers_is_bounded(clock: list[float]) -> None:
    """The one unseen for longest goes first; a busy one stays."""
    rates = PerCaller[object, TokenBucket](lambda _: TokenBucket(1, 1))
    rates.of("busy").take()
    for number in range(5_000):
        rates.of(f"10.0.{number}").take()
        assert not rates.of("busy").take()
    assert len(rates) == CALLERS_MAX
