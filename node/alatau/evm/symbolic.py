"""What the translator knows at a point of a path: stack, memory, gas, without running anything.

A word is an ``int`` where it is a constant, the name of a Python local where it is not, or a ``Condition``
that was not yet needed as a number. Each local is assigned once on a path, so a name stays good.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Condition:
    """A truth value, as a Python expression over locals."""

    text: str

    def negated(self) -> "Condition":
        """The opposite."""
        text = self.text
        return Condition(text[5:-1] if text.startswith("not (") and text.endswith(")") else f"not ({text})")


Word: TypeAlias = int | str | Condition


@dataclass(slots=True)
class Memory:
    """The memory, as far as it is known."""

    exact: bool
    """``size`` is the size and not only a lower bound."""
    size: int = 0
    """Bytes that are surely paid for."""
    extent: int = 0
    """Where exact: length of the real ``bytearray``, which is extended only when it is looked at."""
    words: dict[int, Word] = field(default_factory=dict)
    """Offset -> known word. Entries never overlap."""
    unwritten: set[int] = field(default_factory=set)
    """Offsets of words that the real memory does not hold yet."""

    def copy(self) -> "Memory":
        """For the other arm of a branch."""
        return Memory(self.exact, self.size, self.extent, self.words.copy(), self.unwritten.copy())

    def overlapping(self, start: int, end: int) -> Iterator[int]:
        """Offsets of known words that share a byte with ``start..end``."""
        return (offset for offset in self.words if offset < end and start < offset + 32)

    def forget(self, start: int, end: int) -> None:
        """Something else is written to ``start..end``; what is there has been written out."""
        for offset in [*self.overlapping(start, end)]:
            assert offset not in self.unwritten
            del self.words[offset]

    def covering(self, start: int, size: int) -> list[Word] | None:
        """The words that make up ``size`` bytes at ``start``, if all are known."""
        offsets = range(start, start + size, 32)
        if size % 32 or not size or not all(offset in self.words for offset in offsets):
            return None
        return [self.words[offset] for offset in offsets]


@dataclass(slots=True)
class Path:
    """A point on one path through a region."""

    memory: Memory
    stack: list[Word] = field(default_factory=list)
    """What lies above the untouched part of the stack; the top is last."""
    taken: int = 0
    """Words of the entry stack that ``stack`` replaces."""
    loaded: set[str] = field(default_factory=set)
    """Entry words that have been read into their locals."""
    least: int = 0
    """The entry stack has surely so many words."""
    most: int = 0
    """The entry stack has surely no more words than this."""
    pending: int = 0
    """Gas used but not yet subtracted."""
    unchecked: bool = False
    """``gas`` was lowered and may be negative."""
    visited: set[int] = field(default_factory=set)
    """JUMPDESTs passed."""
    known: dict[str, str] = field(default_factory=dict)
    """Expressions that stay the same all through a frame, and the locals that hold them."""
    nesting: int = 0
    """Branches within branches."""

    def copy(self) -> "Path":
        """For the other arm of a branch."""
        return Path(
            self.memory.copy(),
            self.stack.copy(),
            self.taken,
            self.loaded.copy(),
            self.least,
            self.most,
            self.pending,
            self.unchecked,
            self.visited.copy(),
            self.known.copy(),
            self.nesting + 1,
        )

    def reach(self, count: int) -> None:
        """Make the top ``count`` words part of ``stack``."""
        while len(self.stack) < count:
            self.stack.insert(0, f"e{self.taken}")
            self.taken += 1

    def pop(self) -> Word:
        """Take the top word."""
        self.reach(1)
        return self.stack.pop()
