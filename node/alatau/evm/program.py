"""A contract's code made ready to run, and the bounded cache of such programs.

Every program starts out interpreted. Gas that it burns while interpreted is its *credit*; translating costs
credit, so a contract can make the node spend time on translation only in proportion to gas already paid for.
``docs/evm.md`` has the figures.
"""

import re
from array import array
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias


class Running(Protocol):
    """What translated code runs on: the frame (``alatau.evm.frame``)."""

    gas: int
    stack: list[int]
    memory: bytearray


Region: TypeAlias = Callable[[Running], int]
"""Translated code from one entry on. Runs until the frame ends (an outcome below 0) or it gives the program
counter at which to go on."""

PADDING: Final = bytes(33)
"""Reads past the end of code give STOP, and zeros for the immediate of a last PUSH32."""

_PUSHES: Final = rb"|".join(rb"\x%02x.{%d}" % (0x5F + size, size) for size in range(1, 33))

_INSTRUCTIONS: Final = re.compile(rb"(?:[^\x60-\x7f]++|" + _PUSHES + rb")*+", re.DOTALL)
"""Whole instructions with their immediates, as many as there are. Possessive: it never backtracks, and takes
at most 8 ns per byte."""

STRIDE: Final = 128
"""Bytes between the places whose instruction boundaries are remembered. What a jump to a new place then costs,
one search over a stride, is 1.5 us for at least 12 gas."""

DESTINATION_SHARE: Final = 32
"""Of so many bytes of code one destination is remembered: 100 bytes of memory each, three times the code's."""

ANALYSES_MAX: Final = 8_192
"""Codes per generation whose boundaries outlive their programs, in 400 bytes each. Without them, calling more
contracts in turn than the cache of programs holds would cost a search through 24 KiB for 100 gas."""

CACHE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Room for some hundreds of hot contracts: a translated token takes about 100 KiB."""


class Program:
    """One code."""

    __slots__ = (
        "_destinations_max",
        "_marks",
        "code",
        "credit",
        "destinations",
        "entries",
        "padded",
        "regions",
        "size_bytes",
        "translated",
    )

    def __init__(self, code: bytes, marks: "array[int] | None" = None) -> None:
        self.code: Final = code
        self.padded: Final = code + PADDING
        self.destinations: set[int] = set()
        """Where a jump may land, as far as it is known: ask ``admits`` about others."""
        self._destinations_max: Final = len(code) // DESTINATION_SHARE + 1
        self._marks: Final = new_marks(len(code)) if marks is None else marks
        """Where the first instruction begins that begins at or after 0, ``STRIDE``, 2 * ``STRIDE``, ...; 0 where
        that was not asked for yet. Threads that serve reads share it: whoever fills a place in, fills in the same."""
        self.regions: dict[int, Region] = {}
        self.entries: dict[int, int] = {}
        """Program counter -> how often interpretation began there."""
        self.credit = 0
        """Gas burnt while interpreted, less what translations took."""
        self.translated = 0
        """Instructions translated so far."""
        # The code twice, destinations, and entries: one of 100 bytes for each jump target that has run.
        self.size_bytes = 1_000 + 20 * len(code)

    def admits(self, target: int) -> bool:
        """Whether a jump may land on ``target``: a JUMPDEST that is no immediate (Yellow Paper, section 9.4.3).

        A contract that jumps once should not cost the search for all its destinations, so each is searched for
        when it is first asked for, from the nearest boundary known.
        """
        if target in self.destinations:
            return True
        if target >= len(self.code) or self.code[target] != 0x5B or not self._begins(target):
            return False
        if len(self.destinations) < self._destinations_max:
            self.destinations.add(target)
        return True

    def _begins(self, target: int) -> bool:
        """Whether an instruction begins at ``target``."""
        marks, index = self._marks, target // STRIDE
        known = index
        while known and not marks[known]:
            known -= 1
        for place in range(known, index):
            marks[place + 1] = self._boundary(marks[place], (place + 1) * STRIDE)
        start = marks[index] if marks[index] <= target else marks[index - 1]
        return self._boundary(start, target) == target

    def _boundary(self, start: int, limit: int) -> int:
        """Where the first instruction at or after ``limit`` begins, given that one begins at ``start``."""
        if start >= limit:
            return start
        whole = _INSTRUCTIONS.match(self.padded, start, limit)
        assert whole is not None
        at = whole.end()
        # What does not end before the limit is a PUSH with its immediate.
        return at if at == limit else at + self.padded[at] - 0x5E


def new_marks(size: int) -> "array[int]":
    """Boundaries of a code of ``size`` bytes of which nothing is known, but that an instruction begins at 0."""
    return array("I" if size > _SHORT_MAX else "H", [0]) * (size // STRIDE + 1)


_SHORT_MAX: Final = (1 << 16) - 64
"""Bytes of code whose boundaries, the last of them after a PUSH32, fit in 16 bits. Initcode has 48 KiB."""


class ProgramCache:
    """Programs by code, in two generations: what was not used since the younger one filled up is forgotten.

    A lookup is one ``dict.get``, where a strict order of use would cost a reordering each time.
    """

    def __init__(self, size_bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._generation_bytes_max: Final = size_bytes_max // 2
        self._young: dict[bytes, Program] = {}
        self._old: dict[bytes, Program] = {}
        self._young_bytes = 0
        self._analyses: dict[bytes, array[int]] = {}
        self._old_analyses: dict[bytes, array[int]] = {}

    def program(self, code: bytes, code_hash: bytes | None = None) -> Program:
        """The program of ``code``. With its hash, what is known of its boundaries outlives the program."""
        return self._young.get(code) or self._admit(code, code_hash)

    def charge(self, program: Program, size_bytes: int) -> None:
        """Count memory that ``program`` now takes in addition."""
        program.size_bytes += size_bytes
        if self._young.get(program.code) is program:
            self._young_bytes += size_bytes
            self._age()

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that the programs take."""
        return sum(program.size_bytes for program in [*self._young.values(), *self._old.values()])

    def _admit(self, code: bytes, code_hash: bytes | None) -> Program:
        program = self._old.pop(code, None) or Program(
            code, None if code_hash is None else self._marks(code, code_hash)
        )
        self._young[code] = program
        self._young_bytes += program.size_bytes
        self._age()
        return program

    def _marks(self, code: bytes, code_hash: bytes) -> "array[int]":
        marks = self._analyses.get(code_hash)
        if marks is None:
            if len(self._analyses) >= ANALYSES_MAX:
                self._old_analyses, self._analyses = self._analyses, {}
            marks = self._analyses[code_hash] = self._old_analyses.get(code_hash) or new_marks(len(code))
        return marks

    def _age(self) -> None:
        if self._young_bytes > self._generation_bytes_max:
            self._old, self._young, self._young_bytes = self._young, {}, 0
