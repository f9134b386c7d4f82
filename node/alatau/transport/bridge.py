"""Two event loops that talk: grpc.aio lives on asyncio, everything else on Trio.

Theory of operation. In a node, :func:`run` starts one asyncio loop and runs Trio as its *guest* in the same
thread, so a call from one side to the other is a plain function call and a Trio tick takes over all calls
that arrived since the last one. A program that was started with ``trio.run`` (a user of the SDK, a test) has
no such host; there :func:`current_bridge` starts an asyncio loop in a thread of its own for as long as
somebody uses it, and calls cross with each loop's thread-safe entry. The rest of the package sees no
difference: it only uses :class:`Bridge`.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import outcome
import trio

from alatau.transport.guest import start_guest
from alatau.transport.loop_watch import LoopWatch

T = TypeVar("T")

_CURRENT: Final[trio.lowlevel.RunVar["_Shared | Bridge | None"]] = trio.lowlevel.RunVar("alatau_bridge", None)
_SHUTDOWN_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class ForcedShutdown(Exception):  # noqa: N818  an event, nobody's mistake
    """A second signal arrived while the first was being obeyed; what was still running has been cancelled."""


class HostLostError(RuntimeError):
    """The asyncio side ended a task that Trio still waited for: the process is going down."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The way between a Trio run and an asyncio loop."""

    loop: asyncio.AbstractEventLoop
    token: trio.lowlevel.TrioToken | None
    """None when Trio is the guest of ``loop`` and both share a thread."""
    wake_guest: Callable[[], None] = lambda: None
    """To be called before a task of the guest is made runnable."""

    def to_asyncio(self, function: Callable[..., object], *args: object) -> None:
        """Run ``function`` where asyncio lives; at once if this is the same thread."""
        if self.token is None:
            function(*args)
        else:
            try:
                self.loop.call_soon_threadsafe(function, *args)
            except RuntimeError:  # the loop is closed: nothing is left there that could care
                return

    def to_trio(self, function: Callable[..., object], *args: object) -> None:
        """Run ``function`` where Trio lives; at once if this is the same thread."""
        if self.token is None:
            self.wake_guest()
            function(*args)
        else:
            try:
                self.token.run_sync_soon(function, *args)
            except trio.RunFinishedError:
                return

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await an asyncio awaitable from Trio; cancelling here cancels there and waits for its end."""
        waiting = trio.lowlevel.current_task()
        running: asyncio.Future[T] | None = None
        raise_cancel: Callable[[], Any] | None = None

        def start() -> None:
            nonlocal running
            running = asyncio.ensure_future(function(), loop=self.loop)
            running.add_done_callback(finish)
            if raise_cancel is not None:
                running.cancel()

        def finish(future: "asyncio.Future[T]") -> None:
            self.to_trio(trio.lowlevel.reschedule, waiting, _outcome_of(future))

        def abort(raise_: Callable[[], Any]) -> trio.lowlevel.Abort:
            nonlocal raise_cancel
            raise_cancel = raise_
            self.to_asyncio(lambda: running.cancel() if running is not None else None)
            return trio.lowlevel.Abort.FAILED

        self.to_asyncio(start)
        try:
            result: T = await trio.lowlevel.wait_task_rescheduled(abort)
        except HostLostError:
            if raise_cancel is not None:
                raise_cancel()
            raise
        return result


def _outcome_of(future: "asyncio.Future[T]") -> outcome.Outcome[T]:
    if future.cancelled():
        return outcome.Error(HostLostError("the asyncio task was cancelled"))
    error = future.exception()
    return outcome.Value(future.result()) if error is None else outcome.Error(error)


def run(
    main: Callable[[trio.Event], Awaitable[T]], *, handle_signals: bool = True, watch: LoopWatch | None = None
) -> T:
    """Run ``main`` on Trio with an asyncio loop underneath, and give its result. A process's way in.

    ``main`` gets an event that SIGTERM or SIGINT sets; it should then end in order. A second signal cancels it
    and :class:`ForcedShutdown` is raised. Signals are only taken in the main thread. ``watch`` is told how long turns
    of the loop last.
    """
    take_signals = handle_signals and threading.current_thread() is threading.main_thread()
    with asyncio.Runner(loop_factory=(watch or LoopWatch()).new_loop) as runner:
        return runner.run(_host(main, _SHUTDOWN_SIGNALS if take_signals else ()))


async def _host(main: Callable[[trio.Event], Awaitable[T]], signals: tuple[signal.Signals, ...]) -> T:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[outcome.Outcome[T]] = loop.create_future()
    shutdown = trio.Event()
    forced = trio.CancelScope()

    def on_signal() -> None:
        wake_guest()
        if shutdown.is_set():
            forced.cancel()
        shutdown.set()

    async def guest() -> T:
        _CURRENT.set(Bridge(loop, None, wake_guest))
        with forced:
            return await main(shutdown)
        raise ForcedShutdown

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        wake_guest = start_guest(loop, guest, done.set_result)
        return (await done).unwrap()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@dataclass(slots=True)
class _Shared:
    """An asyncio loop in a thread, kept while somebody uses it."""

    bridge: Bridge
    thread: threading.Thread
    users: int = 0


@asynccontextmanager
async def current_bridge() -> AsyncIterator[Bridge]:
    """The bridge of this Trio run: the host's, or one to a thread that lives while it is used."""
    current = _CURRENT.get()
    if isinstance(current, Bridge):
        yield current
        return
    shared = current or _start_thread()
    shared.users += 1
    _CURRENT.set(shared)
    try:
        yield shared.bridge
    finally:
        shared.users -= 1
        if shared.users == 0:
            _CURRENT.set(None)
            shared.bridge.loop.call_soon_threadsafe(shared.bridge.loop.stop)
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(shared.thread.join)


def _start_thread() -> _Shared:
    loop = asyncio.new_event_loop()

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    thread = threading.Thread(target=work, name="alatau-asyncio", daemon=True)
    thread.start()
    return _Shared(Bridge(loop, trio.lowlevel.current_trio_token()), thread)
