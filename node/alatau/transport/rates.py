"""Rates: a bucket that holds one, and buckets for many callers that do not share theirs."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

CALLERS_MAX: Final = 4_096
"""Callers whose rates are remembered; the one not seen for longest is forgotten. About 200 bytes each."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class TokenBucket:
    """A rate with a burst. Costs are in units of the caller's choice: calls, messages, bytes."""

    __slots__ = ("_burst", "_filled_at", "_level", "_now_s", "_rate")

    def __init__(self, rate_per_s: float, burst: float, now_s: Callable[[], float] | None = None) -> None:
        """``now_s`` is a clock in seconds that only goes forward; the system's by default."""
        self._rate = rate_per_s
        self._burst = burst
        self._now_s = now_s or time.monotonic
        self._level = burst
        self._filled_at = self._now_s()

    def take(self, cost: float = 1.0) -> bool:
        """Pay ``cost`` if the bucket holds it."""
        now = self._now_s()
        self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._level < cost:
            return False
        self._level -= cost
        return True

    def spend(self, cost: float) -> float:
        """Pay ``cost``, on credit if need be; gives the seconds until the debt is paid."""
        if not self.take(cost):
            self._level -= cost
        return max(0.0, -self._level / self._rate)

    def wait_s(self, cost: float = 1.0) -> float:
        """Seconds until ``cost`` would be there, after ``take`` said no."""
        return max(0.0, (cost - self._level) / self._rate)


class PerCaller(Generic[K, T]):
    """What is kept for each caller (a key, an address, whatever tells them apart), for a bounded number of them."""

    def __init__(self, make: Callable[[K], T], callers_max: int = CALLERS_MAX) -> None:
        """``make`` gives what a caller begins with; of more than ``callers_max`` the one unseen for longest goes."""
        self._make = make
        self._callers_max = callers_max
        self._kept: OrderedDict[K, T] = OrderedDict()

    def __len__(self) -> int:
        """Callers that are remembered."""
        return len(self._kept)

    def of(self, caller: K) -> T:
        """What is kept for ``caller``, who is seen now."""
        kept = self._kept.get(caller)
        if kept is None:
            kept = self._kept[caller] = self._make(caller)
            if len(self._kept) > self._callers_max:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(caller)
        return kept
