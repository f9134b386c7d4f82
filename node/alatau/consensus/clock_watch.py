"""Whether our own clock is right, judged by the blocks that the others decide.

A block proposed for the first time is only decided if its time is near the clocks of a quorum, so at least f+1
correct nodes vouch for it. If one such block after the other, of different proposers, is too far from our clock,
it is ours that is off: our proposals get nil, and we prevote nil on theirs. Nothing is corrected here; a clock that
follows its peers could be led astray by them. The node says so, loudly, and goes on: it precommits what a quorum
prevoted, so that it stays in the commits.
"""

from collections import deque
from enum import Enum, auto
from typing import Final

_SAMPLES: Final = 4
"""Blocks in a row that have to agree. One may have come late, over a line that was down."""

_REPEAT_EVERY: Final = 64
"""Blocks between two alarms while it lasts."""


class ClockChange(Enum):
    """What is to be said."""

    OFF = auto()
    RIGHT = auto()


class ClockWatch:
    """Remembers how far the last decided blocks were from our clock."""

    def __init__(self) -> None:
        self._samples: deque[tuple[bytes, int]] = deque(maxlen=_SAMPLES)
        self._off_for = 0
        """Blocks since the clock was found off; 0 while it is right."""

    @property
    def offset_ms(self) -> int | None:
        """How far ours is behind the others' (negative: ahead), in milliseconds; None while it is right."""
        return sorted(offset for _, offset in self._samples)[len(self._samples) // 2] if self._off_for else None

    def decided(self, proposer: bytes, offset_ms: int, drift_ms_max: int) -> ClockChange | None:
        """A block was decided whose proposer's clock was ``offset_ms`` ahead of ours when its proposal came."""
        self._samples.append((proposer, offset_ms))
        if abs(offset_ms) <= drift_ms_max:
            was_off, self._off_for = self._off_for, 0
            return ClockChange.RIGHT if was_off else None
        if self._off_for:
            self._off_for += 1
            return ClockChange.OFF if not self._off_for % _REPEAT_EVERY else None
        offsets = [offset for _, offset in self._samples]
        same_side = min(offsets) > drift_ms_max or max(offsets) < -drift_ms_max
        several = len({by for by, _ in self._samples}) > 1
        if len(offsets) < _SAMPLES or not same_side or not several:
            return None
        self._off_for = 1
        return ClockChange.OFF
