"""Work on committed state that takes longer than consensus may be held up.

It runs in a worker thread, one piece at a time: the interpreter's lock lets only one thread run Python, and a second
one would only make the node's own thread wait longer for its turn (at most ``sys.getswitchinterval()``, 5 ms, each
time it wants one). A caller whose work takes too long gets an answer; the thread is left to finish, which its
gas or its size bounds. The thread reads a snapshot of its own and shares no cache with execution.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.storage.frozen_state import FrozenState
from alatau.storage.store import Store

T = TypeVar("T")


class StateWorker:
    """A worker thread for reads. One for all services of a node."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._turn = trio.CapacityLimiter(limits.calls_at_once)
        self._present = 0

    async def on_state(self, height: int, work: Callable[[FrozenState], T]) -> T:
        """Run ``work`` on the state after ``height``, which is known to be readable."""
        return await self.run(partial(_on_state, self._store, height, work))

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` when its turn comes.

        Raises:
            RpcError: SERVER_BUSY or CALL_TOO_SLOW.
        """
        limits = self._limits
        if self._present >= limits.calls_waiting_max + limits.calls_at_once:
            raise failure("SERVER_BUSY", f"{self._present} calls wait already", retry_after_s=1)
        self._present += 1
        try:
            with trio.move_on_after(limits.call_time_s_max):
                return await trio.to_thread.run_sync(work, limiter=self._turn, abandon_on_cancel=True)
        finally:
            self._present -= 1
        raise failure("CALL_TOO_SLOW", f"the call took longer than {limits.call_time_s_max:g} s, waiting included")


def _on_state(store: Store, height: int, work: Callable[[FrozenState], T]) -> T:
    with store.frozen_state(height) as state:
        return work(state)
