"""Instructions that a path knows better than the table."""

import pytest

from alatau.evm.opcodes import opcodes
from alatau.evm.shortcuts import DONE, SYMBOLIC_MEMORY_MAX, constant_range, fill, pure, shortcuts_of
from alatau.evm.symbolic import Condition, Memory, Path, Word
from alatau.evm.writer import Writer
from alatau.types.chain_config import Fork

OPS = {op.name: op for op in opcodes(Fork.OSAKA).values()}
CODE = bytes(range(64))


def word_of(name: str, *operands: Word) -> tuple[Word, list[str]]:
    """The word of a pure instruction, and the lines written for it."""
    w = Writer()
    return pure(w, Path(Memory(exact=True), loaded={"e0", "e1"}), OPS[name], [*operands]), w.lines


def shortcut(name: str, *operands: Word) -> tuple[Word | None, list[str], Path]:
    """What a shortcut gives, writes, and makes of its path."""
    w, path = Writer(), Path(Memory(exact=True), loaded={"e0", "e1"})
    return shortcuts_of(CODE)[name](w, path, [*operands]), w.lines, path


@pytest.mark.parametrize(
    ("name", "operands", "word"),
    [
        ("ADD", (2**256 - 1, 2), 1),
        ("SUB", (0, 1), 2**256 - 1),
        ("DIV", (7, 0), 0),
        ("SDIV", (2**256 - 7, 2), 2**256 - 3),
        ("LT", (1, 2), 1),
        ("ISZERO", (5,), 0),
        ("BYTE", (31, 0x1234), 0x34),
        ("SHL", (256, 1), 0),
        ("CLZ", (1,), 255),
        ("MULMOD", (2**255, 2**255, 7), 2**510 % 7),
    ],
)
def test_constants_fold(name: str, operands: tuple[int, ...], word: int) -> None:
    """An instruction on constants is a constant, and writes nothing."""
    assert word_of(name, *operands) == (word, [])


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("ADD", ("e0", "e1"), "v1 = e0 + e1 & M"),
        ("DIV", ("e0", 7), "v1 = e0 // 7"),
        ("MOD", ("e0", 7), "v1 = e0 % 7"),
        ("SHR", (224, "e0"), "v1 = e0 >> 224"),
        ("SHL", (8, "e0"), "v1 = e0 << 8 & M"),
        ("BYTE", (30, "e0"), "v1 = e0 >> 8 & 255"),
        ("DIV", ("e0", "e1"), "v1 = e0 // e1 if e1 else 0"),
    ],
)
def test_shorter_forms(name: str, operands: tuple[Word, ...], text: str) -> None:
    """Constants spare tests; what may overflow is masked."""
    assert word_of(name, *operands) == ("v1", [text])


def test_narrow_words_need_no_mask() -> None:
    """What cannot exceed a word is not cut; masks that change nothing vanish."""
    w, path = Writer(), Path(Memory(exact=True), loaded={"e0"})
    low = pure(w, path, OPS["SHR"], [96, "e0"])
    assert pure(w, path, OPS["AND"], [2**160 - 1, low]) == low
    pure(w, path, OPS["ADD"], [low, 5])
    pure(w, path, OPS["SHL"], [96, low])
    pure(w, path, OPS["SHL"], [97, low])
    assert w.lines == ["v1 = e0 >> 96", "v2 = v1 + 5", "v3 = v1 << 96", "v4 = v1 << 97 & M"]
    assert pure(w, path, OPS["ADD"], [0, "e0"]) == pure(w, path, OPS["SUB"], ["e0", 0]) == "e0"


def test_comparisons_stay_conditions() -> None:
    """They become numbers only where somebody needs one."""
    assert word_of("LT", "e0", 5) == (Condition("e0 < 5"), [])
    assert word_of("ISZERO", Condition("e0 < 5")) == (Condition("not (e0 < 5)"), [])
    assert word_of("ISZERO", "e0") == (Condition("not (e0)"), [])


def test_literals_with_methods_are_wrapped() -> None:
    """``5.bit_length()`` is no Python."""
    w = Writer()
    text = fill(w, Path(Memory(exact=True), loaded={"e0"}), OPS["EXP"], ["e0", 5], "v1")
    assert "(5).bit_length()" in text


def test_code_is_known() -> None:
    """CODECOPY of whole words from a constant place is known memory; CODESIZE is a constant."""
    word, lines, path = shortcut("CODECOPY", 32, 16, 64)
    assert (word, lines, path.pending) == (DONE, [], 6 + 9)
    assert path.memory.words[32] == int.from_bytes(CODE[16:48])
    assert path.memory.words[64] == int.from_bytes(CODE[48:].ljust(32, b"\0"))
    assert shortcut("CODESIZE")[0] == 64


def test_copies_of_computed_input_are_padded() -> None:
    """CALLDATACOPY to a constant place overwrites what was known there."""
    word, lines, path = shortcut("CALLDATACOPY", 0, "e0", 20)
    assert (word, path.memory.words) == (DONE, {})
    assert lines[-1] == "mem[0:20] = bytes(data[e0 : e0 + 20]).ljust(20, ZERO)"
    assert shortcut("CALLDATACOPY", "e0", 0, 20)[0] is None


@pytest.mark.parametrize("name", ["MLOAD", "KECCAK256", "LOG0", "MSTORE"])
def test_computed_or_far_places_are_left_to_the_shape(name: str) -> None:
    """A shortcut is for constant places below its limit."""
    rest = {"MLOAD": (), "MSTORE": (1,)}.get(name, (32,))
    assert shortcut(name, "e0", *rest)[0] is None
    assert shortcut(name, SYMBOLIC_MEMORY_MAX + 1, *rest)[0] is None


def test_exponents_that_are_known() -> None:
    """EXP with a constant exponent has a constant price."""
    word, lines, path = shortcut("EXP", "e0", 256)
    assert (word, lines, path.pending) == ("v1", ["v1 = pow(e0, 256, 1 << 256)"], 100)
    assert shortcut("EXP", 10, 18)[0] == 10**18


def test_ranges() -> None:
    """A piece of memory is constant if both its ends are, and it is not far out."""
    assert constant_range(3, 5) == (3, 5)
    assert constant_range("e0", 5) is None
    assert constant_range(SYMBOLIC_MEMORY_MAX, 1) is None
