"""Bytecode from readable text, for tests: ``assemble("PUSH 2 PUSH 3 ADD PUSH 0 SSTORE STOP")``.

``PUSH n`` takes as many bytes as ``n`` needs, ``PUSH @name`` two for a label, and ``:name`` is a JUMPDEST there.
"""

from alatau.evm.opcodes import opcodes
from alatau.types.chain_config import Fork

_CODES = {op.name: op.code for op in opcodes(Fork.OSAKA).values()}


def push(value: int, size: int = 0) -> bytes:
    """The shortest PUSH of a number, or one of ``size`` bytes."""
    size = size or (value.bit_length() + 7) // 8
    return bytes((0x5F + size,)) + value.to_bytes(size)


def assemble(text: str) -> bytes:
    """The bytecode of ``text``."""
    code, labels, uses = bytearray(), {}, []
    words = iter(text.split())
    for word in words:
        if word.startswith(":"):
            labels[word[1:]] = len(code)
            code.append(0x5B)
        elif word == "PUSH":
            operand = next(words)
            if operand.startswith("@"):
                uses.append((len(code) + 1, operand[1:]))
                code += b"\x61\0\0"
            else:
                code += push(int(operand, 0))
        else:
            code.append(_CODES[word])
    for place, name in uses:
        code[place : place + 2] = labels[name].to_bytes(2)
    return bytes(code)


RETURN_TOP = " PUSH 0 MSTORE PUSH 32 PUSH 0 RETURN"
"""Ends a program by returning the word on top of the stack."""
