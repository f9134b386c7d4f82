"""Whose turn it is at something that only one can use at a time: the caller that has used least of it.

Start-time fair queueing (Goyal, Vin, Cheng 1996) over measured seconds: a caller's clock moves on by what its turns
took, the waiting caller whose clock is least is next, and who comes after a pause begins at the clock of the moment, so
that nobody saves up. Callers with short work are thus served between any two turns of one with long work, however
much of it that one keeps waiting.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

import trio

from alatau.rpc.failures import failure

_CALLERS_MAX = 4_096
"""Clocks remembered; the one used longest ago is forgotten first, and begins again at the moment's."""
_LEAST_S = 0.000_5
"""What any turn counts at least: changing hands costs as much."""


@dataclass(eq=False, slots=True)
class _Waiter:
    called: trio.Event = field(default_factory=trio.Event)
    sent_away: bool = False


class Turn:
    """A turn under way. End it once, with what it took; a second end is none."""

    __slots__ = ("_caller", "_ended", "_turns")

    def __init__(self, turns: "FairTurns", caller: Hashable) -> None:
        self._turns = turns
        self._caller = caller
        self._ended = False

    def end(self, seconds: float) -> None:
        """It is over, and took this long."""
        if not self._ended:
            self._ended = True
            self._turns.ended(self._caller, seconds)


class FairTurns:
    """Turns at one thing."""

    def __init__(self, waiting_max: int, waiting_each_max: int) -> None:
        """So many may wait in all, and of one caller."""
        self._waiting_max = waiting_max
        self._waiting_each_max = waiting_each_max
        self._lines: dict[Hashable, deque[_Waiter]] = {}
        self._clocks: OrderedDict[Hashable, float] = OrderedDict()
        self._now = 0.0
        self._busy = False
        self._served: Hashable = None
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Who waits, in all."""
        return self._waiting

    @property
    def callers(self) -> int:
        """Callers that wait or are being served."""
        return len(self._lines) + (self._busy and self._served not in self._lines)

    async def take(self, caller: Hashable) -> Turn:
        """Wait for a turn; to be ended with :meth:`Turn.end`.

        Raises:
            RpcError: TOO_MANY_CALLS where this caller has as many waiting as it may, SERVER_BUSY where all may not be
                more. Both say when to come back.
        """
        if not self._busy:
            self._busy = True
            self._begin(caller)
            return Turn(self, caller)
        waiter = self._line_up(caller)
        try:
            await waiter.called.wait()
        except trio.Cancelled:
            if waiter.called.is_set() and not waiter.sent_away:  # it was called and left in the same moment
                self.ended(caller, 0.0)
            else:
                self._drop(caller, waiter)
            raise
        if waiter.sent_away:
            raise failure("SERVER_BUSY", "too many calls wait, most of them this caller's", retry_after_s=1.0)
        return Turn(self, caller)

    def ended(self, caller: Hashable, seconds: float) -> None:
        """A turn is over: charge it and call the next. For :class:`Turn`."""
        if caller in self._clocks:
            self._clocks[caller] += max(seconds, _LEAST_S)
        if not self._lines:
            self._busy = False
            return
        following = min(self._lines, key=lambda waiting: self._clocks.get(waiting, self._now))
        line = self._lines[following]
        waiter = line.popleft()
        self._waiting -= 1
        if not line:
            del self._lines[following]
        self._begin(following)
        waiter.called.set()

    def _begin(self, caller: Hashable) -> None:
        """The clock of the moment is that of who is served; a caller's own never lies behind it."""
        self._now = self._catch_up(caller)
        self._served = caller

    def _catch_up(self, caller: Hashable) -> float:
        clock = self._clocks[caller] = max(self._clocks.get(caller, 0.0), self._now)
        self._clocks.move_to_end(caller)
        if len(self._clocks) > _CALLERS_MAX:
            self._clocks.popitem(last=False)
        return clock

    def _line_up(self, caller: Hashable) -> _Waiter:
        line = self._lines.get(caller)
        own = 0 if line is None else len(line)
        if own >= self._waiting_each_max:
            raise failure(
                "TOO_MANY_CALLS",
                f"{own} calls of this caller wait for their turn already",
                metadata={"limit": str(self._waiting_each_max)},
                retry_after_s=1.0,
            )
        if self._waiting >= self._waiting_max:
            self._send_away_one(own)
        waiter = _Waiter()
        if line is None:
            self._lines[caller] = deque((waiter,))
            self._catch_up(caller)
        else:
            line.append(waiter)
        self._waiting += 1
        return waiter

    def _send_away_one(self, own: int) -> None:
        """Make room at the end of the longest line, unless the one who asks has as long a one."""
        longest = max(self._lines, key=lambda waiting: len(self._lines[waiting]))
        if len(self._lines[longest]) <= own + 1:
            raise failure("SERVER_BUSY", f"{self._waiting} calls wait already", retry_after_s=1.0)
        last = self._lines[longest][-1]
        last.sent_away = True
        self._drop(longest, last)
        last.called.set()

    def _drop(self, caller: Hashable, waiter: _Waiter) -> None:
        line = self._lines.get(caller)
        if line is None or waiter not in line:
            return
        line.remove(waiter)
        self._waiting -= 1
        if not line:
            del self._lines[caller]
