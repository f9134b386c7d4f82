"""Trio as a guest of asyncio without a thread between them.

``trio.lowlevel.start_guest_run`` waits for I/O in a worker thread: every time that Trio runs out of work a thread
is woken, waits in epoll, and hands the loop over with two socket writes and two changes of the interpreter lock.
An epoll instance is itself a file that can be waited for, so here asyncio waits for Trio's, and the thread is
left out. ``docs/adr/0004-bridge-without-a-thread.md`` has the figures.

How: a clock of ours tells Trio that there is no time to sleep, so it comes back to the host for its next tick
instead of starting the thread; the host then runs that tick when there is a reason: an event, a deadline, or a
task that somebody made runnable. Three attributes that Trio does not publish are needed for it; where one is
missing, or the platform has no epoll, Trio's own way with the thread is taken.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import outcome
import trio

T = TypeVar("T")


class _Clock(trio.abc.Clock):
    """The monotonic clock; remembers how long Trio could sleep, and says that it cannot."""

    def __init__(self) -> None:
        self.idle_s: float | None = None
        """Set when Trio has nothing to run: for how long, unless something happens."""
        self.runner: Any = None
        """Trio's run, once the host waits in its place."""

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """Seconds."""
        return time.monotonic()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Zero, once the host waits in Trio's place (but for ``trio.testing``, which waits for the real thing)."""
        idle_s = deadline - time.monotonic()
        if self.runner is None or getattr(self.runner, "waiting_for_idle", None):
            return idle_s
        self.idle_s = idle_s
        return 0.0


class _Host:
    """Runs Trio's ticks on the asyncio loop, each when there is a reason for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.clock = _Clock()
        self._guest: Any = None
        self._epoll_fd: int | None = None
        self._parked: Callable[[], object] | None = None
        """Trio's next tick, while there is no reason to run it."""
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self, tick: Callable[[], object]) -> None:
        """Trio wants ``tick`` to be run; its thread of waiting is not used."""
        if self._epoll_fd is None and not self._adopt(tick):
            self._loop.call_soon(tick)
            return
        idle_s, self.clock.idle_s = self.clock.idle_s, None
        if idle_s is None or idle_s <= 0 or self._has_events():
            self._loop.call_soon(tick)
            return
        self._parked = tick
        self._guest.runner.guest_tick_scheduled = False  # whoever makes a task runnable writes to the epoll
        self._timer = None if math.isinf(idle_s) else self._loop.call_later(idle_s, self.wake)

    def wake(self) -> None:
        """There is a reason for the parked tick, if there is one."""
        tick, self._parked = self._parked, None
        if tick is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._guest.runner.guest_tick_scheduled = True
        self._loop.call_soon(tick)

    def close(self) -> None:
        """Trio has ended."""
        if self._epoll_fd is not None:
            self._loop.remove_reader(self._epoll_fd)
        self._guest = self.clock.runner = None

    def _adopt(self, tick: Callable[[], object]) -> bool:
        """Take over the waiting, where Trio is built as we know it."""
        guest = getattr(tick, "__self__", None)
        runner = getattr(guest, "runner", None)
        epoll = getattr(getattr(runner, "io_manager", None), "_epoll", None)
        if epoll is None or not hasattr(guest, "unrolled_run_next_send") or not hasattr(runner, "guest_tick_scheduled"):
            return False
        self._guest, self._epoll_fd = guest, epoll.fileno()
        self._loop.add_reader(epoll.fileno(), self.wake)
        self.clock.runner = runner
        return True

    def _has_events(self) -> bool:
        """Whether Trio has taken events from its epoll that the next tick is to process."""
        events = self._guest.unrolled_run_next_send
        return isinstance(events, outcome.Error) or bool(events.value)


def start_guest(
    loop: asyncio.AbstractEventLoop,
    main: Callable[[], Awaitable[T]],
    done: Callable[[outcome.Outcome[T]], object],
) -> Callable[[], None]:
    """Start ``main`` on Trio as a guest of ``loop``, and call ``done`` with what became of it.

    Gives a function to call before making a Trio task runnable from asyncio. It only saves a write to a socket.
    """
    host = _Host(loop)

    def finish(result: outcome.Outcome[T]) -> None:
        host.close()
        done(result)

    trio.lowlevel.start_guest_run(
        main,
        run_sync_soon_threadsafe=loop.call_soon_threadsafe,
        run_sync_soon_not_threadsafe=host.schedule,
        done_callback=finish,
        clock=host.clock,
        host_uses_signal_set_wakeup_fd=True,
    )
    return host.wake
