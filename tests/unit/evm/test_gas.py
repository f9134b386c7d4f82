"""Prices."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from alatau.evm import bounds, gas

SOURCES = sorted(Path(gas.__file__).parent.rglob("*.py"))


def test_memory_price() -> None:
    """Yellow Paper, equation 330: 3 per word and the square of the words over 512."""
    assert gas.memory_gas(0) == 0
    assert gas.memory_gas(32) == 3
    assert gas.memory_gas(32 * 512) == 3 * 512 + 512
    assert gas.memory_gas(32 * 1024) == 3 * 1024 + 2048


def test_a_set_slot_costs_what_it_did() -> None:
    """EIP-2929 split prices in two; cold access and warm write make up EIP-2200's price."""
    assert gas.G_COLDSLOAD + gas.G_SRESET == 5_000
    assert bounds.INITCODE_SIZE_MAX == 49_152


def test_words() -> None:
    """A started word counts."""
    assert [gas.words(size) for size in (0, 1, 32, 33)] == [0, 1, 1, 2]


def literal_prices(tree: ast.AST) -> Iterator[int]:
    """Lines that change an amount of gas by a number instead of a name from ``gas``.

    Numbers that only count (shifts, comparisons, 0) are no prices: what is looked for is a number above 1 as the
    amount itself or as a factor of it, in Python and in Python as text.
    """
    for node in ast.walk(tree):
        match node:
            case ast.AugAssign(target=ast.Name(id="gas") | ast.Attribute(attr="gas" | "pending"), value=amount):
                if any(isinstance(part, ast.Constant) and part.value not in (0, 1) for part in terms(amount)):
                    yield node.lineno
            case ast.Constant(value=str(text)) if "gas -= " in text and text.split("gas -= ")[1][:1].isdigit():
                yield node.lineno
            case ast.Call(func=ast.Name(id="Opcode"), args=[_, _, ast.Constant(), *_]):
                yield node.lineno
            case ast.Call(func=ast.Name(id="fixed_price" | "word_price"), args=[ast.Constant(), *_]):
                yield node.lineno


def terms(amount: ast.expr) -> Iterator[ast.expr]:
    """What is added up and multiplied in ``amount``."""
    if isinstance(amount, ast.BinOp) and isinstance(amount.op, ast.Add | ast.Sub | ast.Mult):
        yield from terms(amount.left)
        yield from terms(amount.right)
    else:
        yield amount


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_price_has_a_name(path: Path) -> None:
    """Nothing of the machine charges a number that ``gas`` does not name."""
    assert [*literal_prices(ast.parse(path.read_text()))] == []


@pytest.mark.parametrize(
    "source",
    [
        "gas -= 3 * (new - old) + (new * new >> 9)",
        "f.gas -= 700",
        "path.pending += 8 * size",
        "shape = 'gas -= 8 * {b}'",
        "Opcode(0x01, 'ADD', 3, 2, 1, kind)",
        "fixed_price(150)",
    ],
)
def test_a_price_without_a_name_is_seen(source: str) -> None:
    """The search above finds each way in which prices were written before."""
    assert [*literal_prices(ast.parse(source))] == [1]


def test_every_price_is_used() -> None:
    """A name in ``gas`` that nothing reads is a leftover."""
    package = Path(gas.__file__).parents[1]
    # Rows of the opcode table name their prices in text.
    texts = [path.read_text() for folder in ("evm", "chain") for path in sorted((package / folder).rglob("*.py"))]
    used = "\n".join(text for text in texts if text != Path(gas.__file__).read_text())
    own = Path(gas.__file__).read_text().partition("def words")[2]
    names = [name for name in vars(gas) if name.isupper()]
    assert len(names) > 60
    assert [name for name in names if name not in used and name not in own] == []
