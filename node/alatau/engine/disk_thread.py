"""Where the owner task waits for the disk: in a thread, so that the loop does not.

An fsync takes milliseconds on a good disk and half a second on a bad day. Votes that arrive, timers, pings, calls of
clients go on meanwhile; only the owner task waits, so the order of effects is what it was: nothing that follows in the
list happens before the disk has answered, and the core is not stepped.

A piece of work that has begun is always waited for, also by a task that was cancelled: it learns of its cancellation
at its next wait. So a node that stops has done the effects up to some point and none after it, and its files are closed
when nobody uses them.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class DiskThread:
    """Runs one piece of work after the other. It has a place of its own: clients' work cannot keep it waiting."""

    def __init__(self) -> None:
        self._one = trio.CapacityLimiter(1)

    async def run(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Run ``work(*arguments)`` to its end; raises what it raises, and ``trio.Cancelled`` only before it begins."""
        return await trio.to_thread.run_sync(work, *arguments, limiter=self._one)
