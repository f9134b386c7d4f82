"""Writes the Python of a region: locals, stack and memory of a path, and the gas that it owes.

Everything here keeps one promise: running the lines written so far brings the frame where the path says it is.
"""

from collections.abc import Collection
from typing import Final

from alatau.evm.gas import memory_gas
from alatau.evm.symbolic import Condition, Path, Word

WIDE: Final = 256
"""Bits of a word that may be anything."""


class Writer:
    """The lines of one region, and what is known of its locals."""

    __slots__ = ("_bits", "_names", "indent", "lines", "size")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 0
        self.size = 0
        """Characters written, indentation aside."""
        self._names = 0
        self._bits: dict[str, int] = {}

    # Words.

    def emit(self, text: str) -> None:
        """Write lines at the present indentation."""
        self.size += len(text)
        margin = "    " * self.indent
        self.lines.extend(margin + line for line in text.splitlines())

    def name(self) -> str:
        """A local that was not used before."""
        self._names += 1
        return f"v{self._names}"

    def assign(self, expression: str, bits: int = WIDE) -> str:
        """Keep the value of an expression, of so many bits at most, in a new local."""
        name = self.name()
        self.emit(f"{name} = {expression}")
        if bits < WIDE:
            self._bits[name] = bits
        return name

    def atom(self, path: Path, word: Word) -> str:
        """The local or literal that stands for ``word``."""
        if isinstance(word, int):
            return str(word) if word < 1 << 32 else hex(word)
        if isinstance(word, Condition):
            return self.assign(f"1 if {word.text} else 0", 1)
        if word[0] == "e" and word not in path.loaded:
            path.loaded.add(word)
            self.emit(f"{word} = S[-{int(word[1:]) + 1}]")
        return word

    def bytes_of(self, path: Path, word: Word) -> str:
        """An expression for the 32 bytes of ``word``."""
        return repr(word.to_bytes(32)) if isinstance(word, int) else f"{self.atom(path, word)}.to_bytes(32)"

    def width(self, word: Word) -> int:
        """Bits that ``word`` has at most."""
        if isinstance(word, int):
            return word.bit_length()
        return 1 if isinstance(word, Condition) else self._bits.get(word, WIDE)

    # Gas.

    def charge(self, path: Path, *, above: int = 0) -> None:
        """Where more than ``above`` is owed, make ``gas`` what it should be, and sure to be covered."""
        if path.pending > above:
            self.emit(f"gas -= {path.pending}")
        elif not path.unchecked:
            return
        if path.pending > above or above == 0:
            self.emit("if gas < 0:\n    raise OutOfGasError")
            path.pending = 0
            path.unchecked = False

    # Memory.

    def extend(self, path: Path, end: int) -> None:
        """Pay for ``end`` bytes of memory."""
        memory = path.memory
        if end <= memory.size:
            return
        if memory.exact:
            size = end + 31 & ~31
            path.pending += memory_gas(size) - memory_gas(memory.size)
            memory.size = size
        else:
            self.emit(f"if {end} > len(mem):\n    gas = grow(mem, {end}, gas)")
            memory.size = end

    def store(self, path: Path, offset: int, word: Word) -> None:
        """Put a word into memory that is paid for; on paper only, until somebody looks."""
        memory = path.memory
        if any(other != offset for other in memory.overlapping(offset, offset + 32)):
            self.write_memory(path)
            memory.forget(offset, offset + 32)
        memory.words[offset] = word if isinstance(word, int) else self.atom(path, word)
        memory.unwritten.add(offset)

    def write_memory(self, path: Path, *, but: Collection[int] = ()) -> None:
        """Bring the real memory up to date, but for the words at some offsets."""
        memory = path.memory
        if memory.exact and memory.extent < memory.size:
            self.emit(f"mem.extend(bytes({memory.size - memory.extent}))")
            memory.extent = memory.size
        for offset in sorted(memory.unwritten.difference(but)):
            self.emit(f"mem[{offset}:{offset + 32}] = {self.bytes_of(path, memory.words[offset])}")
            memory.unwritten.remove(offset)

    def prepare_read(self, path: Path, start: int, end: int) -> None:
        """See to it that ``start..end`` of the real memory, which is paid for, is up to date."""
        memory = path.memory
        stale = any(offset in memory.unwritten for offset in memory.overlapping(start, end))
        if stale or (memory.exact and memory.extent < end):
            self.write_memory(path)

    def read(self, path: Path, start: int, size: int) -> str:
        """An expression for ``size`` bytes at ``start``, which are paid for."""
        words = path.memory.covering(start, size)
        if words:
            return " + ".join(self.bytes_of(path, word) for word in words)
        self.prepare_read(path, start, start + size)
        return f"bytes(mem[{start}:{start + size}])" if size else "b''"

    # The whole frame.

    def settle(self, path: Path) -> None:
        """Make gas, memory and stack real."""
        self.write_memory(path)
        self.charge(path)
        stack, taken = path.stack, path.taken
        while stack and taken and stack[0] == f"e{taken - 1}":
            stack, taken = stack[1:], taken - 1
        words = [self.atom(path, word) for word in stack]
        if taken == 0:
            if len(words) == 1:
                self.emit(f"S.append({words[0]})")
            elif words:
                self.emit(f"S += ({', '.join(words)})")
        elif not words:
            self.emit(f"del S[-{taken}:]")
        elif taken == len(words) == 1:
            self.emit(f"S[-1] = {words[0]}")
        else:
            self.emit(f"S[-{taken}:] = [{', '.join(words)}]")
