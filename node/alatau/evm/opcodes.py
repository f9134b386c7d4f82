"""Every instruction as a row of a table: its price, its effect on the stack, and its meaning as Python.

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

Prices: Yellow Paper, appendix G, with EIP-2929. What an instruction costs beyond the price in its row is
charged by its shape.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from types import MappingProxyType
from typing import Final

from alatau.types.chain_config import Fork


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
    exact: bool = False
    """It observes ``gas`` or hands it on, so everything before it must have been charged."""
    ends: str = ""
    """How an ``END`` ends the frame: ``SUCCESS`` or ``REVERTED``."""
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


_CHECK: Final = "if gas < 0:\n    raise OutOfGasError\n"
"""Goes before work that a negative rest of gas would not pay for."""


def _touch(offset: str, size: str) -> str:
    """Statements that extend the memory to hold ``size`` bytes at ``offset`` (Yellow Paper, eq. 331)."""
    return f"if {size} and {offset} + {size} > len(mem):\n    gas = grow(mem, {offset} + {size}, gas)\n"


def _copy_to(target: str, size: str, source: str, end: str = "") -> str:
    """Statements that pay for ``size`` bytes, extend the memory to hold them at ``target``, and copy them there.

    ``end`` is where the memory has to reach, if not to the end of what is copied.
    """
    end = end or f"{target} + {size}"
    return (
        f"if {size}:\n    gas -= 3 * ({size} + 31 >> 5)\n    if gas < 0:\n        raise OutOfGasError\n"
        f"    if {end} > len(mem):\n        gas = grow(mem, {end}, gas)\n"
        f"    mem[{target} : {target} + {size}] = {source}"
    )


def _words(code: int, pops: int, rows: str) -> Iterator[Opcode]:
    """Rows of pure instructions: name, gas, ``?`` for a condition or ``=`` for a word, shape."""
    for offset, row in enumerate(rows.strip().splitlines()):
        name, gas, mark, shape = row.split(maxsplit=3)
        kind = Kind.CONDITION if mark == "?" else Kind.EXPRESSION
        yield Opcode(code + offset, name, int(gas), pops, 1, kind, shape, pure=True)


_ARITHMETIC: Final = (
    Opcode(0x00, "STOP", 0, 0, 0, Kind.END, ends="SUCCESS"),
    *_words(
        0x01,
        2,
        """
        ADD        3 = {a} + {b} & M
        MUL        5 = {a} * {b} & M
        SUB        3 = {a} - {b} & M
        DIV        5 = {a} // {b} if {b} else 0
        SDIV       5 = signed_div({a}, {b})
        MOD        5 = {a} % {b} if {b} else 0
        SMOD       5 = signed_mod({a}, {b})
        """,
    ),
    *_words(
        0x08,
        3,
        """
        ADDMOD     8 = ({a} + {b}) % {c} if {c} else 0
        MULMOD     8 = {a} * {b} % {c} if {c} else 0
        """,
    ),
    Opcode(
        0x0A,
        "EXP",
        10,
        2,
        1,
        Kind.STATEMENT,
        "gas -= 50 * ({b}.bit_length() + 7 >> 3)\n" + _CHECK + "{out} = pow({a}, {b}, 1 << 256)",
    ),
    *_words(0x0B, 2, "SIGNEXTEND 5 = sign_extend({a}, {b})"),
    *_words(
        0x10,
        2,
        """
        LT         3 ? {a} < {b}
        GT         3 ? {a} > {b}
        SLT        3 ? {a} ^ SIGN < {b} ^ SIGN
        SGT        3 ? {a} ^ SIGN > {b} ^ SIGN
        EQ         3 ? {a} == {b}
        """,
    ),
    *_words(0x15, 1, "ISZERO     3 ? not {a}"),
    *_words(
        0x16,
        2,
        """
        AND        3 = {a} & {b}
        OR         3 = {a} | {b}
        XOR        3 = {a} ^ {b}
        """,
    ),
    *_words(0x19, 1, "NOT        3 = {a} ^ M"),
    *_words(
        0x1A,
        2,
        """
        BYTE       3 = {b} >> 248 - 8 * {a} & 255 if {a} < 32 else 0
        SHL        3 = {b} << {a} & M if {a} < 256 else 0
        SHR        3 = {b} >> {a} if {a} < 256 else 0
        SAR        3 = shift_arithmetic({a}, {b})
        """,
    ),
)

_OSAKA: Final = tuple(_words(0x1E, 1, "CLZ        5 = 256 - {a}.bit_length()"))
"""EIP-7939."""

_KECCAK: Final = (
    Opcode(
        0x20,
        "KECCAK256",
        30,
        2,
        1,
        Kind.STATEMENT,
        "gas -= 6 * ({b} + 31 >> 5)\n" + _CHECK + _touch("{a}", "{b}") + "{out} = keccak_word(mem[{a} : {a} + {b}])",
    ),
)


def _frame(code: int, name: str, gas: int, shape: str, pops: int = 0) -> Opcode:
    """An instruction that reads the environment."""
    return Opcode(code, name, gas, pops, 1, Kind.EXPRESSION, shape)


def _fixed(code: int, name: str, shape: str, bits: int = 256) -> Opcode:
    """An instruction that reads what stays the same all through a frame."""
    return Opcode(code, name, 2, 0, 1, Kind.EXPRESSION, shape, constant=True, bits=bits)


def _access(code: int, name: str, function: str) -> Opcode:
    """An instruction that reads another account, which may be cold (EIP-2929)."""
    return Opcode(code, name, 100, 1, 1, Kind.STATEMENT, "{out}, gas = " + function + "(f, {a}, gas)")


def _copy(code: int, name: str, source: str) -> Opcode:
    """An instruction that copies to memory and reads zeros past the end of its source."""
    shape = _copy_to("{a}", "{c}", "bytes(" + source + "[{b} : {b} + {c}]).ljust({c}, ZERO)")
    return Opcode(code, name, 3, 3, 0, Kind.STATEMENT, shape)


_ENVIRONMENT: Final = (
    _fixed(0x30, "ADDRESS", "word(f.address)", 160),
    _access(0x31, "BALANCE", "balance"),
    _fixed(0x32, "ORIGIN", "word(f.machine.origin)", 160),
    _fixed(0x33, "CALLER", "word(f.caller)", 160),
    _fixed(0x34, "CALLVALUE", "f.value"),
    _frame(0x35, "CALLDATALOAD", 3, "load(data, {a})", 1),
    _fixed(0x36, "CALLDATASIZE", "len(data)", 64),
    _copy(0x37, "CALLDATACOPY", "data"),
    _fixed(0x38, "CODESIZE", "len(f.code)", 64),
    _copy(0x39, "CODECOPY", "f.code"),
    _fixed(0x3A, "GASPRICE", "f.machine.gas_price"),
    _access(0x3B, "EXTCODESIZE", "code_size"),
    Opcode(
        0x3C,
        "EXTCODECOPY",
        100,
        4,
        0,
        Kind.STATEMENT,
        "code, gas = code_at(f, {a}, gas)\n" + _copy_to("{b}", "{d}", "code[{c} : {c} + {d}].ljust({d}, ZERO)"),
    ),
    _frame(0x3D, "RETURNDATASIZE", 2, "len(f.returned)"),
    Opcode(
        0x3E,
        "RETURNDATACOPY",
        3,
        3,
        0,
        Kind.STATEMENT,
        "if {b} + {c} > len(f.returned):\n    raise ReturnDataError\n"
        + _copy_to("{a}", "{c}", "f.returned[{b} : {b} + {c}]"),
    ),
    _access(0x3F, "EXTCODEHASH", "code_hash"),
    _frame(0x40, "BLOCKHASH", 20, "block_hash(f, {a})", 1),
    _fixed(0x41, "COINBASE", "word(f.machine.block.beneficiary)", 160),
    _fixed(0x42, "TIMESTAMP", "f.machine.block.timestamp", 64),
    _fixed(0x43, "NUMBER", "f.machine.block.number", 64),
    _fixed(0x44, "PREVRANDAO", "word(f.machine.block.prev_randao)"),
    _fixed(0x45, "GASLIMIT", "f.machine.block.gas_limit", 64),
    _fixed(0x46, "CHAINID", "f.machine.block.chain_id"),
    _frame(0x47, "SELFBALANCE", 5, "f.state.balances[f.address]"),
    _fixed(0x48, "BASEFEE", "f.machine.block.base_fee_per_gas"),
    _frame(0x49, "BLOBHASH", 3, "blob_hash(f, {a})", 1),
    _fixed(0x4A, "BLOBBASEFEE", "f.machine.block.blob_base_fee"),
)

_STATE: Final = (
    Opcode(0x50, "POP", 2, 1, 0, Kind.STATEMENT),
    Opcode(
        0x51,
        "MLOAD",
        3,
        1,
        1,
        Kind.STATEMENT,
        "if {a} + 32 > len(mem):\n    gas = grow(mem, {a} + 32, gas)\n{out} = word(mem[{a} : {a} + 32])",
    ),
    Opcode(
        0x52,
        "MSTORE",
        3,
        2,
        0,
        Kind.STATEMENT,
        "if {a} + 32 > len(mem):\n    gas = grow(mem, {a} + 32, gas)\nmem[{a} : {a} + 32] = {b}.to_bytes(32)",
    ),
    Opcode(
        0x53,
        "MSTORE8",
        3,
        2,
        0,
        Kind.STATEMENT,
        "if {a} >= len(mem):\n    gas = grow(mem, {a} + 1, gas)\nmem[{a}] = {b} & 255",
    ),
    Opcode(
        0x54,
        "SLOAD",
        100,
        1,
        1,
        Kind.STATEMENT,
        "if {a} in warm:\n    {out} = slots[{a}]\nelse:\n    {out}, gas = load_cold(f, {a}, gas)",
    ),
    Opcode(0x55, "SSTORE", 0, 2, 0, Kind.STATEMENT, "gas = store(f, {a}, {b}, gas)", exact=True),
    Opcode(0x56, "JUMP", 8, 1, 0, Kind.JUMP),
    Opcode(0x57, "JUMPI", 10, 2, 0, Kind.JUMPI),
    Opcode(0x58, "PC", 2, 0, 1, Kind.PC),
    Opcode(0x59, "MSIZE", 2, 0, 1, Kind.EXPRESSION, "len(mem)"),
    Opcode(0x5A, "GAS", 2, 0, 1, Kind.EXPRESSION, "gas", exact=True),
    Opcode(0x5B, "JUMPDEST", 1, 0, 0, Kind.JUMPDEST),
    Opcode(0x5C, "TLOAD", 100, 1, 1, Kind.EXPRESSION, "load_transient(f, {a})"),
    Opcode(0x5D, "TSTORE", 100, 2, 0, Kind.STATEMENT, "store_transient(f, {a}, {b})"),
    Opcode(
        0x5E,
        "MCOPY",
        3,
        3,
        0,
        Kind.STATEMENT,
        _copy_to("{a}", "{c}", "mem[{b} : {b} + {c}]", "max({a}, {b}) + {c}"),
    ),
)

_FAMILIES: Final = (
    Opcode(0x5F, "PUSH0", 2, 0, 1, Kind.PUSH),
    *(Opcode(0x5F + n, f"PUSH{n}", 3, 0, 1, Kind.PUSH) for n in range(1, 33)),
    *(Opcode(0x7F + n, f"DUP{n}", 3, n, n + 1, Kind.DUP) for n in range(1, 17)),
    *(Opcode(0x8F + n, f"SWAP{n}", 3, n + 1, n + 1, Kind.SWAP) for n in range(1, 17)),
    *(
        Opcode(
            0xA0 + n,
            f"LOG{n}",
            375 * (n + 1),
            n + 2,
            0,
            Kind.STATEMENT,
            "gas -= 8 * {b}\n"
            + _CHECK
            + _touch("{a}", "{b}")
            + "emit(f, bytes(mem[{a} : {a} + {b}]), ("
            + "".join(f"{{{topic}}}.to_bytes(32), " for topic in "cdeg"[:n])
            + "))",
        )
        for n in range(5)
    ),
)


def _call(code: int, name: str, pops: int, operands: str) -> Opcode:
    """An instruction that runs another frame, which spends and returns gas."""
    shape = "f.gas = gas\n{out} = " + name.lower() + "(f, " + operands + ")\ngas = f.gas"
    return Opcode(code, name, 0, pops, 1, Kind.STATEMENT, shape, exact=True)


_SYSTEM: Final = (
    _call(0xF0, "CREATE", 3, "{a}, {b}, {c}"),
    _call(0xF1, "CALL", 7, "{a}, {b}, {c}, {d}, {e}, {g}, {h}"),
    _call(0xF2, "CALLCODE", 7, "{a}, {b}, {c}, {d}, {e}, {g}, {h}"),
    Opcode(
        0xF3,
        "RETURN",
        0,
        2,
        0,
        Kind.END,
        _touch("{a}", "{b}") + "f.output = bytes(mem[{a} : {a} + {b}]) if {b} else b''",
        ends="SUCCESS",
    ),
    _call(0xF4, "DELEGATECALL", 6, "{a}, {b}, {c}, {d}, {e}, {g}"),
    _call(0xF5, "CREATE2", 4, "{a}, {b}, {c}, {d}"),
    _call(0xFA, "STATICCALL", 6, "{a}, {b}, {c}, {d}, {e}, {g}"),
    Opcode(
        0xFD,
        "REVERT",
        0,
        2,
        0,
        Kind.END,
        _touch("{a}", "{b}") + "f.output = bytes(mem[{a} : {a} + {b}]) if {b} else b''",
        ends="REVERTED",
    ),
    Opcode(0xFE, "INVALID", 0, 0, 0, Kind.END, "raise InvalidOpcodeError", ends="REVERTED"),
    Opcode(
        0xFF,
        "SELFDESTRUCT",
        5000,
        1,
        0,
        Kind.END,
        "gas = self_destruct(f, {a}, gas)",
        exact=True,
        ends="SUCCESS",
    ),
)

OPERANDS: Final = "abcdegh"
"""Names of the operands, the first popped first. There is no ``f``: that is the frame."""

_PRAGUE: Final = {op.code: op for op in (*_ARITHMETIC, *_KECCAK, *_ENVIRONMENT, *_STATE, *_FAMILIES, *_SYSTEM)}


@cache
def opcodes(fork: Fork) -> Mapping[int, Opcode]:
    """The instructions of ``fork`` by their byte."""
    return MappingProxyType(_PRAGUE | {op.code: op for op in _OSAKA} if fork is Fork.OSAKA else _PRAGUE)
