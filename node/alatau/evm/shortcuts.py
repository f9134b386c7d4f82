"""Instructions that a path knows better than the opcode table: constant offsets, narrow words, known memory.

Each function takes the writer, the path and the operands, and gives the word to push, ``DONE`` where there is
none to push, or ``None`` where it knows nothing better and the shape in the table is to be used.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Final, TypeAlias

from alatau.evm import operations
from alatau.evm.gas import G_COPY, G_EXPBYTE, G_KECCAK256WORD, G_LOGDATA, words
from alatau.evm.opcode import OPERANDS, Kind, Opcode
from alatau.evm.operations import M
from alatau.evm.symbolic import Condition, Path, Word
from alatau.evm.writer import WIDE, Writer

DONE: Final = ""
"""The instruction is dealt with and pushes nothing."""

UNPAID_MAX: Final = 200
"""Gas of work that may be done before it is charged. A caller can send too little gas on purpose, and what a
frame then does in vain has cost nobody anything."""

SYMBOLIC_MEMORY_MAX: Final = 1 << 16
"""Bytes. Constant offsets beyond it are handled like computed ones, so that no size is prepared unpaid."""

_WORDS_MAX: Final = 256
"""Bytes of code that CODECOPY puts into a translation as constants."""

Shortcut: TypeAlias = Callable[[Writer, Path, list[Word]], Word | None]


def constant_range(start: Word, size: Word) -> tuple[int, int] | None:
    """Start and size of a piece of memory, if both are constants and moderate."""
    if isinstance(start, int) and isinstance(size, int) and start + size <= SYMBOLIC_MEMORY_MAX:
        return start, size
    return None


def fill(w: Writer, path: Path, op: Opcode, operands: list[Word], out: str = "") -> str:
    """The shape of ``op`` with its operands and the local that it assigns."""
    atoms = {name: w.atom(path, word) for name, word in zip(OPERANDS, operands, strict=False)}
    for name, atom in atoms.items():
        if atom[0].isdigit() and f"{{{name}}}." in op.shape:
            atoms[name] = f"({atom})"
    return op.shape.format(out=out, **atoms)


@cache
def _folding(op: Opcode) -> Callable[..., int]:
    """The function that a pure instruction is."""
    names = OPERANDS[: op.pops]
    text = op.shape.format(**{name: name for name in names})
    folding: Callable[..., int] = eval(f"lambda {', '.join(names)}: {text}", dict(vars(operations)))  # noqa: S307
    return folding


def pure(w: Writer, path: Path, op: Opcode, operands: list[Word]) -> Word:
    """The word of an instruction that depends on its operands alone."""
    if all(isinstance(word, int) for word in operands):
        return int(_folding(op)(*operands))
    if op.name == "ISZERO" and isinstance(operands[0], Condition):
        return operands[0].negated()
    simple = _simplified(w, path, op, operands)
    if simple is not None:
        return simple
    text = fill(w, path, op, operands)
    if op.kind is Kind.CONDITION:
        return Condition(f"not ({text.removeprefix('not ')})" if op.name == "ISZERO" else text)
    return w.assign(text)


def _simplified(w: Writer, path: Path, op: Opcode, operands: list[Word]) -> Word | None:
    """Shorter Python where an operand is a constant, or the result cannot exceed a word."""
    a, b = operands[0], operands[-1]
    wide_a, wide_b = w.width(a), w.width(b)
    wider = max(wide_a, wide_b)

    def binary(sign: str, bits: int) -> Word:
        return w.assign(f"{w.atom(path, a)} {sign} {w.atom(path, b)}", bits)

    match op.name:
        case "ADD" | "OR" | "XOR" if a == 0:
            return b
        case "ADD" | "OR" | "XOR" | "SUB" if b == 0:
            return a
        case "ADD" if wider < WIDE:
            return binary("+", wider + 1)
        case "MUL" if wide_a + wide_b <= WIDE:
            return binary("*", wide_a + wide_b)
        case "AND":
            for mask, other in ((a, b), (b, a)):
                if isinstance(mask, int) and mask & mask + 1 == 0 and w.width(other) <= mask.bit_length():
                    return other
            return binary("&", min(wide_a, wide_b))
        case "OR" if wider < WIDE:
            return binary("|", wider)
        case "XOR" if wider < WIDE:
            return binary("^", wider)
        case "DIV" if isinstance(b, int) and b:
            return binary("//", wide_a)
        case "MOD" if isinstance(b, int) and b:
            return binary("%", b.bit_length())
        case "SHR" if isinstance(a, int) and a < WIDE:
            return w.assign(f"{w.atom(path, b)} >> {a}", max(wide_b - a, 0))
        case "SHL" if isinstance(a, int) and a < WIDE:
            mask = "" if wide_b + a <= WIDE else " & M"
            return w.assign(f"{w.atom(path, b)} << {a}{mask}", min(wide_b + a, WIDE))
        case "BYTE" if isinstance(a, int) and a < 32:
            return w.assign(f"{w.atom(path, b)} >> {248 - 8 * a} & 255", 8)
    return None


def _pop(w: Writer, path: Path, operands: list[Word]) -> Word:
    assert w
    assert path
    assert len(operands) == 1
    return DONE


def _exp(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    base, exponent = operands
    if not isinstance(exponent, int):
        return None
    path.pending += G_EXPBYTE * (exponent.bit_length() + 7 >> 3)
    w.charge(path, above=UNPAID_MAX)
    if isinstance(base, int):
        return pow(base, exponent, M + 1)
    return w.assign(f"pow({w.atom(path, base)}, {exponent}, 1 << 256)")


def _keccak(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    piece = constant_range(*operands)
    if piece is None:
        return None
    start, size = piece
    path.pending += G_KECCAK256WORD * words(size)
    if size:
        w.extend(path, start + size)
    w.charge(path, above=UNPAID_MAX)
    pair = path.memory.covering(start, size)
    if pair is not None and len(pair) == 2:
        first, second = (w.atom(path, word) for word in pair)
        text = f"keccak_pair({first}, {second})"
        if text not in path.known:
            path.known[text] = w.assign(text)
        return path.known[text]
    return w.assign(f"keccak_word({w.read(path, start, size)})")


def _calldataload(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    offset = operands[0]
    if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
        return None
    text = f"word(data[{offset}:{offset + 32}]) if len(data) > {offset + 31} else load(data, {offset})"
    if text not in path.known:
        path.known[text] = w.assign(text)
    return path.known[text]


def _copy(source: str, content: bytes | None, w: Writer, path: Path, operands: list[Word]) -> Word | None:
    """CALLDATACOPY and CODECOPY to a constant place; ``content`` is the source where that is constant."""
    target, start, size = operands
    piece = constant_range(target, size)
    if piece is None:
        return None
    target, size = piece
    path.pending += G_COPY * words(size)
    if size == 0:
        return DONE
    w.extend(path, target + size)
    w.charge(path, above=UNPAID_MAX)
    if content is not None and isinstance(start, int) and size <= _WORDS_MAX:
        part = content[start : start + size].ljust(size, b"\0")
        if size % 32 == 0:
            for offset in range(0, size, 32):
                w.store(path, target + offset, int.from_bytes(part[offset : offset + 32]))
            return DONE
        text = repr(part)
    else:
        first = w.atom(path, start)
        text = f"bytes({source}[{first} : {first} + {size}]).ljust({size}, ZERO)"
    w.write_memory(path)
    path.memory.forget(target, target + size)
    w.emit(f"mem[{target}:{target + size}] = {text}")
    return DONE


def _mload(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    offset = operands[0]
    if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
        return None
    w.extend(path, offset + 32)
    memory = path.memory
    if offset in memory.words:
        return memory.words[offset]
    w.prepare_read(path, offset, offset + 32)
    word = w.assign(f"word(mem[{offset}:{offset + 32}])")
    if not any(memory.overlapping(offset, offset + 32)):
        memory.words[offset] = word
    return word


def _mstore(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    offset, word = operands
    if not isinstance(offset, int) or offset > SYMBOLIC_MEMORY_MAX:
        return None
    w.extend(path, offset + 32)
    w.store(path, offset, word)
    return DONE


def _log(w: Writer, path: Path, operands: list[Word]) -> Word | None:
    start, size, *topics = operands
    piece = constant_range(start, size)
    if piece is None:
        return None
    start, size = piece
    path.pending += G_LOGDATA * size
    if size:
        w.extend(path, start + size)
    w.charge(path, above=UNPAID_MAX)
    data = w.read(path, start, size)
    w.emit(f"emit(f, {data}, ({''.join(w.bytes_of(path, topic) + ', ' for topic in topics)}))")
    return DONE


def shortcuts_of(code: bytes) -> dict[str, Shortcut]:
    """Shortcuts by instruction, in a program with this code."""

    def code_size(w: Writer, path: Path, operands: list[Word]) -> Word:
        assert w
        assert path
        assert not operands
        return len(code)

    return {
        **_SHORTCUTS,
        "CODESIZE": code_size,
        "CALLDATACOPY": partial(_copy, "data", None),
        "CODECOPY": partial(_copy, "f.code", code),
    }


_SHORTCUTS: Final[dict[str, Shortcut]] = {
    "POP": _pop,
    "EXP": _exp,
    "KECCAK256": _keccak,
    "CALLDATALOAD": _calldataload,
    "MLOAD": _mload,
    "MSTORE": _mstore,
    **{f"LOG{n}": _log for n in range(5)},
}
