"""Every small change of a Vyper source: what ``make mutate`` makes.

Comparisons and operators turned, operands swapped, parts of conditions taken for granted, branches never or always
taken, assertions, calls, writes and events removed, constants one off. Role checks are assertions and calls, so they go
one by one too. Vyper's own syntax tree says where each part stands, and the rest of the file stays as it is, so a
change is text put in the place of text. Types, bounds of loops and the reasons of assertions are left: they are no
behaviour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from alatau_devnet.mutation.mutants import Mutant, numbered

_COMPARISONS: Final = {"Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">", "Eq": "!=", "NotEq": "==", "In": "not in"}
_COMPARED: Final = {"Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=", "In": "in"}
_TURNED: Final = {
    "Add": ("+", "-"),
    "Sub": ("-", "+"),
    "Mult": ("*", "//"),
    "FloorDiv": ("//", "*"),
    "Mod": ("%", "//"),
    "LShift": ("<<", ">>"),
    "RShift": (">>", "<<"),
    "BitAnd": ("&", "|"),
    "BitOr": ("|", "&"),
    "BitXor": ("^", "|"),
}
_ORDERED: Final = {"Sub", "FloorDiv", "Mod", "LShift", "RShift"}
"""Operators whose operands cannot change places without changing the result."""
_EXTREMES: Final = {"min": "max", "max": "min"}
_NO_BEHAVIOUR: Final = {"max_outsize", "bound"}
"""Keywords of built-in functions that bound what is given; the compiler wants them, or another number is as good."""
_PASSED_OVER: Final = {"EventDef", "StructDef", "FlagDef", "InterfaceDef", "ExportsDecl", "DocStr", "ImplementsDecl"}


@dataclass(frozen=True, slots=True)
class _Change:
    """Text to be put in the place of a part of the source."""

    words: str
    line: int
    start: int
    """Offset of the first character replaced."""
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Function:
    """Where a function stands in its file."""

    name: str
    first: int
    last: int


class Source:
    """A Vyper file, parsed."""

    def __init__(self, text: str) -> None:
        # Imported here and nowhere else: the compiler takes 0.4 s and 60 MB, and other campaigns need none.
        from vyper.ast import parse_to_ast  # noqa: PLC0415

        assert text.isascii(), "columns are counted in bytes"
        self.text = text
        self.tree = parse_to_ast(text)
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.functions = [
            Function(node.name, node.lineno, node.end_lineno)
            for node in self.tree.body
            if type(node).__name__ == "FunctionDef"
        ]

    def span(self, node: Any) -> tuple[int, int]:
        """Offsets of a node's first character and of the one after its last."""
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def says(self, node: Any) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    def function_at(self, line: int) -> str:
        """The function that a line belongs to; *module* outside of all."""
        return next((f.name for f in self.functions if f.first <= line <= f.last), "module")


def vyper_mutants(path: str, text: str) -> Iterator[Mutant]:
    """Every mutant of a file in the order of its lines.

    Args:
        path: below ``contracts/``.
        text: of the file.
    """
    source = Source(text)
    made: dict[str, Mutant] = {}
    for change in sorted(_walk(source, source.tree), key=lambda change: (change.line, change.start, change.words)):
        mutated = text[: change.start] + change.new + text[change.end :]
        made.setdefault(mutated, Mutant(path, change.line, source.function_at(change.line), change.words, mutated))
    return numbered(made.values())


def _walk(source: Source, node: Any) -> Iterator[_Change]:
    """Changes at a node and below it."""
    kind = type(node).__name__
    if kind in _PASSED_OVER:
        return
    if kind == "keyword" and node.arg in _NO_BEHAVIOUR:
        return
    yield from _changes(source, node, kind)
    for child in _parts(node, kind):
        yield from _walk(source, child)


def _parts(node: Any, kind: str) -> list[Any]:
    """What is below a node and says what the program does: no types, no reasons, no decorators."""
    match kind:
        case "AnnAssign" | "VariableDecl":
            return [node.value] if node.value is not None else []
        case "FunctionDef":
            return list(node.body)
        case "Assert":
            return [node.test]
        case "For":
            return [node.iter, *node.body]
        case "Call" if _called(node) in ("convert", "empty", "method_id"):
            return list(node.args[:1]) if _called(node) == "convert" else []
        case "Call" if _called(node) == "raw_call":
            return [*node.args, *node.keywords]
        case _:
            return list(node.get_children())


def _changes(source: Source, node: Any, kind: str) -> Iterator[_Change]:
    match kind:
        case "Compare" if type(node.op).__name__ in _COMPARED:
            op = type(node.op).__name__
            yield _between(source, node, node.left, node.right, _COMPARED[op], _COMPARISONS[op])
            if op in ("Lt", "LtE", "Gt", "GtE"):
                yield _swapped(source, node, node.left, node.right)
        case "BinOp" if type(node.op).__name__ in _TURNED:
            op = type(node.op).__name__
            yield _between(source, node, node.left, node.right, *_TURNED[op])
            if op in _ORDERED:
                yield _swapped(source, node, node.left, node.right)
        case "BoolOp":
            yield from _of_condition(source, node)
        case "UnaryOp" if type(node.op).__name__ == "Not":
            yield _replaced(source, node, source.says(node.operand), "")
        case "If" | "IfExp":
            yield _replaced(source, node.test, "False", f"never: if {_flat(source.says(node.test))}")
            yield _replaced(source, node.test, "True", f"always: if {_flat(source.says(node.test))}")
        case "Assert" | "Log" | "Assign" | "Expr":
            yield _replaced(source, node, "pass", f"without {_flat(source.says(node))}")
        case "AugAssign":
            yield _replaced(source, node, "pass", f"without {_flat(source.says(node))}")
            if type(node.op).__name__ in _TURNED:
                old, new = _TURNED[type(node.op).__name__]
                yield _between(source, node, node.target, node.value, f"{old}=", f"{new}=")
        case "Call" if _called(node) in _EXTREMES:
            turned = _EXTREMES[_called(node)] + source.says(node)[3:]
            yield _replaced(source, node, turned, "")
        case "Int":
            yield _replaced(source, node, str(node.value + 1), "")
        case "NameConstant" if isinstance(node.value, bool):
            yield _replaced(source, node, str(not node.value), "")
        case "Hex":
            text = source.says(node)
            yield _replaced(source, node, text[:-1] + ("1" if text[-1] != "1" else "2"), "")
        case "Str":
            yield _replaced(source, node, source.says(node)[:-1] + 'x"', "")


def _of_condition(source: Source, node: Any) -> Iterator[_Change]:
    """The other operator, and each part taken for granted."""
    old, new = ("and", "or") if type(node.op).__name__ == "And" else ("or", "and")
    whole_start, _ = source.span(node)
    text = source.says(node)
    for left, right in reversed(list(zip(node.values, node.values[1:], strict=False))):
        start, end = source.span(left)[1] - whole_start, source.span(right)[0] - whole_start
        text = text[:start] + text[start:end].replace(old, new, 1) + text[end:]
    yield _replaced(source, node, f"({text})", "")
    for value in node.values:
        words = f"{_flat(source.says(node))}: {_flat(source.says(value))} -> {old == 'and'}"
        yield _replaced(source, value, str(old == "and"), words)


def _between(source: Source, node: Any, left: Any, right: Any, old: str, new: str) -> _Change:
    """Another operator between two operands."""
    start, end = source.span(left)[1], source.span(right)[0]
    put = source.text[start:end].replace(old, new, 1)
    words = f"{_flat(source.says(node))} -> {_flat(source.says(left) + put + source.says(right))}"
    return _Change(words, node.lineno, start, end, put)


def _swapped(source: Source, node: Any, left: Any, right: Any) -> _Change:
    """Operands in each other's place, each in parentheses."""
    start, end = source.span(left)[0], source.span(right)[1]
    operator = source.text[source.span(left)[1] : source.span(right)[0]]
    put = f"({source.says(right)}){operator}({source.says(left)})"
    return _Change(f"{_flat(source.says(node))} -> swapped", node.lineno, start, end, put)


def _replaced(source: Source, node: Any, new: str, words: str) -> _Change:
    start, end = source.span(node)
    return _Change(words or f"{_flat(source.says(node))} -> {_flat(new)}", node.lineno, start, end, new)


def _called(node: Any) -> str:
    return getattr(node.func, "id", "")


def _flat(text: str) -> str:
    return " ".join(text.split())
