"""The opcode table: what the Yellow Paper says of each row, and that every shape is Python."""

import ast
import inspect

import pytest

from alatau.evm import calls
from alatau.evm.opcode import ANYWHERE, OPERANDS, Kind, Names, Opcode
from alatau.evm.opcodes import opcodes
from alatau.types.chain_config import Fork

TABLE = opcodes(Fork.OSAKA)


def test_osaka_adds_clz_and_nothing_else() -> None:
    """EIP-7939 is the only new instruction of Osaka."""
    assert {op.name for op in TABLE.values()} - {op.name for op in opcodes(Fork.PRAGUE).values()} == {"CLZ"}
    assert TABLE[0x1E].gas == 5


def test_bytes_and_names_are_unique() -> None:
    """No row hides another, and each byte's row knows its byte."""
    assert len({op.name for op in TABLE.values()}) == len(TABLE) == 150
    assert all(op.code == code for code, op in TABLE.items())


@pytest.mark.parametrize(
    ("name", "code", "gas", "pops", "pushes"),
    [
        ("ADD", 0x01, 3, 2, 1),
        ("MULMOD", 0x09, 8, 3, 1),
        ("KECCAK256", 0x20, 30, 2, 1),
        ("BALANCE", 0x31, 100, 1, 1),
        ("EXTCODECOPY", 0x3C, 100, 4, 0),
        ("SELFBALANCE", 0x47, 5, 0, 1),
        ("BLOBHASH", 0x49, 3, 1, 1),
        ("JUMPI", 0x57, 10, 2, 0),
        ("TSTORE", 0x5D, 100, 2, 0),
        ("MCOPY", 0x5E, 3, 3, 0),
        ("PUSH0", 0x5F, 2, 0, 1),
        ("PUSH32", 0x7F, 3, 0, 1),
        ("DUP16", 0x8F, 3, 16, 17),
        ("SWAP1", 0x90, 3, 2, 2),
        ("LOG4", 0xA4, 1875, 6, 0),
        ("CALL", 0xF1, 0, 7, 1),
        ("CREATE2", 0xF5, 0, 4, 1),
        ("SELFDESTRUCT", 0xFF, 5000, 1, 0),
    ],
)
def test_rows(name: str, code: int, gas: int, pops: int, pushes: int) -> None:
    """Byte, price and stack effect are those of Yellow Paper appendix H and the EIPs since."""
    op = TABLE[code]
    assert (op.name, op.gas, op.pops, op.pushes) == (name, gas, pops, pushes)


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_shapes_are_python(op: Opcode) -> None:
    """Every shape parses with its operands filled in, and mentions each of them."""
    operands = OPERANDS[: op.pops]
    if op.kind in (Kind.PUSH, Kind.DUP, Kind.SWAP, Kind.PC, Kind.JUMP, Kind.JUMPI, Kind.JUMPDEST) or op.name == "POP":
        assert op.shape == ""
        return
    ast.parse(op.shape.format(out="out", **{name: name for name in operands}))
    assert [name for name in operands if f"{{{name}}}" not in op.shape] == []
    if op.kind is Kind.STATEMENT:
        assert ("{out}" in op.shape) == bool(op.pushes)


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_instructions_that_use_gas_are_exact(op: Opcode) -> None:
    """Whatever hands gas on, or pushes it, or tests it, finds it exact."""
    hands_on = "f.gas" in op.shape or op.name in ("GAS", "SSTORE", "SELFDESTRUCT")
    assert op.exact == hands_on


def shape_of(op: Opcode) -> ast.Module:
    """The shape as a tree, its operands filled in with their names."""
    return ast.parse(op.shape.format(out="out", **{name: name for name in OPERANDS[: op.pops]}))


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_fields_say_what_the_shape_does(op: Opcode) -> None:
    """The names used, whether gas is charged, whether others are called: as the shape has it."""
    names = {node.id for node in ast.walk(shape_of(op)) if isinstance(node, ast.Name)}
    assert {name for name in Names if name in op.uses} == {name for name in Names if str(name.name).lower() in names}
    stored = {n.id for n in ast.walk(shape_of(op)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    assert op.charges == ("gas" in stored)
    assert op.calls == bool(names & {"call", "callcode", "delegatecall", "staticcall", "create", "create2"})


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_fields_say_where_memory_is_written(op: Opcode) -> None:
    """A slice of memory that is assigned lies at the operands named; a call writes its output where it was told."""
    written = [
        node.slice
        for node in ast.walk(shape_of(op))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "mem"
    ]
    if op.calls:
        parameters = [*inspect.signature(getattr(calls, op.name.lower())).parameters][1:]
        where = (parameters.index("out"), parameters.index("out_size")) if "out" in parameters else None
        assert where == (None if op.writes is None else (op.writes.start, op.writes.size))
    elif not written:
        assert op.writes is None
    elif op.writes is not ANYWHERE:
        assert op.writes is not None
        start, size = OPERANDS[op.writes.start], OPERANDS[op.writes.size]
        assert [ast.unparse(piece) for piece in written] == [f"{start}:{start} + {size}"]
