"""Runs code one instruction at a time: for cold code, and for tracing.

An instruction is a function ``(frame, stack, program counter)`` that gives the next program counter
(``alatau.evm.handlers`` makes them). A jump that is taken gives ``TAKEN - target`` instead and ends the
stretch: there may be a translation of the target.
"""

from typing import Final

from alatau.evm.exceptions import HaltError
from alatau.evm.frame import Frame, Handler

TAKEN: Final = -4
"""A taken jump to ``target`` is coded as ``TAKEN - target``, below every outcome."""


def interpret(f: Frame, pc: int, handlers: list[Handler]) -> int:
    """Run from ``pc`` until the frame ends or a jump is taken; give the outcome or ``TAKEN - target``."""
    code, stack = f.program.padded, f.stack
    while pc >= 0:
        pc = handlers[code[pc]](f, stack, pc)
    return pc


def interpret_traced(f: Frame, handlers: list[Handler]) -> int:
    """Run the whole frame, showing each instruction to the tracer before it runs."""
    code, stack, tracer = f.program.padded, f.stack, f.machine.tracer
    assert tracer is not None
    pc = 0
    while True:
        tracer.step(f, pc)
        try:
            after = handlers[code[pc]](f, stack, pc)
        except HaltError as error:
            tracer.halt(f, pc, error)
            raise
        if code[pc] == 0x5B:
            # The handler ran over all JUMPDESTs that follow: show them one by one.
            f.gas += after - pc - 1
            while (pc := pc + 1) < after:
                tracer.step(f, pc)
                f.gas -= 1
        elif after > TAKEN and after < 0:
            return after
        pc = TAKEN - after if after <= TAKEN else after
