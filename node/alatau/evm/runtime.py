"""What runs a fork's code: its instructions, the programs made ready, and when they are translated.

Translating takes time, and hostile code could ask for a lot of it. So it is paid for: gas that a program burns
while it is interpreted is its credit, and translating an instruction takes ``GAS_PER_INSTRUCTION`` of it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from alatau.evm.frame import Handler
from alatau.evm.handlers import handlers_of
from alatau.evm.opcodes import opcodes
from alatau.evm.program import Program, ProgramCache, Region
from alatau.evm.translator import translate
from alatau.types.chain_config import Fork

GAS_PER_INSTRUCTION: Final = 500
"""Gas that a program must have burnt for each instruction translated. One takes about 15 us, 30 in a loop, so
translation adds at most 0.06 us per gas, less than interpreting cheap instructions takes anyway."""

REGION_MAX: Final = 500
"""Instructions of a region: enough for a token's transfer from selector to return, 8 ms to translate."""

ENTRIES_MIN: Final = 3
"""Code that runs less often than this is not translated: initcode, constructors."""

GROWTH_MAX: Final = 4
"""Instructions translated per byte of code at most; what joins is translated once for each way to it."""


@dataclass(frozen=True, slots=True)
class ForkRuntime:
    """Shared by all transactions of a fork; ``Runtime`` to those who run on it."""

    fork: Fork
    handlers: list[Handler]
    programs: ProgramCache
    gas_per_instruction: int = GAS_PER_INSTRUCTION
    """0 translates everything at first sight."""
    entries_min: int = ENTRIES_MIN
    credit_min: int = GAS_PER_INSTRUCTION * REGION_MAX // 2
    """Gas that a program must have burnt before anything of it is translated."""

    def translate(self, program: Program, pc: int) -> Region | None:
        """Translate the region at ``pc``, or None where the program has used up its share."""
        if program.translated > GROWTH_MAX * len(program.code) + REGION_MAX:
            return None
        price = self.gas_per_instruction
        budget = min(REGION_MAX, program.credit // price) if price else REGION_MAX
        before = program.translated
        region, size_bytes = translate(program, pc, opcodes(self.fork), budget, everything=not price)
        program.credit -= (program.translated - before) * price
        self.programs.charge(program, size_bytes)
        return region


def new_runtime(fork: Fork) -> ForkRuntime:
    """A runtime that has seen no code yet."""
    return ForkRuntime(fork, handlers_of(fork), ProgramCache())


def translating_runtime(fork: Fork) -> ForkRuntime:
    """A runtime that interprets nothing: every entry is translated at first sight. For tests and measurements."""
    return ForkRuntime(fork, handlers_of(fork), ProgramCache(), gas_per_instruction=0, entries_min=0, credit_min=0)


@cache
def runtime_of(fork: Fork) -> ForkRuntime:
    """The runtime of ``fork``; one per process, because translations are worth keeping."""
    return new_runtime(fork)
