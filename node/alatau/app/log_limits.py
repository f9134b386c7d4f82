"""How much one thing may say in the log: whoever makes the node complain must not be able to fill its disk.

An entry's *place* is its event, or for a library the line of code that logs it: a set bounded by the code, whatever a
stranger puts into messages. Each place has a bucket; what does not fit is counted, and the count stands in the next
entry of that place that does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from alatau.transport.rates import PerCaller, TokenBucket


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one place may write."""

    burst: int
    """Entries at once, after a silence."""
    per_s: float
    """Entries a second in the long run."""


OWN_NEWS: Final = Rate(200, 20.0)
"""Debug and info of our own: at the fastest pace ten blocks a second, each with a line or two."""
OWN_TROUBLE: Final = Rate(30, 1.0)
"""Warnings and errors of our own: each tells something new for a while."""
FOREIGN: Final = Rate(10, 0.1)
"""Libraries and what is written past the log: strangers can provoke these. 10 days of it, at 8 KiB, make 700 MB."""

_PLACES_MAX: Final = 1024
"""Far more than there are; the longest unused goes."""


@dataclass(slots=True)
class _Place:
    bucket: TokenBucket
    suppressed: int = 0


class LogLimiter:
    """Decides which entries are written. Safe to use from several threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds that only goes forward."""
        self._now_s = now_s
        self._places = PerCaller[tuple[object, Rate], _Place](self._new_place, _PLACES_MAX)
        self._lock = Lock()

    def admit(self, place: object, rate: Rate) -> int | None:
        """None where an entry of this place is not written; else how many were not since the last that was."""
        with self._lock:
            kept = self._places.of((place, rate))
            if not kept.bucket.take():
                kept.suppressed += 1
                return None
            suppressed, kept.suppressed = kept.suppressed, 0
            return suppressed

    def _new_place(self, key: tuple[object, Rate]) -> _Place:
        _, rate = key
        return _Place(TokenBucket(rate.per_s, rate.burst, self._now_s))
