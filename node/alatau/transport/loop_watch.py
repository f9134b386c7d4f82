"""How long the event loop is held: while one turn of it lasts, no vote, timer, ping or call is served.

Measured where it cannot be missed: between two waits for events of the loop that everything else runs on.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Final

HELD_S: Final = 0.001
"""Shorter turns are not told: there are thousands a second."""


def _ignore(_seconds: float) -> None:
    return


class LoopWatch:
    """Tells of the turns of a loop that lasted ``HELD_S`` or longer."""

    def __init__(self) -> None:
        self.held: Callable[[float], object] = _ignore
        """Called with the seconds of each, from the loop itself."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A loop that is watched; a factory for ``asyncio.Runner``."""
        return asyncio.SelectorEventLoop(_WatchedSelector(self))


class _WatchedSelector(selectors.DefaultSelector):
    """Knows when the loop comes back to wait."""

    def __init__(self, watch: LoopWatch) -> None:
        super().__init__()
        self._watch = watch
        self._woke_at: float | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; what passed since the last wait was one turn."""
        if self._woke_at is not None and (held := time.monotonic() - self._woke_at) >= HELD_S:
            self._watch.held(held)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
        self._woke_at = time.monotonic()
        return ready
