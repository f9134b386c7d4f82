"""A contract's code made ready to run, and the bounded cache of such programs.

Every program starts out interpreted. Gas that it burns while interpreted is its *credit*; translating costs
credit, so a contract can make the node spend time on translation only in proportion to gas already paid for.
``docs/evm.md`` has the figures.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alatau.evm.frame import Frame

Region = Callable[["Frame"], int]
"""Translated code from one entry on. Runs until the frame ends (an outcome below 0) or it gives the program
counter at which to go on."""

PADDING: Final = bytes(33)
"""Reads past the end of code give STOP, and zeros for the immediate of a last PUSH32."""

_PUSHES: Final = rb"|".join(rb"\x%02x.{%d}" % (0x5F + size, size) for size in range(1, 33))

_INSTRUCTIONS: Final = re.compile(rb"(?:[^\x60-\x7f]++|" + _PUSHES + rb")*+", re.DOTALL)
"""Whole instructions with their immediates, as many as there are. Possessive: it never backtracks, and takes
at most 8 ns per byte."""

_TO_JUMPDESTS: Final = re.compile(rb"(?:[^\x5b\x60-\x7f]++|" + _PUSHES + rb")*+(\x5b*)", re.DOTALL)
"""Skips instructions up to a run of JUMPDESTs, or to the end. It matches wherever an instruction begins, so
that a search never starts within one."""

CHECKS_MAX: Final = 16
"""So many destinations are checked singly; then all of the code's are found at once, in up to 5 ms."""

CACHE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Room for some hundreds of hot contracts: a translated token takes about 100 KiB."""


class Program:
    """One code."""

    __slots__ = (
        "_checks",
        "code",
        "credit",
        "destinations",
        "entries",
        "padded",
        "regions",
        "size_bytes",
        "translated",
    )

    def __init__(self, code: bytes) -> None:
        self.code: Final = code
        self.padded: Final = code + PADDING
        self.destinations: frozenset[int] | set[int] = set()
        """Where a jump may land, as far as it is known: ask ``admits`` about others."""
        self._checks = 0
        self.regions: dict[int, Region] = {}
        self.entries: dict[int, int] = {}
        """Program counter -> how often interpretation began there."""
        self.credit = 0
        """Gas burnt while interpreted, less what translations took."""
        self.translated = 0
        """Instructions translated so far."""
        self.size_bytes = 1_000 + 2 * len(code)

    def admits(self, target: int) -> bool:
        """Whether a jump may land on ``target``: a JUMPDEST that is no immediate (Yellow Paper, section 9.4.3).

        A contract that jumps once should not cost the search for all its destinations.
        """
        if target in self.destinations:
            return True
        if target >= len(self.code) or self.code[target] != 0x5B or self._checks > CHECKS_MAX:
            return False
        self._checks += 1
        if self._checks > CHECKS_MAX:
            self.destinations = jump_destinations(self.code)
            return target in self.destinations
        start = max((known for known in self.destinations if known < target), default=0)
        after = _INSTRUCTIONS.match(self.padded, start, target)
        assert after is not None
        if after.end() != target:
            return False
        self.destinations = {*self.destinations, target}
        return True


def jump_destinations(code: bytes) -> frozenset[int]:
    """All places where a jump may land."""
    if b"\x5b" not in code:
        return frozenset()
    runs = _TO_JUMPDESTS.finditer(code + PADDING)
    return frozenset(at for run in runs for at in range(run.start(1), run.end(1)))


class ProgramCache:
    """Programs by code, in two generations: what was not used since the younger one filled up is forgotten.

    A lookup is one ``dict.get``, where a strict order of use would cost a reordering each time.
    """

    def __init__(self, size_bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._generation_bytes_max: Final = size_bytes_max // 2
        self._young: dict[bytes, Program] = {}
        self._old: dict[bytes, Program] = {}
        self._young_bytes = 0

    def program(self, code: bytes) -> Program:
        """The program of ``code``."""
        return self._young.get(code) or self._admit(code)

    def charge(self, program: Program, size_bytes: int) -> None:
        """Count memory that ``program`` now takes in addition."""
        program.size_bytes += size_bytes
        if self._young.get(program.code) is program:
            self._young_bytes += size_bytes
            self._age()

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that the programs take."""
        return sum(p.size_bytes for p in self._young.values()) + sum(p.size_bytes for p in self._old.values())

    def _admit(self, code: bytes) -> Program:
        program = self._old.pop(code, None) or Program(code)
        self._young[code] = program
        self._young_bytes += program.size_bytes
        self._age()
        return program

    def _age(self) -> None:
        if self._young_bytes > self._generation_bytes_max:
            self._old, self._young, self._young_bytes = self._young, {}, 0
