"""The timers of consensus: each a deadline on Trio's clock, replaced by name."""

from collections.abc import Awaitable, Callable

import trio

from alatau.consensus.inputs import Timer


class Timers:
    """Runs the timers that consensus sets. A dozen at most: one for each kind, height and round in play."""

    def __init__(self, nursery: trio.Nursery, fire: Callable[[Timer], Awaitable[None]]) -> None:
        self._nursery = nursery
        self._fire = fire
        self._running: dict[Timer, trio.CancelScope] = {}

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Fire ``timer`` after ``delay_ms``; an equal timer that runs is replaced."""
        running = self._running.pop(timer, None)
        if running is not None:
            running.cancel()
        scope = self._running[timer] = trio.CancelScope()
        self._nursery.start_soon(self._wait, timer, delay_ms / 1_000, scope)

    def cancel_all(self) -> None:
        """Forget every timer."""
        for scope in self._running.values():
            scope.cancel()
        self._running.clear()

    async def _wait(self, timer: Timer, delay_s: float, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep(delay_s)
            if self._running.get(timer) is scope:
                del self._running[timer]
            await self._fire(timer)
