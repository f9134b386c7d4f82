"""Timers of consensus on Trio's clock."""

import pytest
import trio
import trio.testing

from alatau.consensus.inputs import Timer, TimerKind
from alatau.engine.timers import Timers

PROPOSE = Timer(TimerKind.PROPOSE, 1, 0)
PREVOTE = Timer(TimerKind.PREVOTE, 1, 0)


async def fired_within(seconds: float, *settings: tuple[Timer, int], cancel: bool = False) -> list[Timer]:
    """Set timers, wait on a mock clock, give those that fired in order."""
    fired: list[Timer] = []

    async def fire(timer: Timer) -> None:
        await trio.lowlevel.checkpoint()
        fired.append(timer)

    async with trio.open_nursery() as nursery:
        timers = Timers(nursery, fire)
        for timer, delay_ms in settings:
            timers.set(timer, delay_ms)
        if cancel:
            timers.cancel_all()
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
    return fired


@pytest.mark.trio
async def test_timers_fire_in_order_of_time(autojump_clock: trio.testing.MockClock) -> None:
    """Each fires once, after its delay."""
    assert await fired_within(10, (PREVOTE, 2_000), (PROPOSE, 1_000)) == [PROPOSE, PREVOTE]


@pytest.mark.trio
async def test_an_equal_timer_replaces_the_first(autojump_clock: trio.testing.MockClock) -> None:
    """Setting one again moves it."""
    assert await fired_within(2, (PROPOSE, 1_000), (PROPOSE, 3_000)) == []
    assert await fired_within(4, (PROPOSE, 1_000), (PROPOSE, 3_000)) == [PROPOSE]


@pytest.mark.trio
async def test_cancelled_timers_never_fire(autojump_clock: trio.testing.MockClock) -> None:
    """After a decision nothing of the height wakes anybody (Besu 1734)."""
    assert await fired_within(10, (PROPOSE, 1_000), (PREVOTE, 2_000), cancel=True) == []
