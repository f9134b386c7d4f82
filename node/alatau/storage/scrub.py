"""Reading a database in use from end to end, slowly, again and again, to find what the disk has lost meanwhile.

A block of a table that is damaged is noticed when it is read, which for an old one may be in a year; a table file that
is gone is not noticed at all while LevelDB has it open, only at the next start, when it may be gone at every other node
that was cloned from the same image. A pass looks for both: the files that LevelDB believes to have are on the disk with
their sizes, and every record is read with its checksums. The same goes for what else a node has open or in memory and
would miss at its next start: keys, genesis, the consensus log, the sign state.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.storage import schema
from alatau.storage.database import Database
from alatau.storage.errors import CorruptionError

BYTES_PER_S: Final = 1024 * 1024
"""What a pass reads: 86 GB a day, 2% of a core, a hundredth of what a disk gives."""
_SLICE_BYTES: Final = 128 * 1024
"""Read at once, about a millisecond: no snapshot is held between two slices."""
_PAUSE_S: Final = 60.0
"""Between two passes, so that a small database is not read without end; the files are looked at as often."""
_FINDINGS_MAX: Final = 20
"""Different things found that are kept; more say nothing new."""


@dataclass(frozen=True, slots=True)
class ScrubState:
    """What is known so far."""

    passes: int
    """Passes from end to end."""
    last_pass_ended_at: float | None
    """Seconds since 1970; None before the first has ended."""
    findings: tuple[str, ...]
    """What is damaged, in words; empty while nothing was found."""


NOTHING_SCRUBBED: Final = ScrubState(0, None, ())
"""At the beginning."""


class Scrub:
    """Scrubs one database. Call :meth:`step` from one thread at a time."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.time, needed: Iterable[Path] = ()) -> None:
        """``needed`` are other files without which the node would not start again; those that are there are watched."""
        self._db = db
        self._clock = clock
        self._needed = [path for path in needed if path.exists()]
        self._missing: set[Path] = set()
        """Those that were not there at the last look: one that is just being replaced is there at the next."""
        self._tables = sorted(schema.TABLES)
        self._table = 0
        self._key = self._tables[0]
        self._looked_at = float("-inf")
        self._findings: dict[str, None] = {}
        self._passes = 0
        self._ended_at: float | None = None

    @property
    def state(self) -> ScrubState:
        """For any thread."""
        return ScrubState(self._passes, self._ended_at, tuple(self._findings))

    def step(self) -> float:
        """Look at a little more; gives the seconds to rest before the next step."""
        if self._clock() - self._looked_at >= _PAUSE_S:
            self._looked_at = self._clock()
            for lost in self._db.lost_files():
                self._found(lost)
            self._look_for_needed()
        try:
            read = self._read_slice()
        except CorruptionError as error:
            self._found(str(error))
            self._next_table()  # the rest of this one cannot be reached over the damage
            read = _SLICE_BYTES
        if self._table < len(self._tables):
            return read / BYTES_PER_S
        self._table, self._key = 0, self._tables[0]
        self._passes += 1
        self._ended_at = self._clock()
        return _PAUSE_S

    def _look_for_needed(self) -> None:
        missing = {path for path in self._needed if not path.exists()}
        for path in missing & self._missing:
            self._found(f"{path} is gone: the node runs without it and will not start again as it was")
        self._missing = missing

    def _read_slice(self) -> int:
        read = 0
        stop = bytes((self._tables[self._table][0] + 1,))
        for key, value in self._db.items(self._key, stop):
            read += len(key) + len(value)
            if read >= _SLICE_BYTES:
                self._key = key + b"\0"
                return read
        self._next_table()
        return read

    def _next_table(self) -> None:
        self._table += 1
        if self._table < len(self._tables):
            self._key = self._tables[self._table]

    def _found(self, what: str) -> None:
        if len(self._findings) < _FINDINGS_MAX:
            self._findings.setdefault(what)
