"""Translates hot code to Python: a *region* is a function that holds every path from one entry on.

A region follows the code from its entry: constant jumps simply continue, a JUMPI becomes an ``if`` whose arm
holds one path, and the code after a join is repeated in both. A path ends where the frame ends, where it jumps
back to the entry (``continue``), or where it leaves the region, by giving the program counter to go on at: at
a computed jump, at code that never ran so far, at a second visit, or where the budget is used up.

On a path the stack is symbolic (``symbolic``). PUSH, DUP, SWAP and POP produce no Python; other instructions
assign their word to a new local. Memory is symbolic as far as offsets are constant: a word that is stored and
read again never becomes bytes. The real stack and memory are brought up to date where a path leaves the region
or where an instruction needs them (``writer``).

Gas is subtracted in sums: ``docs/evm.md`` says why that is exact.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alatau.evm import calls, exceptions, operations
from alatau.evm.bounds import STACK_MAX
from alatau.evm.carry import Carry, RoundEnd, carry_of, round_end
from alatau.evm.frame import REVERTED, SUCCESS, Frame
from alatau.evm.handlers import PRELUDE
from alatau.evm.interpreter import TAKEN, interpret
from alatau.evm.opcode import ANYWHERE, Kind, MemoryRange, Opcode
from alatau.evm.program import Program, Region
from alatau.evm.shortcuts import DONE, UNPAID_MAX, constant_range, fill, pure, shortcuts_of
from alatau.evm.symbolic import Condition, Memory, Path, Word
from alatau.evm.writer import Writer

NESTING_MAX: Final = 12
"""Branches within branches; Python's tokenizer takes 100 levels of indentation."""

HEADROOM: Final = 64
"""Words that a region may push without asking; an entry with less room is left to the interpreter."""

TEXT_PER_INSTRUCTION: Final = 80
"""Characters of Python that count for an instruction; contracts come to about 30."""

_SOON: Final = 10
"""Instructions within which an arm counts as short."""

_BLOCK_ENDS: Final = frozenset({Kind.JUMP, Kind.JUMPI, Kind.END})


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction at its place in the code."""

    pc: int
    op: Opcode | None
    """None for a byte that is no instruction."""
    immediate: int


class Translation:
    """One region in the making."""

    def __init__(
        self, program: Program, entry: int, table: Mapping[int, Opcode], budget: int, *, everything: bool = False
    ) -> None:
        self.count = 0
        """Instructions translated so far."""
        self._program: Final = program
        self._entry: Final = entry
        self._initial: Final = entry == 0 and program.padded[0] != 0x5B
        """The region runs only as the frame begins, on an empty stack and an empty memory."""
        self._table: Final = table
        self._budget: Final = budget
        self._everything: Final = everything
        """Follow also what never ran so far."""
        self._shortcuts: Final = shortcuts_of(program.code)
        self._w = Writer()
        self._carry: Carry | None = None
        self._round_ends: list[RoundEnd] = []

    @property
    def weight(self) -> int:
        """What the translation so far counts for: its instructions, or its text where that is uncommonly long.

        Each way out of a region writes the stack and memory of its path, which may be hundreds of constants.
        """
        return max(self.count, self._w.size // TEXT_PER_INSTRUCTION)

    def source(self) -> str:
        """The region as the text of a Python function."""
        text = self._attempt()
        if self._round_ends:
            self._carry = carry_of(self._round_ends)
            if self._carry is not None:
                text = self._attempt()
        prelude = [f"    {line}" for line in PRELUDE.values() if line.partition(" ")[0] in text]
        return "\n".join(["def region(f):", "    gas = f.gas", "    S = f.stack", *prelude, text, ""])

    def _attempt(self) -> str:
        """The region's body, from what is known of it."""
        self.count = 0
        self._round_ends = []
        w = self._w = Writer()
        w.indent = 1
        path = Path(Memory(exact=self._initial), visited={self._entry})
        if self._carry is not None:
            self._begin_rounds(path, self._carry)
        elif not self._initial:
            self._demand(path, "")
        before = w.lines
        w.lines = []
        w.indent = 2
        self._walk(self._entry, path)
        if not self._round_ends:
            return "\n".join([*before, *(line[4:] for line in w.lines)])
        if self._carry is None:
            return "\n".join(["    while True:", *("    " + line for line in before), *w.lines])
        return "\n".join([*before, "    while True:", *w.lines])

    def _demand(self, path: Path, more: str) -> None:
        """Leave to the interpreter what the region does not provide for."""
        path.most = STACK_MAX - HEADROOM
        tests = f"n > {path.most}{more}"
        self._w.emit(f"n = len(S)\nif {tests}:\n    f.gas = gas\n    return interpreted(f, {self._entry})")

    def _begin_rounds(self, path: Path, carry: Carry) -> None:
        """Read what the rounds carry into its locals."""
        height, size = len(carry.stack), carry.memory_size
        self._demand(path, (f" or n < {height}" if height else "") + (f" or len(mem) < {size}" if size else ""))
        for depth, name in enumerate(carry.stack):
            self._w.emit(f"{name} = S[-{depth + 1}]")
        for offset in carry.words:
            self._w.emit(f"m{offset} = word(mem[{offset}:{offset + 32}])")
        path.stack = [*reversed(carry.stack)]
        path.taken = path.least = height
        path.loaded.update(carry.stack)
        path.memory.size = size
        path.memory.words = {offset: f"m{offset}" for offset in carry.words}
        path.memory.unwritten = {*carry.dirty}

    def _end_round(self, path: Path) -> None:
        """Jump back to the entry."""
        w, carry = self._w, self._carry
        self._round_ends.append(round_end(path))
        if carry is None:
            w.settle(path)
            w.emit("continue")
            return
        w.charge(path)
        w.write_memory(path, but=carry.dirty)
        values = {name: w.atom(path, word) for name, word in zip(carry.stack, reversed(path.stack), strict=True)}
        for offset in carry.words:
            known = path.memory.words.get(offset)
            read = f"word(mem[{offset}:{offset + 32}])"
            values[f"m{offset}"] = read if known is None else w.atom(path, known)
        changed = {name: value for name, value in values.items() if value != name}
        if changed:
            w.emit(f"{', '.join(changed)} = {', '.join(changed.values())}")
        w.emit("continue")

    # The way through the code.

    def _walk(self, pc: int | None, path: Path) -> None:
        """Translate ``path`` from ``pc`` to its end."""
        while pc is not None:
            pc = self._block(pc, path)

    def _block(self, pc: int, path: Path) -> int | None:
        """Translate up to the next jump; give where the path goes on, or None where it ended."""
        block = self._decode(pc)
        self.count += len(block)
        self._check_height(path, block)
        for instruction in block:
            op = instruction.op
            if op is None:
                self._w.emit("raise InvalidOpcodeError")
                return None
            path.pending += op.gas
            self._w.charge(path, above=UNPAID_MAX)
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
        assert last.op is not None
        return self._arrive(last.pc + last.op.size, path)

    def _decode(self, pc: int) -> list[Instruction]:
        """The instructions from ``pc`` up to a jump, an end, or before a JUMPDEST."""
        code, table = self._program.padded, self._table
        block: list[Instruction] = []
        room = max(self._budget - self.count, 1)
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
            test = "" if self._initial else f"if n < {need}:\n    "
            self._w.emit(f"{test}raise StackUnderflowError")
        room = STACK_MAX - peak - len(path.stack) + path.taken
        if room < path.most:
            path.most = room
            test = "" if self._initial else f"if n > {room}:\n    "
            self._w.emit(f"{test}raise StackOverflowError")

    def _arrive(self, pc: int, path: Path) -> int | None:
        """Go on at ``pc`` if the region holds it, else leave; see ``_walk``."""
        if pc == self._entry and not self._initial:
            self._end_round(path)
            return None
        if self.weight < self._budget and pc not in path.visited and path.nesting <= NESTING_MAX:
            path.visited.add(pc)
            return pc
        self._leave(path, str(pc))
        return None

    def _leave(self, path: Path, target: str) -> None:
        """Bring the frame up to date and give the program counter to go on at."""
        self._w.settle(path)
        self._w.emit(f"f.gas = gas\nreturn {target}")

    def _jump(self, path: Path) -> int | None:
        target = path.pop()
        if isinstance(target, int):
            if self._program.admits(target):
                return self._go(path, target)
            self._w.emit("raise InvalidJumpError")
            return None
        name = self._w.atom(path, target)
        self._w.emit(
            f"if {name} not in f.program.destinations and not f.program.admits({name}):\n    raise InvalidJumpError"
        )
        self._leave(path, name)
        return None

    def _go(self, path: Path, target: int) -> int | None:
        """Go on at ``target`` if that is worth its translation."""
        if self._worthwhile(target):
            return self._arrive(target, path)
        self._leave(path, str(target))
        return None

    def _branch(self, path: Path, after: int) -> int | None:
        """JUMPI: one arm goes into an ``if``, the other follows it. An arm that soon ends is always the first."""
        w = self._w
        target, condition = path.pop(), path.pop()
        if isinstance(condition, int):
            if condition == 0:
                return self._arrive(after, path)
            path.stack.append(target)
            return self._jump(path)
        if isinstance(condition, str):
            condition = Condition(w.atom(path, condition))
        if isinstance(target, str | Condition):
            target = w.atom(path, target)
        if isinstance(target, int) and self._program.admits(target) and self._ends_soon(after):
            w.emit(f"if {condition.negated().text}:")
            self._nested(path, after)
            return self._go(path, target)
        w.emit(f"if {condition.text}:")
        path.stack.append(target)
        self._nested(path)
        path.stack.pop()
        return self._arrive(after, path)

    def _nested(self, path: Path, pc: int | None = None) -> None:
        """An arm of a branch: from ``pc`` on, or from the jump whose target is on the stack."""
        arm = path.copy()
        self._w.indent += 1
        self._walk(self._jump(arm) if pc is None else self._arrive(pc, arm), arm)
        self._w.indent -= 1

    def _worthwhile(self, target: int) -> bool:
        """Whether the code at ``target`` ran before, or is too short to leave it out."""
        if self._everything or target in self._program.entries or target in self._program.regions:
            return True
        return target == self._entry or self._ends_soon(target)

    def _ends_soon(self, pc: int) -> bool:
        """Whether the frame ends within a few instructions from ``pc`` on, come what may."""
        code, table = self._program.padded, self._table
        for _ in range(_SOON):
            op = table.get(code[pc])
            if op is None or op.kind is Kind.END:
                return True
            if op.kind in (Kind.JUMP, Kind.JUMPI) or op.exact:
                return False
            pc += op.size
        return False

    # Instructions.

    def _end(self, path: Path, op: Opcode) -> None:
        """The frame ends here."""
        w = self._w
        operands = [path.pop() for _ in range(op.pops)]
        piece = constant_range(*operands) if op.pops == 2 else None
        if piece is not None:
            start, size = piece
            if size:
                w.extend(path, start + size)
            output = w.read(path, start, size)
            w.charge(path)
            w.emit(f"f.output = {output}")
        elif op.shape:
            w.write_memory(path)
            w.charge(path)
            w.emit(fill(w, path, op, operands))
            path.unchecked = True
        if op.ends:
            w.charge(path)
            w.emit(f"f.gas = gas\nreturn {op.ends}")

    def _operation(self, path: Path, op: Opcode) -> None:
        """Any other instruction: by a shortcut where there is one, else by its shape."""
        w = self._w
        operands = [path.pop() for _ in range(op.pops)]
        if op.pure:
            path.stack.append(pure(w, path, op, operands))
            return
        shortcut = self._shortcuts.get(op.name)
        word = None if shortcut is None else shortcut(w, path, operands)
        if word is None:
            word = self._by_shape(path, op, operands)
        if word != DONE:
            path.stack.append(word)

    def _by_shape(self, path: Path, op: Opcode, operands: list[Word]) -> Word:
        w = self._w
        if op.looks_at_memory:
            w.write_memory(path)
        if op.exact:
            w.charge(path)
        if op.kind is Kind.EXPRESSION:
            text = fill(w, path, op, operands)
            if not op.constant:
                return w.assign(text)
            if text not in path.known:
                path.known[text] = w.assign(text, op.bits)
            return path.known[text]
        out = w.name() if op.pushes else DONE
        w.emit(fill(w, path, op, operands, out))
        if op.charges:
            path.unchecked = True
        if op.looks_at_memory:
            path.memory.exact = False
        if op.writes is not None:
            self._forget_written(path, op.writes, operands)
        return out

    def _forget_written(self, path: Path, written: MemoryRange, operands: list[Word]) -> None:
        """Forget what an instruction may have overwritten in memory."""
        known = written is not ANYWHERE
        piece = constant_range(operands[written.start], operands[written.size]) if known else None
        if piece is None:
            path.memory.words.clear()
        else:
            path.memory.forget(piece[0], piece[0] + piece[1])


def interpreted(f: Frame, pc: int) -> int:
    """Interpret one stretch, for a region that found too little room on the stack."""
    after = interpret(f, pc, f.machine.runtime.handlers)
    return TAKEN - after if after <= TAKEN else after


_NAMESPACE: Final[dict[str, Any]] = {
    **vars(operations),
    **vars(calls),
    **vars(exceptions),
    "interpreted": interpreted,
    "SUCCESS": SUCCESS,
    "REVERTED": REVERTED,
}
"""The globals of every region."""


def translate(
    program: Program, pc: int, table: Mapping[int, Opcode], budget: int, *, everything: bool
) -> tuple[Region, int]:
    """Translate the region of ``program`` that begins at ``pc`` and keep it there; also give its size in bytes."""
    translation = Translation(program, pc, table, budget, everything=everything)
    local: dict[str, Any] = {}
    exec(compile(translation.source(), f"<region {pc}>", "exec"), _NAMESPACE, local)  # noqa: S102  our own text
    region: Region = local["region"]
    program.regions[pc] = region
    program.translated += translation.weight
    body = local["region"].__code__
    return region, sum(map(sys.getsizeof, (body, body.co_code, body.co_varnames, *body.co_consts)))
