"""Work for which one thread at a time is enough: two would share the interpreter and each take twice as long."""

from typing import Final

import trio


class OneThread:
    """A limiter of one thread. Of each Trio run its own: a thread that outlives its run cannot give its place back."""

    def __init__(self, name: str) -> None:
        self._of_run: Final[trio.lowlevel.RunVar[trio.CapacityLimiter]] = trio.lowlevel.RunVar(name)

    @property
    def limiter(self) -> trio.CapacityLimiter:
        """For ``trio.to_thread.run_sync``, in this run."""
        try:
            return self._of_run.get()
        except LookupError:
            limiter = trio.CapacityLimiter(1)
            self._of_run.set(limiter)
            return limiter
