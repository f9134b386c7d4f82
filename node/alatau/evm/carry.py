"""What a loop keeps in Python locals from one round to the next, instead of writing it out and reading it again.

A region is translated once without, to see how its rounds end; from that follows what can be carried: words of
the stack that a round changes, and words of memory that are known at the end of every round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alatau.evm.symbolic import Path, Word

STACK_MAX: Final = 16
"""Words of the stack that are carried at most."""

MEMORY_MAX: Final = 8
"""Words of memory that are carried at most. They are read as the loop begins and written as it ends, about 2 us
for all, which a loop that is left in its first round pays in vain."""


@dataclass(frozen=True, slots=True)
class RoundEnd:
    """A path as it jumps back to the entry of its region."""

    stack: tuple[Word, ...]
    taken: int
    words: frozenset[int]
    unwritten: frozenset[int]


@dataclass(frozen=True, slots=True)
class Carry:
    """What the rounds of a region hand on."""

    stack: tuple[str, ...]
    """The locals of the topmost words, the top first: ``c0`` where rounds change it, ``e0`` where they do not."""
    words: tuple[int, ...]
    """Offsets of memory words, each in a local such as ``m64``."""
    dirty: frozenset[int]
    """Those of them that the real memory may not hold."""

    @property
    def memory_size(self) -> int:
        """Bytes of memory that must be there before the first round. After a full round they are."""
        return max((offset + 32 for offset in self.words), default=0)


def round_end(path: Path) -> RoundEnd:
    """What matters of ``path`` at the end of a round."""
    memory = path.memory
    return RoundEnd(tuple(path.stack), path.taken, frozenset(memory.words), frozenset(memory.unwritten))


def carry_of(ends: Sequence[RoundEnd]) -> Carry | None:
    """What can be carried by rounds that end like this, or None where the height of the stack changes."""
    height = max(end.taken for end in ends)
    if height > STACK_MAX or any(len(end.stack) != end.taken for end in ends):
        return None
    changed = {depth for end in ends for depth, word in enumerate(reversed(end.stack)) if word != f"e{depth}"}
    dirty = frozenset[int]().union(*(end.unwritten for end in ends))
    known = frozenset[int].intersection(*(end.words for end in ends))
    words = tuple(sorted(known, key=lambda offset: (offset not in dirty, offset))[:MEMORY_MAX])
    stack = tuple(f"{'c' if depth in changed else 'e'}{depth}" for depth in range(height))
    return Carry(stack, words, dirty & frozenset(words))
