"""Work on committed state that takes longer than consensus may be held up.

It runs in a worker thread, one piece at a time: the interpreter's lock lets only one thread run Python, and a second
one would only make the node's own thread wait longer for its turn. A caller whose work takes too long gets an answer;
the thread is left to finish, which its gas or its size bounds. The thread reads a snapshot of its own and shares no
cache with execution.
"""

import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.storage.errors import HistoryPrunedError
from alatau.storage.frozen_state import FrozenState
from alatau.storage.store import Store

T = TypeVar("T")

_SWITCH_INTERVAL_S = 0.000_5
"""A thread that wants the interpreter while another computes gets it within this time. Python's own 5 ms would delay
the node's thread by as much at every wake-up; measured beside a call that burns gas, a timer is late by 0.6 ms
(median) instead of 5.6 ms, and the call takes no longer. It is the process's one setting: the thread that recovers
senders (``engine.signatures``) also needs it, which would get 200 signatures a second out of a busy node at 5 ms."""

_REST_AFTER_S = 0.01
"""Work shorter than this needs no rest: consensus waits longer for its network."""


class StateWorker:
    """A worker thread for reads. One for all services of a node."""

    def __init__(
        self,
        store: Store,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._turn = trio.CapacityLimiter(limits.calls_at_once)
        self._present = 0
        self._rested_at = -math.inf
        """When the thread may work again."""
        sys.setswitchinterval(_SWITCH_INTERVAL_S)

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
                return await trio.to_thread.run_sync(
                    partial(self._paced, work), limiter=self._turn, abandon_on_cancel=True
                )
        finally:
            self._present -= 1
        raise failure("CALL_TOO_SLOW", f"the call took longer than {limits.call_time_s_max:g} s, waiting included")

    def _paced(self, work: Callable[[], T]) -> T:
        """In the thread: work, after a rest as long as the last work was, so that half of a core is left to the node.

        Otherwise a client that sends one long call after the other takes what consensus needs.
        """
        started = self._clock()
        if self._rested_at > started:
            self._sleep(self._rested_at - started)
            started = self._clock()
        try:
            return work()
        finally:
            ended = self._clock()
            if ended - started > _REST_AFTER_S:
                self._rested_at = ended + (ended - started)


def _on_state(store: Store, height: int, work: Callable[[FrozenState], T]) -> T:
    try:
        with store.frozen_state(height) as state:
            return work(state)
    except HistoryPrunedError as error:  # it was there when the call came, and went while it waited
        raise failure("STATE_PRUNED", str(error), metadata={"height": str(error.oldest)}) from error
