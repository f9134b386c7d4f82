"""Makes the interpreter's instructions: each row of the opcode table becomes a small function."""

import re
from functools import cache
from textwrap import indent
from typing import Any, Final

from alatau.evm import calls, exceptions, operations
from alatau.evm.bounds import STACK_MAX
from alatau.evm.frame import REVERTED, SUCCESS, Handler
from alatau.evm.interpreter import TAKEN
from alatau.evm.opcode import OPERANDS, Kind, Names, Opcode
from alatau.evm.opcodes import INVALID, opcodes
from alatau.types.chain_config import Fork

_JUMPDESTS: Final = re.compile(rb"\x5b+")

PRELUDE: Final = {
    Names.MEM: "mem = f.memory",
    Names.DATA: "data = f.data",
    Names.SLOTS: "slots = f.slots",
    Names.WARM: "warm = f.warm",
}
"""Where the names that shapes use come from."""

_LAND: Final = (
    "if a not in f.program.destinations and not f.program.admits(a):\n    raise InvalidJumpError\nreturn TAKEN - a"
)

_PUSH_BYTE: Final = "S.append(f.program.padded[pc + 1])\nreturn pc + 2"

_CONTROL: Final = {
    Kind.PUSH: "S.append(int.from_bytes(f.program.padded[pc + 1 : pc + SIZE]))\nreturn pc + SIZE",
    Kind.DUP: "S.append(S[-POPS])\nreturn pc + 1",
    Kind.SWAP: "S[-1], S[-POPS] = S[-POPS], S[-1]\nreturn pc + 1",
    Kind.PC: "S.append(pc)\nreturn pc + 1",
    # A field of JUMPDESTs costs its length at once.
    Kind.JUMPDEST: "code = f.program.padded\n"
    "if code[pc + 1] != 0x5B:\n    return pc + 1\n"
    "end = jumpdests(code, pc).end()\n"
    "f.gas -= end - pc - 1\n"
    "if f.gas < 0:\n    raise OutOfGasError\n"
    "return end",
    Kind.JUMP: "a = S.pop()\n" + _LAND,
    Kind.JUMPI: "a = S.pop()\nif not S.pop():\n    return pc + 1\n" + _LAND,
}


@cache
def handlers_of(fork: Fork) -> list[Handler]:
    """The instructions of ``fork``, by byte."""
    table = opcodes(fork)
    rows = [table.get(code, INVALID) for code in range(256)]
    namespace: dict[str, Any] = {
        **vars(operations),
        **vars(calls),
        **vars(exceptions),
        "jumpdests": _JUMPDESTS.match,
        "TAKEN": TAKEN,
        "SUCCESS": SUCCESS,
        "REVERTED": REVERTED,
    }
    exec(compile("\n".join(_handler(op) for op in dict.fromkeys(rows)), f"<{fork} interpreter>", "exec"), namespace)  # noqa: S102
    return [namespace[f"op_{op.name}"] for op in rows]


def _handler(op: Opcode) -> str:
    """The source of one instruction's function."""
    body = ""
    if op.pops:
        body += f"if len(S) < {op.pops}:\n    raise StackUnderflowError\n"
    if op.pushes > op.pops:
        body += f"if len(S) >= {STACK_MAX}:\n    raise StackOverflowError\n"
    if op.kind in _CONTROL:
        body += f"f.gas -= {op.gas}\nif f.gas < 0:\n    raise OutOfGasError\n"
        shape = _PUSH_BYTE if op.size == 2 else _CONTROL[op.kind]
        body += shape.replace("POPS", str(op.pops)).replace("SIZE", str(op.size))
    else:
        body += f"gas = f.gas - {op.gas}\nif gas < 0:\n    raise OutOfGasError\n"
        body += _body(op)
    return f"def op_{op.name}(f, S, pc):\n" + indent(body, "    ")


def _body(op: Opcode) -> str:
    """Operands from the stack, the shape, the result to the stack, the gas to the frame."""
    operands = OPERANDS[: op.pops]
    lines = [line for name, line in PRELUDE.items() if name in op.uses]
    lines += [f"{name} = S.pop()" for name in operands]
    shape = op.shape.format(out="out", **{name: name for name in operands})
    match op.kind:
        case Kind.EXPRESSION:
            lines.append(f"S.append({shape})")
        case Kind.CONDITION:
            lines.append(f"S.append(1 if {shape} else 0)")
        case _:
            lines.append(shape)
            if op.pushes:
                lines.append("S.append(out)")
            if op.charges:
                lines.append("if gas < 0:\n    raise OutOfGasError")
    lines.append("f.gas = gas")
    if op.kind is not Kind.END:
        lines.append("return pc + 1")
    elif op.ends:
        lines.append(f"return {op.ends}")
    return "\n".join(lines)
