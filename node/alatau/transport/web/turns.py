"""Long conversions of JSON, one after the other in a thread: addresses in turn, and at most half of the time.

A thread that converts shares the interpreter with consensus, and one address may have 256 requests under way: if the
first to come were the first to be served, everybody else would wait for all of them.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

import trio

from alatau.transport.one_thread import OneThread

T = TypeVar("T")

_THREAD: Final = OneThread("alatau_long_json")
_REST: Final = 1.0
"""In what the conversion before it took: what the next one waits for at least."""


class Turns:
    """Who is at work, and who waits, by the address that asks."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[trio.Event]] = {}
        """The address whose turn is next comes first."""
        self._is_taken = False
        self._rested_at = -float("inf")

    async def take(self, source: str, work: Callable[[], T]) -> T:
        """Do ``work`` in the thread when it is ``source``'s turn; what it raises is raised."""
        await self._wait(source)
        try:
            await trio.sleep_until(self._rested_at)
            began = trio.current_time()
            try:
                return await trio.to_thread.run_sync(work, limiter=_THREAD.limiter)
            finally:
                now = trio.current_time()
                self._rested_at = now + _REST * (now - began)
        finally:
            self._pass_on()

    async def _wait(self, source: str) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        called, queue = trio.Event(), self._waiting.setdefault(source, deque())
        queue.append(called)
        try:
            await called.wait()
        except trio.Cancelled:  # never once it is called: then the turn is taken, and passed on
            queue.remove(called)
            if not queue:
                del self._waiting[source]
            raise

    def _pass_on(self) -> None:
        if not self._waiting:
            self._is_taken = False
            return
        source = next(iter(self._waiting))
        queue = self._waiting.pop(source)
        queue.popleft().set()
        if queue:
            self._waiting[source] = queue  # behind the others
