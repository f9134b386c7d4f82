"""What runs a fork's code: its instructions, its translator, and the programs that were made ready."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from alatau.evm.handlers import handlers_of
from alatau.evm.interpreter import Handler
from alatau.evm.program import Program, ProgramCache, Region
from alatau.types.chain_config import Fork


@dataclass(frozen=True, slots=True)
class Runtime:
    """Shared by all transactions of a fork."""

    handlers: list[Handler]
    programs: ProgramCache
    translate: Callable[[Program, int], Region | None]
    credit_needed: int
    """Gas that a program must have burnt before anything of it is translated."""


@cache
def runtime_of(fork: Fork) -> Runtime:
    """The runtime of ``fork``; one per process, because translations are worth keeping."""
    programs = ProgramCache()
    return Runtime(handlers_of(fork), programs, lambda program, pc: None, 1 << 62)
