"""A step of a generator in a thread that can be stopped: by its processor time, or when nobody wants it any more.

Python has no way to stop a thread but to raise an exception in it (``PyThreadState_SetAsyncExc``), which comes at the
next bytecode that is executed there, anywhere. So what ran must be thrown away whole, and must share nothing that it
could leave half changed. A single operation in C (a hash, a pairing, a modular exponentiation) is not cut short.
"""

import ctypes
import threading
import time
from collections.abc import Generator
from typing import Any, Final

import trio

_LOOK_S: Final = 0.005
"""Between two looks at a step's processor time."""


class StepInterrupted(BaseException):
    """Raised in the thread, anywhere in the step. No ``Exception``, so that nobody takes it for an error of his own."""


class LongStepError(Exception):
    """A step took more processor time than it may. The generator is spent, and all that it did is to be forgotten."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"the step took more than {limit_s:g} s of processor time")
        self.limit_s = limit_s


class LongStep:
    """One step of ``work``, for one thread; the loop's thread looks at it and may interrupt it."""

    def __init__(self, work: Generator[Any, Any, Any], sent: bool | None) -> None:
        self._work = work
        self._sent = sent
        self._thread: int | None = None
        """Ident of the thread while it may be interrupted."""
        self._clock = 0
        self._began_s = 0.0
        self._interrupting = False
        self.interrupted = False
        self.ended = False
        """Whether the generator ended, with ``value``; otherwise it yielded it."""
        self.value: Any = None
        self.error: Exception | None = None

    def run(self) -> None:
        """In the thread: take the step. Never raises.

        Once ``_take`` has left, at most one exception is on its way: one that is raised in the thread before it is
        taken back ends in the next ``except``, and the last ``_settle`` has none to fear.
        """
        ident = threading.get_ident()
        try:
            try:
                self._take(ident)
                self._settle(ident)
            except StepInterrupted:
                self._settle(ident)
        except StepInterrupted:
            self._settle(ident)

    def _take(self, ident: int) -> None:
        self._clock = time.pthread_getcpuclockid(ident)
        self._began_s = time.clock_gettime(self._clock)
        try:
            self._thread = ident
            self.value = self._work.send(self._sent)
        except StopIteration as end:
            self.ended, self.value = True, end.value
        except Exception as error:  # noqa: BLE001  raised again where the step is awaited
            self.error = error
        finally:
            self._thread = None

    def _settle(self, ident: int) -> None:
        """Take back an exception that was on its way when the step ended."""
        while self._interrupting:
            time.sleep(0)
        _raise_in(ident, None)

    def interrupt(self) -> None:
        """From another thread: end the step soon, if it has not ended. It then counts as interrupted."""
        self._interrupting = True
        try:
            if self._thread is not None:
                self.interrupted = True
                _raise_in(self._thread, StepInterrupted)
        finally:
            self._interrupting = False

    def cpu_s(self) -> float:
        """Processor seconds that the step has taken so far; 0 before it begins and after it ends."""
        return 0.0 if self._thread is None else time.clock_gettime(self._clock) - self._began_s


async def take(step: LongStep, limiter: trio.CapacityLimiter, limit_s: float | None) -> None:
    """Take ``step`` in a thread of ``limiter``; interrupt it if the caller is cancelled.

    Raises:
        LongStepError: it took more than ``limit_s`` of processor time.
        Exception: what the step raised.
    """
    async with trio.open_nursery() as nursery:
        if limit_s is not None:
            nursery.start_soon(_watch, step, limit_s)
        try:
            await trio.to_thread.run_sync(step.run, limiter=limiter, abandon_on_cancel=True)
        except trio.Cancelled:
            step.interrupt()
            raise
        nursery.cancel_scope.cancel()
    if step.interrupted:
        assert limit_s is not None, "only a limit interrupts a step that somebody waits for"
        raise LongStepError(limit_s)
    if step.error is not None:
        raise step.error


async def _watch(step: LongStep, limit_s: float) -> None:
    while True:
        if step.cpu_s() > limit_s:
            step.interrupt()  # Until it ends: an exception that comes in a finalizer is lost.
        await trio.sleep(_LOOK_S)


def _raise_in(ident: int, exception: type[BaseException] | None) -> None:
    """Raise an exception in a thread, at its next bytecode; None takes back one that has not come yet."""
    what = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), what)
