"""Long work on the loop that votes, timers and pings share."""

from collections.abc import Generator
from typing import TypeVar, cast

import trio

T = TypeVar("T")


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Run steps to their end, letting others have a turn before each and after the last."""
    while True:
        await trio.lowlevel.checkpoint()
        try:
            next(steps)
        except StopIteration as end:
            return cast("T", end.value)
