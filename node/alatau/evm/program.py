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

_RUN: Final = re.compile(
    rb"(?:[^\x5b\x60-\x7f]|"
    + b"|".join(rb"\x%02x.{%d}" % (0x5F + size, size) for size in range(1, 33))
    + rb")*+(\x5b*)",
    re.DOTALL,
)
"""Skips instructions with their immediates up to a run of JUMPDESTs, or to the end. It matches wherever an
instruction begins, so that a search never starts within one; being possessive it never backtracks."""

CACHE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Room for some hundreds of hot contracts: a translated token takes about 100 KiB."""


class Program:
    """One code."""

    __slots__ = ("code", "credit", "destinations", "entries", "padded", "regions", "size_bytes", "translated")

    def __init__(self, code: bytes) -> None:
        self.code: Final = code
        self.padded: Final = code + PADDING
        self.destinations: Final = jump_destinations(code)
        self.regions: dict[int, Region] = {}
        self.entries: dict[int, int] = {}
        """Program counter -> how often interpretation began there."""
        self.credit = 0
        """Gas burnt while interpreted, less what translations took."""
        self.translated = 0
        """Instructions translated so far."""
        self.size_bytes = 1_000 + 2 * len(code) + 100 * len(self.destinations)


def jump_destinations(code: bytes) -> frozenset[int]:
    """Where a jump may land: JUMPDEST bytes that are no immediates (Yellow Paper, section 9.4.3)."""
    if b"\x5b" not in code:
        return frozenset()
    return frozenset(at for run in _RUN.finditer(code + PADDING) for at in range(run.start(1), run.end(1)))


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
