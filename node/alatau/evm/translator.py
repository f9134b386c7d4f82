"""Translates hot code to Python: a *region* is a function that holds every path from one entry on.

A region follows the code from its entry: constant jumps simply continue, a JUMPI becomes an ``if`` whose arm
holds the path taken, and the code after a join is repeated in both arms. A path ends where the frame ends,
where it jumps back to the entry (``continue``), or where it leaves the region, by giving the program counter
to go on at: at a computed jump, at code that never ran so far, at a second visit, or where the budget is used.

On a path the stack is symbolic. PUSH, DUP, SWAP and POP produce no Python; other instructions assign their
word to a new local. Memory is symbolic as far as offsets are constant: a word that is stored and read again
never becomes bytes. The real stack and memory are brought up to date where a path leaves the region or where
an instruction needs them.

Gas is subtracted in sums: see ``docs/evm.md`` for why that is exact.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from alatau.evm import calls, exceptions, operations
from alatau.evm.frame import REVERTED, SUCCESS, Frame
from alatau.evm.gas import memory_gas
from alatau.evm.handlers import PRELUDE, STACK_MAX
from alatau.evm.opcodes import OPERANDS, Kind, Opcode
from alatau.evm.program import Program, Region
from alatau.evm.symbolic import Condition, Memory, Path, Word

NESTING_MAX: Final = 12
"""Branches within branches; Python's tokenizer takes 100 levels of indentation."""

HEADROOM: Final = 64
"""Words that a region may push without asking; an entry with less room is left to the interpreter."""

SYMBOLIC_MEMORY_MAX: Final = 1 << 16
"""Bytes. Constant offsets beyond it are handled like computed ones, so that no size is prepared unpaid."""

UNPAID_MAX: Final = 200
"""Gas of work that may be done before it is charged. A caller can send too little gas on purpose, and what a
frame then does in vain costs nobody anything."""

_FULL: Final = 256
"""Bits of a word that may be anything."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction at its place in the code."""

    pc: int
    op: Opcode | None
    """None for an invalid byte."""
    immediate: int


class Translation:
    """One region in the making."""

    def __init__(
        self, program: Program, entry: int, table: Mapping[int, Opcode], budget: int, *, everything: bool
    ) -> None:
        self._program: Final = program
        self._entry: Final = entry
        self._initial: Final = entry == 0 and program.padded[0] != 0x5B
        """The region runs only as the frame begins, on an empty stack and an empty memory."""
        self._table: Final = table
        self._everything: Final = everything
        """Follow also what never ran so far."""
        self._budget = budget
        self._lines: list[str] = []
        self._indent = 1
        self._names = 0
        self._bits: dict[str, int] = {}
        """Locals that are surely narrower than a word."""
        self._loops = False
        self.count = 0
        """Instructions translated."""

    def source(self) -> str:
        """The region as the text of a Python function."""
        path = Path(Memory(exact=self._initial))
        self._indent = 2
        if self._initial:
            path.visited.add(0)
        else:
            path.most = STACK_MAX - HEADROOM
            self._emit("n = len(S)")
            self._emit(f"if n > {path.most}:")
            self._emit(f"    f.gas = gas\n    return interpreted(f, {self._entry})")
        self._walk(self._entry, path)
        body = self._lines
        if self._loops:
            body.insert(0, "    while True:")
        else:
            body = [line[4:] for line in body]
        text = "\n".join(body)
        prelude = [f"    {line}" for name, line in PRELUDE.items() if name in text]
        return "\n".join(["def region(f):", "    gas = f.gas", "    S = f.stack", *prelude, text, ""])

    # The text.

    def _emit(self, text: str) -> None:
        indent = "    " * self._indent
        for line in text.splitlines():
            self._lines.append(indent + line)

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def _assign(self, expression: str, bits: int = _FULL) -> str:
        name = self._name()
        self._emit(f"{name} = {expression}")
        if bits < _FULL:
            self._bits[name] = bits
        return name

    def _atom(self, path: Path, word: Word) -> str:
        """A name or literal for ``word``."""
        if isinstance(word, int):
            return str(word) if word < 1 << 32 else hex(word)
        if isinstance(word, Condition):
            return self._assign(f"1 if {word.text} else 0", 1)
        if word[0] == "e" and word not in path.loaded:
            path.loaded.add(word)
            self._emit(f"{word} = S[-{int(word[1:]) + 1}]")
        return word

    def _bytes(self, path: Path, word: Word) -> str:
        """An expression for the 32 bytes of ``word``."""
        if isinstance(word, int):
            return repr(word.to_bytes(32))
        return f"{self._atom(path, word)}.to_bytes(32)"

    def _width(self, word: Word) -> int:
        """Bits that ``word`` has at most."""
        if isinstance(word, int):
            return word.bit_length()
        if isinstance(word, Condition):
            return 1
        return self._bits.get(word, _FULL)

    # Control flow.

    def _walk(self, pc: int | None, path: Path) -> None:
        """Translate ``path`` from ``pc`` to its end."""
        while pc is not None:
            pc = self._block(pc, path)

    def _block(self, pc: int, path: Path) -> int | None:
        """Translate up to the next jump; give where the path goes on, or None where it ended."""
        block = self._decode(pc)
        self.count += len(block)
        self._budget -= len(block)
        self._check_height(path, block)
        for instruction in block:
            op = instruction.op
            if op is None:
                self._emit("raise InvalidOpcodeError")
                return None
            path.pending += op.gas
            if path.pending > UNPAID_MAX:
                self._charge(path)
            match op.kind:
                case Kind.PUSH:
                    path.stack.append(instruction.immediate)
                case Kind.DUP:
                    path.reach(op.pops)
                    path.stack.append(path.stack[-op.pops])
                case Kind.SWAP:
                    path.reach(op.pops)
                    stack = path.stack
                    stack[-1], stack[-op.pops] = stack[-op.pops], stack[-1]
                case Kind.PC:
                    path.stack.append(instruction.pc)
                case Kind.JUMPDEST:
                    pass
                case Kind.JUMP:
                    return self._jump(path)
                case Kind.JUMPI:
                    return self._branch(path, instruction.pc + 1)
                case Kind.END:
                    self._end(path, op)
                    return None
                case _:
                    self._operation(path, op)
        last = block[-1]
        return self._arrive(last.pc + (last.op.size if last.op else 1), path)

    def _decode(self, pc: int) -> list[Instruction]:
        """The instructions from ``pc`` up to a jump, an end, or before a JUMPDEST."""
        code, table = self._program.padded, self._table
        block: list[Instruction] = []
        room = max(self._budget, 1)
        while len(block) < room:
            op = table.get(code[pc])
            if op is None:
                block.append(Instruction(pc, None, 0))
                break
            if block and op.kind is Kind.JUMPDEST:
                break
            block.append(Instruction(pc, op, int.from_bytes(code[pc + 1 : pc + op.size])))
            if op.kind in _BLOCK_ENDS:
                break
            pc += op.size
        return block

    def _check_height(self, path: Path, block: list[Instruction]) -> None:
        """Check once that the block neither lacks words nor overflows the stack."""
        height = need = peak = 0
        for instruction in block:
            op = instruction.op
            if op is not None:
                need = max(need, op.pops - height)
                height += op.pushes - op.pops
                peak = max(peak, height)
        need += path.taken - len(path.stack)
        if need > path.least:
            path.least = need
            self._emit(
                "raise StackUnderflowError" if self._initial else f"if n < {need}:\n    raise StackUnderflowError"
            )
        room = STACK_MAX - peak - len(path.stack) + path.taken
        if room < path.most:
            path.most = room
            self._emit("raise StackOverflowError" if self._initial else f"if n > {room}:\n    raise StackOverflowError")

    def _arrive(self, pc: int, path: Path) -> int | None:
        """Go on at ``pc`` if the region holds it, else leave; see ``_walk``."""
        if pc == self._entry and not self._initial:
            self._settle(path)
            self._emit("continue")
            self._loops = True
            return None
        if self._budget > 0 and pc not in path.visited and path.nesting <= NESTING_MAX:
            path.visited.add(pc)
            return pc
        return self._leave(path, str(pc))

    def _leave(self, path: Path, target: str) -> None:
        """Bring the frame up to date and give the program counter to go on at."""
        self._settle(path)
        self._emit(f"f.gas = gas\nreturn {target}")

    def _settle(self, path: Path) -> None:
        """Make gas, memory and stack real."""
        self._write_memory(path)
        self._charge(path)
        stack, taken = path.stack, path.taken
        while stack and taken and stack[0] == f"e{taken - 1}":
            stack, taken = stack[1:], taken - 1
        words = [self._atom(path, word) for word in stack]
        if taken == 0:
            if len(words) == 1:
                self._emit(f"S.append({words[0]})")
            elif words:
                self._emit(f"S += ({', '.join(words)})")
        elif not words:
            self._emit(f"del S[-{taken}:]")
        elif taken == len(words) == 1:
            self._emit(f"S[-1] = {words[0]}")
        else:
            self._emit(f"S[-{taken}:] = ({', '.join(words)},)")

    def _jump(self, path: Path) -> int | None:
        target = path.pop()
        if isinstance(target, int):
            if not self._program.admits(target):
                self._emit("raise InvalidJumpError")
                return None
            return self._arrive(target, path)
        name = self._atom(path, target)
        self._emit(
            f"if {name} not in f.program.destinations and not f.program.admits({name}):\n    raise InvalidJumpError"
        )
        return self._leave(path, name)

    def _branch(self, path: Path, after: int) -> int | None:
        """JUMPI: the arm that soon ends, or else the one taken, goes into an ``if``; the other follows it."""
        target, condition = path.pop(), path.pop()
        if isinstance(condition, int):
            path.stack.append(target)
            if condition:
                return self._jump(path)
            path.stack.pop()
            return self._arrive(after, path)
        if isinstance(condition, str):
            condition = Condition(self._atom(path, condition))
        # What the arms share is read before they part.
        if isinstance(target, Condition):
            target = self._atom(path, target)
        arm = path.copy()
        if isinstance(target, int) and self._program.admits(target) and self._ends_soon(after):
            self._emit(f"if {condition.negated().text}:")
            self._indent += 1
            self._walk(after, arm)
            self._indent -= 1
            return self._arrive(target, path)
        self._emit(f"if {condition.text}:")
        self._indent += 1
        if isinstance(target, int) and self._program.admits(target) and not self._worthwhile(target):
            self._leave(arm, str(target))
        else:
            arm.stack.append(target)
            self._walk(self._jump(arm), arm)
        self._indent -= 1
        return self._arrive(after, path)

    def _worthwhile(self, target: int) -> bool:
        """Whether the code at ``target`` ran before or is too short to matter."""
        return self._everything or target in self._program.entries or self._ends_soon(target)

    def _ends_soon(self, pc: int) -> bool:
        """Whether the frame ends within a few instructions from ``pc`` on, without a branch."""
        code, table = self._program.padded, self._table
        for _ in range(_SOON):
            op = table.get(code[pc])
            if op is None or op.kind is Kind.END:
                return True
            if op.kind in (Kind.JUMP, Kind.JUMPI) or op.exact:
                return False
            pc += op.size
        return False

    def _end(self, path: Path, op: Opcode) -> None:
        """The frame ends here."""
        operands = [path.pop() for _ in range(op.pops)]
        if op.name == "INVALID":
            self._emit("raise InvalidOpcodeError")
            return
        output = None
        if op.name in ("RETURN", "REVERT"):
            start, size = operands
            if size == 0:
                output = "b''"
            elif isinstance(start, int) and isinstance(size, int) and start + size <= SYMBOLIC_MEMORY_MAX:
                self._extend(path, start + size)
                output = self._known_bytes(path, start, size)
        if output is not None:
            self._charge(path)
            self._emit(f"f.output = {output}")
        elif op.pops:
            self._write_memory(path)
            self._charge(path)
            self._emit(self._fill(path, op, operands))
            path.unchecked = True
            self._charge(path)
        else:
            self._charge(path)
        self._emit(f"f.gas = gas\nreturn {op.ends}")

    # Gas and memory.

    def _charge(self, path: Path) -> None:
        """Make ``gas`` exact and sure to be covered."""
        if path.pending:
            self._emit(f"gas -= {path.pending}")
        if path.pending or path.unchecked:
            self._emit("if gas < 0:\n    raise OutOfGasError")
        path.pending = 0
        path.unchecked = False

    def _extend(self, path: Path, end: int) -> None:
        """Pay for ``end`` bytes of memory."""
        memory = path.memory
        if end <= memory.size:
            return
        if memory.exact:
            size = end + 31 & ~31
            path.pending += memory_gas(size) - memory_gas(memory.size)
            memory.size = size
        else:
            self._emit(f"if {end} > len(mem):\n    gas = grow(mem, {end}, gas)")
            memory.size = end

    def _write_memory(self, path: Path) -> None:
        """Bring the real memory up to date."""
        memory = path.memory
        if memory.exact and memory.extent < memory.size:
            self._emit(f"mem.extend(bytes({memory.size - memory.extent}))")
            memory.extent = memory.size
        for offset in sorted(memory.unwritten):
            self._emit(f"mem[{offset}:{offset + 32}] = {self._bytes(path, memory.words[offset])}")
        memory.unwritten.clear()

    def _prepare_read(self, path: Path, start: int, end: int) -> None:
        """See to it that the real memory holds what ``start..end`` should."""
        memory = path.memory
        stale = any(offset in memory.unwritten for offset in memory.overlapping(start, end))
        if stale or (memory.exact and memory.extent < end):
            self._write_memory(path)

    def _known_bytes(self, path: Path, start: int, size: int) -> str | None:
        """An expression for paid memory whose content is known, or that is read from the real memory."""
        words = path.memory.covering(start, size)
        if words is not None:
            return " + ".join(self._bytes(path, word) for word in words)
        self._prepare_read(path, start, start + size)
        return f"bytes(mem[{start}:{start + size}])"

    # Instructions.

    def _fill(self, path: Path, op: Opcode, operands: list[Word]) -> str:
        """The shape of ``op`` with these operands, and ``OUT`` for the word that it pushes."""
        atoms = {name: self._atom(path, word) for name, word in zip(OPERANDS, operands, strict=False)}
        for name, atom in atoms.items():
            if atom[0].isdigit() and f"{{{name}}}." in op.shape:
                atoms[name] = f"({atom})"
        return op.shape.format(out="OUT", **atoms)

    def _operation(self, path: Path, op: Opcode) -> None:
        operands = [path.pop() for _ in range(op.pops)]
        special = _SPECIAL.get(op.name)
        if special is not None and special(self, path, operands):
            return
        if op.pure:
            path.stack.append(self._pure(path, op, operands))
            return
        touches_memory = "mem" in op.shape or op.name == "MSIZE"
        runs_others = op.exact and op.kind is Kind.STATEMENT and op.pushes == 1
        if touches_memory or runs_others:
            self._write_memory(path)
        if op.exact:
            self._charge(path)
        text = self._fill(path, op, operands)
        if op.kind is Kind.EXPRESSION:
            if op.constant:
                if text not in path.known:
                    path.known[text] = self._assign(text, op.bits)
                path.stack.append(path.known[text])
            else:
                path.stack.append(self._assign(text))
        else:
            if op.pushes:
                path.stack.append(self._name())
                text = text.replace("OUT", path.stack[-1])
            self._emit(text)
            if "gas" in op.shape:
                path.unchecked = True
        if (touches_memory and op.kind is Kind.STATEMENT) or runs_others:
            self._after_memory(path, op, operands)

    def _after_memory(self, path: Path, op: Opcode, operands: list[Word]) -> None:
        """What is still known of the memory after an instruction that used it."""
        memory = path.memory
        if op.name not in _READS_ONLY:
            written = _WRITES.get(op.name)
            start, size = (operands[written[0]], operands[written[1]]) if written else ("", "")
            if isinstance(start, int) and isinstance(size, int):
                memory.forget(start, start + size)
            else:
                memory.words.clear()
        memory.exact = False

    def _pure(self, path: Path, op: Opcode, operands: list[Word]) -> Word:
        """A word that depends on the operands alone."""
        if all(isinstance(word, int) for word in operands):
            return int(_folding(op.shape, op.pops)(*operands))
        if op.name == "ISZERO" and isinstance(operands[0], Condition):
            return operands[0].negated()
        simple = self._simplified(path, op, operands)
        if simple is not None:
            return simple
        text = self._fill(path, op, operands)
        if op.kind is Kind.CONDITION:
            return Condition(f"not ({text[4:]})" if op.name == "ISZERO" else text)
        return self._assign(text)

    def _simplified(self, path: Path, op: Opcode, operands: list[Word]) -> Word | None:
        """Shorter forms where an operand is a constant or the result cannot exceed a word."""
        a, b = operands[0], operands[-1]
        wide_a, wide_b = self._width(a), self._width(b)
        match op.name:
            case "ADD" if max(wide_a, wide_b) < _FULL:
                return self._assign(f"{self._atom(path, a)} + {self._atom(path, b)}", max(wide_a, wide_b) + 1)
            case "MUL" if wide_a + wide_b <= _FULL:
                return self._assign(f"{self._atom(path, a)} * {self._atom(path, b)}", wide_a + wide_b)
            case "AND":
                for mask, other in ((a, b), (b, a)):
                    if isinstance(mask, int) and not mask & mask + 1 and self._width(other) <= mask.bit_length():
                        return other
                return self._assign(f"{self._atom(path, a)} & {self._atom(path, b)}", min(wide_a, wide_b))
            case "OR" | "XOR" if max(wide_a, wide_b) < _FULL:
                sign = "|" if op.name == "OR" else "^"
                return self._assign(f"{self._atom(path, a)} {sign} {self._atom(path, b)}", max(wide_a, wide_b))
            case "DIV" if isinstance(b, int) and b:
                return self._assign(f"{self._atom(path, a)} // {self._atom(path, b)}", wide_a)
            case "MOD" if isinstance(b, int) and b:
                return self._assign(f"{self._atom(path, a)} % {self._atom(path, b)}", b.bit_length())
            case "SHR" if isinstance(a, int) and a < _FULL:
                return self._assign(f"{self._atom(path, b)} >> {a}", max(wide_b - a, 0))
            case "SHL" if isinstance(a, int) and a < _FULL:
                mask = "" if wide_b + a <= _FULL else " & M"
                return self._assign(f"{self._atom(path, b)} << {a}{mask}", min(wide_b + a, _FULL))
        return None

    def _mload(self, path: Path, operands: list[Word]) -> bool:
        offset = operands[0]
        if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
            return False
        self._extend(path, offset + 32)
        memory = path.memory
        if offset not in memory.words:
            self._prepare_read(path, offset, offset + 32)
            name = self._assign(f"word(mem[{offset}:{offset + 32}])")
            if any(memory.overlapping(offset, offset + 32)):
                path.stack.append(name)
                return True
            memory.words[offset] = name
        path.stack.append(memory.words[offset])
        return True

    def _mstore(self, path: Path, operands: list[Word]) -> bool:
        offset, word = operands
        if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
            return False
        self._extend(path, offset + 32)
        self._remember(path, offset, word)
        return True

    def _remember(self, path: Path, offset: int, word: Word) -> None:
        """Store a word in memory that is paid for, on paper only."""
        memory = path.memory
        if any(other != offset for other in memory.overlapping(offset, offset + 32)):
            self._write_memory(path)
            memory.forget(offset, offset + 32)
        memory.words[offset] = word if isinstance(word, int) else self._atom(path, word)
        memory.unwritten.add(offset)

    def _keccak(self, path: Path, operands: list[Word]) -> bool:
        start, size = operands
        if not isinstance(start, int) or not isinstance(size, int) or start + size > SYMBOLIC_MEMORY_MAX or not size:
            return False
        path.pending += 6 * (size + 31 >> 5)
        self._extend(path, start + size)
        if path.pending > UNPAID_MAX:
            self._charge(path)
        words = path.memory.covering(start, size)
        if words is not None and len(words) == 2:
            first, second = (self._atom(path, word) for word in words)
            path.stack.append(self._assign(f"keccak_pair({first}, {second})"))
        else:
            path.stack.append(self._assign(f"keccak_word({self._known_bytes(path, start, size)})"))
        return True

    def _log(self, path: Path, operands: list[Word]) -> bool:
        start, size, *topics = operands
        if not isinstance(start, int) or not isinstance(size, int) or start + size > SYMBOLIC_MEMORY_MAX:
            return False
        path.pending += 8 * size
        if size:
            self._extend(path, start + size)
        data = self._known_bytes(path, start, size) if size else "b''"
        self._emit(f"emit(f, {data}, ({''.join(self._bytes(path, topic) + ', ' for topic in topics)}))")
        return True

    def _copy(self, path: Path, operands: list[Word], source: str, content: bytes | None) -> bool:
        """CALLDATACOPY and CODECOPY to a constant place; ``content`` is the source where that is constant."""
        target, start, size = operands
        if not isinstance(target, int) or not isinstance(size, int) or target + size > SYMBOLIC_MEMORY_MAX:
            return False
        path.pending += 3 * (size + 31 >> 5)
        if size == 0:
            return True
        self._extend(path, target + size)
        self._charge(path)
        memory = path.memory
        if content is not None and isinstance(start, int):
            part = content[start : start + size].ljust(size, b"\0")
            if size <= _WORDS_MAX and size % 32 == 0:
                for offset in range(0, size, 32):
                    self._remember(path, target + offset, int.from_bytes(part[offset : offset + 32]))
                return True
            text = repr(part) if size <= _WORDS_MAX else f"{source}[{start}:{start + size}].ljust({size}, ZERO)"
        else:
            first = self._atom(path, start)
            text = f"bytes({source}[{first} : {first} + {size}]).ljust({size}, ZERO)"
        self._write_memory(path)
        memory.forget(target, target + size)
        self._emit(f"mem[{target}:{target + size}] = {text}")
        return True

    def _calldatacopy(self, path: Path, operands: list[Word]) -> bool:
        return self._copy(path, operands, "data", None)

    def _codecopy(self, path: Path, operands: list[Word]) -> bool:
        return self._copy(path, operands, "f.code", self._program.code)

    def _calldataload(self, path: Path, operands: list[Word]) -> bool:
        offset = operands[0]
        if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
            return False
        text = f"word(data[{offset}:{offset + 32}]) if len(data) > {offset + 31} else load(data, {offset})"
        if text not in path.known:
            path.known[text] = self._assign(text)
        path.stack.append(path.known[text])
        return True

    def _exp(self, path: Path, operands: list[Word]) -> bool:
        base, exponent = operands
        if not isinstance(exponent, int):
            return False
        path.pending += 50 * (exponent.bit_length() + 7 >> 3)
        self._charge(path)
        if isinstance(base, int):
            path.stack.append(pow(base, exponent, 1 << 256))
        else:
            path.stack.append(self._assign(f"pow({self._atom(path, base)}, {exponent}, 1 << 256)"))
        return True

    def _code_size(self, path: Path, operands: list[Word]) -> bool:
        assert not operands
        path.stack.append(len(self._program.code))
        return True

    def _pop(self, path: Path, operands: list[Word]) -> bool:
        assert path
        return bool(operands)


_BLOCK_ENDS: Final = frozenset({Kind.JUMP, Kind.JUMPI, Kind.END})

_WORDS_MAX: Final = 256
"""Bytes of code that CODECOPY puts into the translation as constants."""

_SOON: Final = 10
"""Instructions within which an arm counts as short."""

_READS_ONLY: Final = frozenset({"MLOAD", "KECCAK256", "LOG0", "LOG1", "LOG2", "LOG3", "LOG4", "CREATE", "CREATE2"})

_WRITES: Final = {
    "CALLDATACOPY": (0, 2),
    "CODECOPY": (0, 2),
    "RETURNDATACOPY": (0, 2),
    "EXTCODECOPY": (1, 3),
    "MCOPY": (0, 2),
    "CALL": (5, 6),
    "CALLCODE": (5, 6),
    "DELEGATECALL": (4, 5),
    "STATICCALL": (4, 5),
}
"""Which operands say where an instruction writes, and how much."""

_SPECIAL: Final[dict[str, Callable[[Translation, Path, list[Word]], bool]]] = {
    "MLOAD": Translation._mload,
    "MSTORE": Translation._mstore,
    "KECCAK256": Translation._keccak,
    "CALLDATALOAD": Translation._calldataload,
    "CALLDATACOPY": Translation._calldatacopy,
    "CODECOPY": Translation._codecopy,
    "EXP": Translation._exp,
    "CODESIZE": Translation._code_size,
    "POP": Translation._pop,
    **{f"LOG{n}": Translation._log for n in range(5)},
}
"""Instructions whose meaning is known better on a path; False falls back to the shape."""


def interpreted(f: Frame, pc: int) -> int:
    """Interpret one stretch for a region that cannot take it."""
    after = calls.interpret(f, pc, f.machine.runtime.handlers)
    return calls.TAKEN - after if after <= calls.TAKEN else after


@cache
def _folding(shape: str, pops: int) -> Callable[..., int]:
    """The function that a pure instruction is, for constants."""
    operands = OPERANDS[:pops]
    text = shape.format(**{name: name for name in operands})
    folding: Callable[..., int] = eval(f"lambda {', '.join(operands)}: {text}", dict(vars(operations)))  # noqa: S307
    return folding


_NAMESPACE: Final[dict[str, Any]] = {
    **vars(operations),
    **vars(calls),
    **vars(exceptions),
    "interpreted": interpreted,
    "SUCCESS": SUCCESS,
    "REVERTED": REVERTED,
}


def translate(
    program: Program, pc: int, table: Mapping[int, Opcode], budget: int, *, everything: bool
) -> tuple[Region, int]:
    """Translate the region of ``program`` that begins at ``pc`` and keep it there; also give its size in bytes."""
    translation = Translation(program, pc, table, budget, everything=everything)
    code = compile(translation.source(), f"<region {pc}>", "exec")
    local: dict[str, Any] = {}
    exec(code, _NAMESPACE, local)  # noqa: S102
    region: Region = local["region"]
    program.regions[pc] = region
    program.translated += translation.count
    body = region.__code__
    return region, sum(map(sys.getsizeof, (body, body.co_code, body.co_consts, body.co_varnames, *body.co_consts)))
