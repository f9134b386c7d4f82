"""Long work in slices, on the loop that votes, timers, calls and pings share."""

from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

import trio

from alatau.transport.long_steps import LongStep, take
from alatau.transport.one_thread import OneThread

Y = TypeVar("Y")
T = TypeVar("T")

SLICE_S = 0.005
"""Work done between two looks at the other tasks. Half of the 10 ms that a vote may wait (chain.md), since a
single transaction can outlast the rest of its slice."""


_LONG_STEPS: Final = OneThread("alatau_long_steps")


async def in_slices(
    work: Generator[Y, Any, T],
    *,
    enough: Callable[[], bool] | None = None,
    long_next: Callable[[Y], bool] | None = None,
    long_limit_s: float | None = None,
    slice_s: float = SLICE_S,
) -> T:
    """Run ``work`` to its end and give its result.

    Args:
        work: the steps.
        enough: asked after each step; when it says so, ``True`` is sent into the generator, which then ends early in
            its own way.
        long_next: whether what was yielded announces a step longer than a slice. That one is taken in a thread; where
            the caller is cancelled meanwhile it is interrupted (``transport/long_steps.py``).
        long_limit_s: processor seconds that such a step may take.
        slice_s: how long steps are taken one after the other.

    Raises:
        LongStepError: a long step took more than ``long_limit_s``.
    """
    await trio.lowlevel.checkpoint_if_cancelled()  # A wait before may have outlived its cancellation: a thread's does.
    deadline = trio.current_time() + slice_s
    stop: bool | None = None
    long = False
    while True:
        if long:
            step = LongStep(work, stop)
            await take(step, _LONG_STEPS.limiter, long_limit_s)
            ended, value = step.ended, step.value
            deadline = trio.current_time() + slice_s
        else:
            ended, value = _step(work, stop)
        if ended:
            result: T = value
            return result
        now = trio.current_time()
        if now >= deadline:
            await trio.lowlevel.checkpoint()
            deadline = trio.current_time() + slice_s
        long = long_next is not None and long_next(value)
        stop = True if not long and enough is not None and enough() else None


def _step(work: Generator[Any, Any, Any], sent: bool | None) -> tuple[bool, Any]:
    """Whether the work has ended, and its result or what it yielded."""
    try:
        return False, work.send(sent)
    except StopIteration as end:
        return True, end.value
