"""A long step is stopped by its processor time, or when nobody waits for it any more."""

import sys
import threading
import time
from collections.abc import Generator
from random import Random

import pytest
import trio

from alatau.transport.long_steps import LongStep, LongStepError, StepInterrupted, take


def spinning(until_s: float = 3_600.0, ended: threading.Event | None = None) -> Generator[str, None, str]:
    """A step that uses a processor for so many seconds."""
    began_s = time.thread_time()
    try:
        while time.thread_time() - began_s < until_s:
            pass
    finally:
        if ended is not None:
            ended.set()
    yield "yielded"
    return "ended"


@pytest.mark.trio
async def test_a_step_is_stopped_by_its_processor_time() -> None:
    """It would have gone on for an hour. The thread is as good as before."""
    limiter = trio.CapacityLimiter(1)
    with trio.fail_after(60), pytest.raises(LongStepError):
        await take(LongStep(spinning(), None), limiter, 0.05)
    step = LongStep(spinning(0.0), None)
    await take(step, limiter, 60.0)
    assert (step.value, step.ended, step.interrupted) == ("yielded", False, False)


@pytest.mark.trio
async def test_a_wait_costs_no_processor_time() -> None:
    """On a busy machine a step waits for its turn; that is not its own time."""

    def waiting() -> Generator[str, None, None]:
        time.sleep(0.3)
        yield "done"

    step = LongStep(waiting(), None)
    await take(step, trio.CapacityLimiter(1), 0.1)
    assert step.value == "done"


@pytest.mark.trio
async def test_a_step_that_nobody_waits_for_ends() -> None:
    """Its caller is cancelled, and the thread is free soon after."""
    ended, limiter = threading.Event(), trio.CapacityLimiter(1)
    with trio.move_on_after(0.05) as scope:
        await take(LongStep(spinning(ended=ended), None), limiter, None)
    assert scope.cancelled_caught
    with trio.fail_after(60):
        assert await trio.to_thread.run_sync(ended.wait, 60)


@pytest.mark.trio
async def test_errors_come_through() -> None:
    """What the step raises is what the caller sees, without a group around it."""

    def failing() -> Generator[str, None, None]:
        yield from map(str, iter(_fail, None))

    with pytest.raises(ValueError, match="no"):
        await take(LongStep(failing(), None), trio.CapacityLimiter(1), 1.0)


def test_whoever_ends_at_the_limit_ends_or_is_stopped() -> None:
    """A step and its interruption meet in every way; the thread never keeps an exception that comes later."""
    chance, outcomes, interval_s = Random(7), set[object](), sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        for _ in range(200):
            lasts_s = 0.001 + chance.random() / 200
            step, at_s = LongStep(spinning(lasts_s), None), lasts_s * chance.uniform(0.5, 1.2)
            thread = threading.Thread(target=_run_and_go_on, args=(step, outcomes))
            thread.start()
            while step.cpu_s() < at_s and thread.is_alive():
                time.sleep(0)
            step.interrupt()
            thread.join(60)
            assert not thread.is_alive()
            outcomes.add(("ended", step.value == "yielded"))
    finally:
        sys.setswitchinterval(interval_s)
    assert outcomes == {("ended", True), ("ended", False), "went on"}


def _fail() -> None:
    raise ValueError("no")


def _run_and_go_on(step: LongStep, outcomes: set[object]) -> None:
    step.run()
    try:
        for _ in range(2_000):
            pass
    except StepInterrupted:
        outcomes.add("hit afterwards")
    outcomes.add("went on")
