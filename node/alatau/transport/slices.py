"""Long work in slices, on the loop that votes, timers, calls and pings share."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import trio

T = TypeVar("T")

SLICE_S = 0.005
"""Work done between two looks at the other tasks. Half of the 10 ms that a vote may wait (chain.md), since a
single transaction can outlast the rest of its slice."""


async def in_slices(
    work: Generator[None, Any, T],
    *,
    enough: Callable[[], bool] | None = None,
    slice_s: float = SLICE_S,
) -> T:
    """Run ``work`` to its end and give its result.

    ``enough`` is asked after each step; when it says so, ``True`` is sent into the generator, which then ends
    early in its own way.
    """
    await trio.lowlevel.checkpoint_if_cancelled()  # A wait before may have outlived its cancellation: a thread's does.
    deadline = trio.current_time() + slice_s
    stop: bool | None = None
    while True:
        try:
            if stop is None:
                next(work)
            else:
                work.send(stop)
        except StopIteration as end:
            result: T = end.value
            return result
        now = trio.current_time()
        if now >= deadline:
            await trio.lowlevel.checkpoint()
            deadline = trio.current_time() + slice_s
        stop = True if enough is not None and enough() else None
