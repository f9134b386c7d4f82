"""Whose transaction is looked at next: a queue for each source, served in turn.

A *source* is who hands transactions over: a client (its certificate's key, or its address) or a peer. Before a
sender is known a transaction costs a recovery of its signature, so a source that sends rubbish must cost the
others nothing. Three rules do that:

* *Turns.* Within a reputation the sources take turns of ``turn`` units, so that one with a thousand waiting holds
  up one with a single payment by a turn, not by a thousand (deficit round robin with equal quanta; Shreedhar and
  Varghese, 1995).
* *Reputation.* Sources whose transactions were pooled lately (``PROVEN``) have three quarters of a portion, unknown
  ones three sixteenths, those that lately sent what no pool would take (``DOUBTED``) the rest. What a reputation
  leaves goes to the others, best first. So neither a thousand new addresses nor a liar delay who is known, and
  neither is shut out.
* *Bounds.* A source has a bounded queue, all together have one. Where that is full, the longest queue loses its
  newer half, if the newcomer's would be less than half as long.

A *unit* is a transaction of up to 2 KiB; a larger one counts as one for each 2 KiB begun, since hashing and
decoding go by bytes.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Generic, TypeVar

T = TypeVar("T")

UNIT_BYTES: Final = 2_048
_FAULTS_FORGIVEN: Final = 4
"""Faults of a source that are not held against it: a client that learns to sign."""
_PROVEN_MIN: Final = 8
"""Pooled transactions that make a source known: a sender's own, so they cannot be had for nothing."""
_GOOD_FOR_FAULT: Final = 8
"""Pooled transactions that outweigh a fault."""
_MEMORY: Final = 512
"""Transactions of a source remembered; then both counts are halved, so that older behaviour fades."""


class Reputation(IntEnum):
    """What the lately admitted transactions of a source say about the next."""

    PROVEN = 0
    UNKNOWN = 1
    DOUBTED = 2


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Bounds of what waits to be admitted."""

    source_units: int = 8_192
    """Of one source: four full batches of a client, three seconds of admission."""
    units: int = 32_768
    """Of all: 64 MiB at most, of a node's 200 about a tenth in practice."""
    sources: int = 8_192
    """Sources that wait at the same time, about 8 MB when each has one transaction."""
    remembered: int = 4_096
    """Sources whose past is known, of those proven and of the others each: 1 MB."""
    turn: int = 32
    """Units of a turn: 2 ms of admission, so that 64 busy clients wait 130 ms for each other."""


@dataclass(slots=True)
class _Record:
    good: int = 0
    bad: int = 0


class History:
    """What is known of sources; bounded, and new addresses never push out a proven one."""

    def __init__(self, remembered_max: int) -> None:
        self._max = remembered_max
        self._proven: OrderedDict[Hashable, _Record] = OrderedDict()
        self._others: OrderedDict[Hashable, _Record] = OrderedDict()

    def reputation(self, source: Hashable) -> Reputation:
        """Of a source as of now."""
        if source in self._proven:
            return Reputation.PROVEN
        record = self._others.get(source)
        return Reputation.UNKNOWN if record is None or not _doubtful(record) else Reputation.DOUBTED

    def note(self, source: Hashable, good: int, bad: int) -> None:
        """``good`` transactions of a source were pooled, ``bad`` were such as no correct pool takes."""
        if not good and not bad:
            return
        record = self._proven.pop(source, None) or self._others.pop(source, None) or _Record()
        record.good += good
        record.bad += bad
        if record.good + record.bad > _MEMORY:
            record.good, record.bad = record.good // 2, record.bad // 2
        proven = record.good >= _PROVEN_MIN and not _doubtful(record)
        records = self._proven if proven else self._others
        records[source] = record
        if len(records) > self._max:
            records.popitem(last=False)


def _doubtful(record: _Record) -> bool:
    return record.bad > _FAULTS_FORGIVEN + record.good // _GOOD_FOR_FAULT


class _Line(Generic[T]):
    """What waits of one source, oldest first, each with its units. No dataclass: mypyc makes none that is generic."""

    __slots__ = ("items", "units")

    def __init__(self) -> None:
        self.items: deque[tuple[T, int]] = deque()
        self.units = 0


class FairQueue(Generic[T]):
    """Transactions that wait to be admitted."""

    def __init__(self, limits: QueueLimits, history: History) -> None:
        self._limits = limits
        self._history = history
        self._lines: dict[Hashable, _Line[T]] = {}
        self._turns: dict[Reputation, deque[Hashable]] = {reputation: deque() for reputation in Reputation}
        self._units = 0

    def __len__(self) -> int:
        """How many units wait."""
        return self._units

    def waiting_of(self, source: Hashable) -> int:
        """How many units of a source wait."""
        line = self._lines.get(source)
        return line.units if line else 0

    def put(self, source: Hashable, items: Sequence[tuple[T, int]]) -> tuple[bool, list[T]]:
        """Let ``items``, each with its size in bytes, wait behind what waits of ``source``: all of them or none.

        Returns:
            Whether they wait now, and what had to go for them.
        """
        limits, line = self._limits, self._lines.get(source)
        weighed = [(item, units_of(size)) for item, size in items]
        units = sum(weight for _, weight in weighed)
        held = line.units if line else 0
        # A single batch may exceed the bound: whoever has nothing waiting is never refused for its size alone.
        if held and held + units > limits.source_units:
            return False, []
        if line is None and len(self._lines) >= limits.sources:
            return False, []
        dropped: list[T] = []
        while self._units + units > limits.units:
            longest = max(self._lines, key=lambda s: self._lines[s].units, default=None)
            if longest is None or self._lines[longest].units <= 2 * (held + units) or longest == source:
                return False, dropped
            dropped += self._halve(longest)
        if line is None:
            line = self._lines[source] = _Line()
            self._turns[self._history.reputation(source)].append(source)
        line.items.extend(weighed)
        line.units += units
        self._units += units
        return True, dropped

    def _halve(self, source: Hashable) -> list[T]:
        line = self._lines[source]
        target = line.units // 2
        dropped: list[T] = []
        while line.units > target:
            item, weight = line.items.pop()
            line.units -= weight
            self._units -= weight
            dropped.append(item)
        return dropped

    def take(self, units_max: int) -> list[tuple[Hashable, T]]:
        """The next transactions with their sources, at most ``units_max`` units of them, but at least one if any."""
        taken: list[tuple[Hashable, T]] = []
        left = units_max
        for reputation, share in _SHARES.items():
            left -= self._serve(reputation, units_max * share // _SHARES_SUM, taken)
        for reputation in Reputation:
            left -= self._serve(reputation, left, taken)
        return taken

    def _serve(self, reputation: Reputation, room: int, taken: list[tuple[Hashable, T]]) -> int:
        """Give the sources of a reputation their turns until ``room`` units are used; gives how many were."""
        turns, used = self._turns[reputation], 0
        while turns and used < room:
            source = turns.popleft()
            line = self._lines[source]
            turn = min(self._limits.turn, room - used)
            spent = 0
            while line.items and spent < turn:
                item, weight = line.items.popleft()
                taken.append((source, item))
                spent += weight
            line.units -= spent
            self._units -= spent
            used += spent
            if line.items:
                self._turns[self._history.reputation(source)].append(source)
            else:
                del self._lines[source]
        return used


def units_of(size: int) -> int:
    """Units of a transaction of ``size`` bytes."""
    return 1 + size // UNIT_BYTES


_SHARES: Final = {Reputation.PROVEN: 12, Reputation.UNKNOWN: 3, Reputation.DOUBTED: 1}
"""Sixteenths of a portion."""
_SHARES_SUM: Final = 16
