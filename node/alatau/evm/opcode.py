"""What an instruction is to the machine: a row of the table in ``alatau.evm.opcodes``.

The *shape* of an instruction is Python text. Its operands are named in the order in which they are popped,
``{a}`` first; ``{out}`` is the word it pushes. An expression is the pushed word itself; a condition is an
expression that Python evaluates to a truth value; statements assign ``{out}``. Both the interpreter and the
translator are made from these shapes, so a rule is written once.

Around a shape stand these names, which the Yellow Paper calls the machine state and the environment:

=========== ==================================================================================
``f``       the call frame (``alatau.evm.frame``)
``gas``     gas left; statements may lower it, and need not check it: whoever runs them does
``mem``     memory, a ``bytearray`` as long as the active words
``data``    the input of the call
``slots``   current values of the executing account's slots
``warm``    its warm slots, with their original values
``M``       2**256 - 1; ``SIGN`` is 2**255
=========== ==================================================================================
"""

from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final

OPERANDS: Final = "abcdegh"
"""Names of the operands, the first popped first. There is no ``f``: that is the frame."""


class Kind(Enum):
    """How an instruction's shape is to be read."""

    EXPRESSION = auto()
    """A word computed from the operands and the frame."""
    CONDITION = auto()
    """A truth value, pushed as 1 or 0."""
    STATEMENT = auto()
    """Lines of Python, assigning ``{out}`` if the instruction pushes."""
    PUSH = auto()
    DUP = auto()
    SWAP = auto()
    PC = auto()
    JUMPDEST = auto()
    JUMP = auto()
    JUMPI = auto()
    END = auto()
    """Statements that end the frame, with the outcome in ``ends``."""


class Names(Flag):
    """Which of the names that stand around a shape it uses, besides ``f``, ``gas`` and the constants."""

    NONE = 0
    MEM = auto()
    DATA = auto()
    SLOTS = auto()
    WARM = auto()


@dataclass(frozen=True, slots=True)
class MemoryRange:
    """Where an instruction writes to memory."""

    start: int
    """Position of the operand that says where, counted from the first popped."""
    size: int
    """Position of the operand that says how many bytes."""


ANYWHERE: Final = MemoryRange(-1, -1)
"""An instruction writes to memory, and no operand says how much."""


@dataclass(frozen=True, slots=True)
class Opcode:
    """A row of the table."""

    code: int
    name: str
    gas: int
    """What it costs at least."""
    pops: int
    pushes: int
    kind: Kind
    shape: str = ""
    uses: Names = Names.NONE
    charges: bool = False
    """Its statements lower ``gas`` beyond its price and may leave it negative."""
    exact: bool = False
    """It observes ``gas`` or hands it on, so everything before it must have been charged."""
    calls: bool = False
    """It runs other frames, which may read the memory and write to it."""
    writes: MemoryRange | None = None
    """What of the memory it may overwrite; None where it does not. Memory that it extends is not meant."""
    ends: str = ""
    """How an ``END`` ends the frame: ``SUCCESS`` or ``REVERTED``; empty where its statements raise."""
    pure: bool = False
    """Its word depends on the operands alone, so constants fold."""
    constant: bool = False
    """Its word stays the same all through a frame."""
    bits: int = 256
    """Its word is no wider."""

    @property
    def size(self) -> int:
        """Bytes of the instruction with its immediate."""
        return self.code - 0x5E if 0x60 <= self.code <= 0x7F else 1

    @property
    def looks_at_memory(self) -> bool:
        """It reads, extends or writes the memory, itself or in a frame that it runs."""
        return self.calls or Names.MEM in self.uses
