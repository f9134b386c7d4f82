"""Every instruction as a row of a table: its price, its effect on the stack, and its meaning as Python.

Prices are those of ``alatau.evm.gas``. What an instruction costs beyond the price in its row is charged by its
shape. Whatever else of a shape matters to interpreter and translator is a field of its row; a test holds the fields
against the shapes.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from alatau.evm import gas as prices
from alatau.evm.gas import (
    G_BASE,
    G_BLOCKHASH,
    G_COPY,
    G_EXP,
    G_EXPBYTE,
    G_HIGH,
    G_JUMPDEST,
    G_KECCAK256,
    G_KECCAK256WORD,
    G_LOG,
    G_LOGDATA,
    G_LOGTOPIC,
    G_LOW,
    G_MID,
    G_SELFDESTRUCT,
    G_VERYLOW,
    G_WARMACCESS,
    G_ZERO,
    HASH_OPCODE_GAS,
)
from alatau.evm.opcode import ANYWHERE, OPERANDS, Kind, MemoryRange, Names, Opcode
from alatau.types.chain_config import Fork

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
        f"if {size}:\n    gas -= {G_COPY} * ({size} + 31 >> 5)\n    if gas < 0:\n        raise OutOfGasError\n"
        f"    if {end} > len(mem):\n        gas = grow(mem, {end}, gas)\n"
        f"    mem[{target} : {target} + {size}] = {source}"
    )


def _words(code: int, pops: int, rows: str) -> Iterator[Opcode]:
    """Rows of pure instructions: name, price, ``?`` for a condition or ``=`` for a word, shape."""
    for offset, row in enumerate(rows.strip().splitlines()):
        name, price, mark, shape = row.split(maxsplit=3)
        kind = Kind.CONDITION if mark == "?" else Kind.EXPRESSION
        yield Opcode(code + offset, name, getattr(prices, price), pops, 1, kind, shape, pure=True)


_ARITHMETIC: Final = (
    Opcode(0x00, "STOP", G_ZERO, 0, 0, Kind.END, ends="SUCCESS"),
    *_words(
        0x01,
        2,
        """
        ADD        G_VERYLOW = {a} + {b} & M
        MUL        G_LOW     = {a} * {b} & M
        SUB        G_VERYLOW = {a} - {b} & M
        DIV        G_LOW     = {a} // {b} if {b} else 0
        SDIV       G_LOW     = signed_div({a}, {b})
        MOD        G_LOW     = {a} % {b} if {b} else 0
        SMOD       G_LOW     = signed_mod({a}, {b})
        """,
    ),
    *_words(
        0x08,
        3,
        """
        ADDMOD     G_MID     = ({a} + {b}) % {c} if {c} else 0
        MULMOD     G_MID     = {a} * {b} % {c} if {c} else 0
        """,
    ),
    Opcode(
        0x0A,
        "EXP",
        G_EXP,
        2,
        1,
        Kind.STATEMENT,
        f"gas -= {G_EXPBYTE} * ({{b}}.bit_length() + 7 >> 3)\n" + _CHECK + "{out} = pow({a}, {b}, 1 << 256)",
        charges=True,
    ),
    *_words(0x0B, 2, "SIGNEXTEND G_LOW = sign_extend({a}, {b})"),
    *_words(
        0x10,
        2,
        """
        LT         G_VERYLOW ? {a} < {b}
        GT         G_VERYLOW ? {a} > {b}
        SLT        G_VERYLOW ? {a} ^ SIGN < {b} ^ SIGN
        SGT        G_VERYLOW ? {a} ^ SIGN > {b} ^ SIGN
        EQ         G_VERYLOW ? {a} == {b}
        """,
    ),
    *_words(0x15, 1, "ISZERO G_VERYLOW ? not {a}"),
    *_words(
        0x16,
        2,
        """
        AND        G_VERYLOW = {a} & {b}
        OR         G_VERYLOW = {a} | {b}
        XOR        G_VERYLOW = {a} ^ {b}
        """,
    ),
    *_words(0x19, 1, "NOT G_VERYLOW = {a} ^ M"),
    *_words(
        0x1A,
        2,
        """
        BYTE       G_VERYLOW = {b} >> 248 - 8 * {a} & 255 if {a} < 32 else 0
        SHL        G_VERYLOW = {b} << {a} & M if {a} < 256 else 0
        SHR        G_VERYLOW = {b} >> {a} if {a} < 256 else 0
        SAR        G_VERYLOW = shift_arithmetic({a}, {b})
        """,
    ),
)

_OSAKA: Final = tuple(_words(0x1E, 1, "CLZ G_LOW = 256 - {a}.bit_length()"))
"""EIP-7939."""

_KECCAK: Final = (
    Opcode(
        0x20,
        "KECCAK256",
        G_KECCAK256,
        2,
        1,
        Kind.STATEMENT,
        f"gas -= {G_KECCAK256WORD} * ({{b}} + 31 >> 5)\n"
        + _CHECK
        + _touch("{a}", "{b}")
        + "{out} = keccak_word(mem[{a} : {a} + {b}])",
        uses=Names.MEM,
        charges=True,
    ),
)


def _frame(code: int, name: str, gas: int, shape: str, pops: int = 0, uses: Names = Names.NONE) -> Opcode:
    """An instruction that reads the environment."""
    return Opcode(code, name, gas, pops, 1, Kind.EXPRESSION, shape, uses=uses)


def _fixed(code: int, name: str, shape: str, bits: int = 256, uses: Names = Names.NONE) -> Opcode:
    """An instruction that reads what stays the same all through a frame."""
    return Opcode(code, name, G_BASE, 0, 1, Kind.EXPRESSION, shape, uses=uses, constant=True, bits=bits)


def _access(code: int, name: str, function: str) -> Opcode:
    """An instruction that reads another account, which may be cold (EIP-2929)."""
    shape = "{out}, gas = " + function + "(f, {a}, gas)"
    return Opcode(code, name, G_WARMACCESS, 1, 1, Kind.STATEMENT, shape, charges=True)


def _copy(code: int, name: str, source: str, uses: Names = Names.NONE) -> Opcode:
    """An instruction that copies to memory and reads zeros past the end of its source."""
    shape = _copy_to("{a}", "{c}", "bytes(" + source + "[{b} : {b} + {c}]).ljust({c}, ZERO)")
    return Opcode(
        code,
        name,
        G_VERYLOW,
        3,
        0,
        Kind.STATEMENT,
        shape,
        uses=Names.MEM | uses,
        charges=True,
        writes=MemoryRange(0, 2),
    )


_ENVIRONMENT: Final = (
    _fixed(0x30, "ADDRESS", "word(f.address)", 160),
    _access(0x31, "BALANCE", "balance"),
    _fixed(0x32, "ORIGIN", "word(f.machine.origin)", 160),
    _fixed(0x33, "CALLER", "word(f.caller)", 160),
    _fixed(0x34, "CALLVALUE", "f.value"),
    _frame(0x35, "CALLDATALOAD", G_VERYLOW, "load(data, {a})", 1, Names.DATA),
    _fixed(0x36, "CALLDATASIZE", "len(data)", 64, Names.DATA),
    _copy(0x37, "CALLDATACOPY", "data", Names.DATA),
    _fixed(0x38, "CODESIZE", "len(f.code)", 64),
    _copy(0x39, "CODECOPY", "f.code"),
    _fixed(0x3A, "GASPRICE", "f.machine.gas_price"),
    _access(0x3B, "EXTCODESIZE", "code_size"),
    Opcode(
        0x3C,
        "EXTCODECOPY",
        G_WARMACCESS,
        4,
        0,
        Kind.STATEMENT,
        "code, gas = code_at(f, {a}, gas)\n" + _copy_to("{b}", "{d}", "code[{c} : {c} + {d}].ljust({d}, ZERO)"),
        uses=Names.MEM,
        charges=True,
        writes=MemoryRange(1, 3),
    ),
    _frame(0x3D, "RETURNDATASIZE", G_BASE, "len(f.returned)"),
    Opcode(
        0x3E,
        "RETURNDATACOPY",
        G_VERYLOW,
        3,
        0,
        Kind.STATEMENT,
        "if {b} + {c} > len(f.returned):\n    raise ReturnDataError\n"
        + _copy_to("{a}", "{c}", "f.returned[{b} : {b} + {c}]"),
        uses=Names.MEM,
        charges=True,
        writes=MemoryRange(0, 2),
    ),
    _access(0x3F, "EXTCODEHASH", "code_hash"),
    _frame(0x40, "BLOCKHASH", G_BLOCKHASH, "block_hash(f, {a})", 1),
    _fixed(0x41, "COINBASE", "word(f.machine.block.beneficiary)", 160),
    _fixed(0x42, "TIMESTAMP", "f.machine.block.timestamp", 64),
    _fixed(0x43, "NUMBER", "f.machine.block.number", 64),
    _fixed(0x44, "PREVRANDAO", "word(f.machine.block.prev_randao)"),
    _fixed(0x45, "GASLIMIT", "f.machine.block.gas_limit", 64),
    _fixed(0x46, "CHAINID", "f.machine.block.chain_id"),
    _frame(0x47, "SELFBALANCE", G_LOW, "f.state.balances[f.address]"),
    _fixed(0x48, "BASEFEE", "f.machine.block.base_fee_per_gas"),
    _frame(0x49, "BLOBHASH", HASH_OPCODE_GAS, "blob_hash(f, {a})", 1),
    _fixed(0x4A, "BLOBBASEFEE", "f.machine.block.blob_base_fee"),
)

_STATE: Final = (
    Opcode(0x50, "POP", G_BASE, 1, 0, Kind.STATEMENT),
    Opcode(
        0x51,
        "MLOAD",
        G_VERYLOW,
        1,
        1,
        Kind.STATEMENT,
        "if {a} + 32 > len(mem):\n    gas = grow(mem, {a} + 32, gas)\n{out} = word(mem[{a} : {a} + 32])",
        uses=Names.MEM,
        charges=True,
    ),
    Opcode(
        0x52,
        "MSTORE",
        G_VERYLOW,
        2,
        0,
        Kind.STATEMENT,
        "if {a} + 32 > len(mem):\n    gas = grow(mem, {a} + 32, gas)\nmem[{a} : {a} + 32] = {b}.to_bytes(32)",
        uses=Names.MEM,
        charges=True,
        writes=ANYWHERE,
    ),
    Opcode(
        0x53,
        "MSTORE8",
        G_VERYLOW,
        2,
        0,
        Kind.STATEMENT,
        "if {a} >= len(mem):\n    gas = grow(mem, {a} + 1, gas)\nmem[{a}] = {b} & 255",
        uses=Names.MEM,
        charges=True,
        writes=ANYWHERE,
    ),
    Opcode(
        0x54,
        "SLOAD",
        G_WARMACCESS,
        1,
        1,
        Kind.STATEMENT,
        "if {a} in warm:\n    {out} = slots[{a}]\nelse:\n    {out}, gas = sload_cold(f, {a}, gas)",
        uses=Names.SLOTS | Names.WARM,
        charges=True,
    ),
    Opcode(
        0x55,
        "SSTORE",
        G_ZERO,
        2,
        0,
        Kind.STATEMENT,
        "gas = sstore(f, {a}, {b}, gas)",
        charges=True,
        exact=True,
    ),
    Opcode(0x56, "JUMP", G_MID, 1, 0, Kind.JUMP),
    Opcode(0x57, "JUMPI", G_HIGH, 2, 0, Kind.JUMPI),
    Opcode(0x58, "PC", G_BASE, 0, 1, Kind.PC),
    Opcode(0x59, "MSIZE", G_BASE, 0, 1, Kind.EXPRESSION, "len(mem)", uses=Names.MEM),
    Opcode(0x5A, "GAS", G_BASE, 0, 1, Kind.EXPRESSION, "gas", exact=True),
    Opcode(0x5B, "JUMPDEST", G_JUMPDEST, 0, 0, Kind.JUMPDEST),
    Opcode(0x5C, "TLOAD", G_WARMACCESS, 1, 1, Kind.EXPRESSION, "tload(f, {a})"),
    Opcode(0x5D, "TSTORE", G_WARMACCESS, 2, 0, Kind.STATEMENT, "tstore(f, {a}, {b})"),
    Opcode(
        0x5E,
        "MCOPY",
        G_VERYLOW,
        3,
        0,
        Kind.STATEMENT,
        _copy_to("{a}", "{c}", "mem[{b} : {b} + {c}]", "max({a}, {b}) + {c}"),
        uses=Names.MEM,
        charges=True,
        writes=MemoryRange(0, 2),
    ),
)

_FAMILIES: Final = (
    Opcode(0x5F, "PUSH0", G_BASE, 0, 1, Kind.PUSH),
    *(Opcode(0x5F + n, f"PUSH{n}", G_VERYLOW, 0, 1, Kind.PUSH) for n in range(1, 33)),
    *(Opcode(0x7F + n, f"DUP{n}", G_VERYLOW, n, n + 1, Kind.DUP) for n in range(1, 17)),
    *(Opcode(0x8F + n, f"SWAP{n}", G_VERYLOW, n + 1, n + 1, Kind.SWAP) for n in range(1, 17)),
    *(
        Opcode(
            0xA0 + n,
            f"LOG{n}",
            G_LOG + n * G_LOGTOPIC,
            n + 2,
            0,
            Kind.STATEMENT,
            f"gas -= {G_LOGDATA} * {{b}}\n"
            + _CHECK
            + _touch("{a}", "{b}")
            + "emit(f, bytes(mem[{a} : {a} + {b}]), ("
            + "".join(f"{{{topic}}}.to_bytes(32), " for topic in OPERANDS[2 : 2 + n])
            + "))",
            uses=Names.MEM,
            charges=True,
        )
        for n in range(5)
    ),
)


def _call(code: int, name: str, pops: int, operands: str, writes: MemoryRange | None = None) -> Opcode:
    """An instruction that runs another frame, which spends and returns gas."""
    shape = "f.gas = gas\n{out} = " + name.lower() + "(f, " + operands + ")\ngas = f.gas"
    return Opcode(
        code, name, G_ZERO, pops, 1, Kind.STATEMENT, shape, charges=True, exact=True, calls=True, writes=writes
    )


INVALID: Final = Opcode(0xFE, "INVALID", G_ZERO, 0, 0, Kind.END, "raise InvalidOpcodeError")
"""EIP-141; every byte that is no instruction does the same."""

_SYSTEM: Final = (
    _call(0xF0, "CREATE", 3, "{a}, {b}, {c}"),
    _call(0xF1, "CALL", 7, "{a}, {b}, {c}, {d}, {e}, {g}, {h}", MemoryRange(5, 6)),
    _call(0xF2, "CALLCODE", 7, "{a}, {b}, {c}, {d}, {e}, {g}, {h}", MemoryRange(5, 6)),
    Opcode(
        0xF3,
        "RETURN",
        G_ZERO,
        2,
        0,
        Kind.END,
        _touch("{a}", "{b}") + "f.output = bytes(mem[{a} : {a} + {b}]) if {b} else b''",
        uses=Names.MEM,
        charges=True,
        ends="SUCCESS",
    ),
    _call(0xF4, "DELEGATECALL", 6, "{a}, {b}, {c}, {d}, {e}, {g}", MemoryRange(4, 5)),
    _call(0xF5, "CREATE2", 4, "{a}, {b}, {c}, {d}"),
    _call(0xFA, "STATICCALL", 6, "{a}, {b}, {c}, {d}, {e}, {g}", MemoryRange(4, 5)),
    Opcode(
        0xFD,
        "REVERT",
        G_ZERO,
        2,
        0,
        Kind.END,
        _touch("{a}", "{b}") + "f.output = bytes(mem[{a} : {a} + {b}]) if {b} else b''",
        uses=Names.MEM,
        charges=True,
        ends="REVERTED",
    ),
    INVALID,
    Opcode(
        0xFF,
        "SELFDESTRUCT",
        G_SELFDESTRUCT,
        1,
        0,
        Kind.END,
        "gas = self_destruct(f, {a}, gas)",
        charges=True,
        exact=True,
        ends="SUCCESS",
    ),
)

_PRAGUE: Final = {op.code: op for op in (*_ARITHMETIC, *_KECCAK, *_ENVIRONMENT, *_STATE, *_FAMILIES, *_SYSTEM)}


@cache
def opcodes(fork: Fork) -> Mapping[int, Opcode]:
    """The instructions of ``fork`` by their byte."""
    return MappingProxyType(_PRAGUE | {op.code: op for op in _OSAKA} if fork is Fork.OSAKA else _PRAGUE)
