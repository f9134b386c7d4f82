"""Places for calls that last (subscriptions, submit streams, waits for finality), shared between callers.

**The rule.** While there is room everybody gets a place, one caller as many as there are. When all are taken and a
caller that holds few asks for one, the caller that holds the most loses its newest: its call ends with SERVER_BUSY
and the time after which to come back, and is safe to repeat, since streams resume and waits change nothing. Shares
thus become equal (max-min fairness) without a place standing empty, and nobody can keep others out by coming first:
with k callers at work each of them can have one k-th.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from alatau.rpc.failures import failure

_RETRY_S = 5.0
"""When a place may be free again; who comes back at once finds the same crowd."""


@dataclass(eq=False, slots=True)
class _Place:
    """A place taken."""

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    taken_away: bool = False


class FairSlots:
    """Places of one kind."""

    def __init__(self, what: str, most: int) -> None:
        """``most`` places of what is called ``what`` in messages: a plural, as "streams"."""
        self._what = what
        self._most = most
        self._held: dict[Hashable, list[_Place]] = {}
        self._taken = 0

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken

    def held_by(self, caller: Hashable) -> int:
        """Places that a caller holds."""
        return len(self._held.get(caller, ()))

    @contextmanager
    def take(self, caller: Hashable) -> Iterator[None]:
        """Hold a place for the length of the block, which is cancelled where the place is given to another caller.

        Raises:
            RpcError: SERVER_BUSY where none is to be had, or this one went to another; TOO_MANY_CALLS where all are
                this caller's own. Both say when to come back.
        """
        self._make_room(caller)
        place = _Place()
        self._held.setdefault(caller, []).append(place)
        self._taken += 1
        try:
            with place.scope:
                yield
        finally:
            if not place.taken_away:
                self._leave(caller, place)
        if place.taken_away and place.scope.cancelled_caught:
            raise failure(
                "SERVER_BUSY",
                f"all {self._most} {self._what} of this node are in use and another caller, who has fewer, needs this"
                " one; come back a little later (what was submitted is not affected)",
                metadata={"limit": str(self._most)},
                retry_after_s=_RETRY_S,
            )

    def _make_room(self, caller: Hashable) -> None:
        if self._taken < self._most:
            return
        own = self.held_by(caller)
        if own == self._taken:
            raise failure(
                "TOO_MANY_CALLS",
                f"this caller has {own} {self._what} open, as many as there are",
                metadata={"limit": str(self._most)},
                retry_after_s=_RETRY_S,
            )
        richest = max(self._held, key=lambda holder: len(self._held[holder]))
        if len(self._held[richest]) <= own + 1:  # an exchange would make nobody's share fairer
            raise failure(
                "SERVER_BUSY",
                f"all {self._most} {self._what} of this node are in use",
                metadata={"limit": str(self._most)},
                retry_after_s=_RETRY_S,
            )
        newest = self._held[richest][-1]
        newest.taken_away = True
        newest.scope.cancel()
        self._leave(richest, newest)

    def _leave(self, caller: Hashable, place: _Place) -> None:
        places = self._held[caller]
        places.remove(place)
        if not places:
            del self._held[caller]
        self._taken -= 1
