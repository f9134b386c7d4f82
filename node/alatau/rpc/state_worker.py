"""Work on committed state that takes longer than consensus may be held up: calls, traces, log queries, proofs.

**Two lanes, a thread each, one piece at a time in each.** What is known to be quick, by how long work of its kind took
before, never waits behind what is long; in each lane the caller that has used least is next (``turns``). A kind that
nobody has asked for yet begins in the quick lane, unless its caller's last one turned out to be long. More threads
would gain nothing: the interpreter's lock lets one run Python, and each would make the node's own thread wait.

**What long work may take shrinks under load.** A lane rests after long work for as long as the work took, for three
times as long while the other lane works too: at most half of a core goes to clients. And the gas that a long call gets
is divided by the number of callers with long work, so that a turn comes soon for each of them.

A caller whose work takes too long gets an answer; the thread is left to finish, which its gas or its size bounds. A
thread reads a snapshot of its own and shares no cache with execution.
"""

import math
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import trio

from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.rpc.turns import FairTurns, Turn
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
_REST_FACTOR_SHARED = 3.0
"""Rest in lengths of the work while both lanes work: a quarter of a core for each."""
_LONG_S = 0.05
"""Work that takes longer than this is long. A view of a token takes a hundredth of it."""
_SUSPECT_S = 10.0
"""So long a caller whose first call of a kind was long has others of unknown kind in the long lane."""
_KINDS_MAX = 4_096
"""Kinds, and suspects, that are remembered."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Work as the worker sees it before it runs."""

    caller: Hashable
    kind: Hashable
    """Pieces of one kind take about as long: the function of the contract that is called, for instance."""


@dataclass(eq=False, slots=True)
class _Lane:
    turns: FairTurns
    thread: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))
    """Makes sure that an abandoned piece ends before the next begins, whatever the turns say."""
    rested_at: float = -math.inf
    """When it may work again."""

    @property
    def in_use(self) -> bool:
        return self.turns.callers > 0


class StateWorker:
    """The threads for reads. One for all services of a node."""

    def __init__(
        self,
        store: Store,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = trio.sleep,
    ) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._quick, self._long = (
            _Lane(FairTurns(limits.calls_waiting_max, limits.calls_waiting_each_max)) for _ in range(2)
        )
        self._took: OrderedDict[Hashable, float] = OrderedDict()
        """Kind -> seconds that it took lately."""
        self._suspects: OrderedDict[Hashable, float] = OrderedDict()
        """Caller -> until when."""
        sys.setswitchinterval(_SWITCH_INTERVAL_S)

    def gas_max(self, piece: Piece) -> int:
        """Gas that a call of this kind gets now: its share where several callers have long work."""
        if self._lane(piece) is self._quick:
            return self._limits.call_gas_max
        return max(self._limits.call_gas_max // max(self._long.turns.callers, 1), self._limits.call_gas_least)

    async def on_state(self, piece: Piece, height: int, work: Callable[[FrozenState], T]) -> T:
        """Run ``work`` on the state after ``height``, which is known to be readable."""
        return await self.run(piece, partial(_on_state, self._store, height, work))

    async def run(self, piece: Piece, work: Callable[[], T]) -> T:
        """Run ``work`` when its turn comes.

        Raises:
            RpcError: TOO_MANY_CALLS, SERVER_BUSY or CALL_TOO_SLOW.
        """
        limits, taken = self._limits, None
        with trio.move_on_after(limits.call_wait_s_max):
            taken = await self._take_turn(piece)
        if taken is None:
            raise failure(
                "SERVER_BUSY", f"no turn for this call within {limits.call_wait_s_max:g} s", retry_after_s=1.0
            )
        lane, turn = taken
        token, started = trio.lowlevel.current_trio_token(), False

        def timed() -> T:
            nonlocal started
            started, began = True, self._clock()
            try:
                return work()
            finally:
                with suppress(trio.RunFinishedError):  # the node has gone meanwhile
                    token.run_sync_soon(self._ended, piece, lane, turn, self._clock() - began)

        try:
            with trio.move_on_after(limits.call_time_s_max):
                return await trio.to_thread.run_sync(timed, limiter=lane.thread, abandon_on_cancel=True)
        finally:
            if not started:
                turn.end(0.0)
        raise failure("CALL_TOO_SLOW", f"the call took longer than {limits.call_time_s_max:g} s")

    async def _take_turn(self, piece: Piece) -> tuple[_Lane, Turn]:
        """Wait for the turn, and for the end of the rest; who is found to be long meanwhile changes lanes."""
        lane = self._lane(piece)
        turn = await lane.turns.take(piece.caller)
        if self._lane(piece) is not lane:
            turn.end(0.0)
            lane = self._lane(piece)
            turn = await lane.turns.take(piece.caller)
        left = lane.rested_at - self._clock()
        if left > 0:
            try:
                await self._sleep(left)
            except BaseException:
                turn.end(0.0)
                raise
        return lane, turn

    def _lane(self, piece: Piece) -> _Lane:
        took = self._took.get(piece.kind)
        if took is None:
            return self._long if self._suspects.get(piece.caller, -math.inf) > self._clock() else self._quick
        return self._long if took > _LONG_S else self._quick

    def _ended(self, piece: Piece, lane: _Lane, turn: Turn, seconds: float) -> None:
        """A piece has left its thread: learn from it, and let the next one begin."""
        turn.end(seconds)
        if seconds > _REST_AFTER_S:
            # Whichever lane it was in: what is long never makes what is quick wait.
            resting, other = (self._long, self._quick) if seconds > _LONG_S else (lane, self._long)
            factor = _REST_FACTOR_SHARED if other.in_use else 1.0
            resting.rested_at = max(resting.rested_at, self._clock() + seconds * factor)
        before = self._took.get(piece.kind)
        if before is None and seconds > _LONG_S:
            _remember(self._suspects, piece.caller, self._clock() + _SUSPECT_S)
        _remember(self._took, piece.kind, seconds if before is None else (before + seconds) / 2)


def _remember(memory: OrderedDict[Hashable, float], key: Hashable, value: float) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _KINDS_MAX:
        memory.popitem(last=False)


def _on_state(store: Store, height: int, work: Callable[[FrozenState], T]) -> T:
    try:
        with store.frozen_state(height) as state:
            return work(state)
    except HistoryPrunedError as error:  # it was there when the call came, and went while it waited
        raise failure("STATE_PRUNED", str(error), metadata={"height": str(error.oldest)}) from error
