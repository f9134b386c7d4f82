"""Every small change of a file: comparisons and boolean operators turned, conditions taken out, guards removed.

A mutant has as many lines as the file, so that what was not changed compiles to the same code, line numbers included.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

_CHECKS: Final = ("check_", "verify_", "_check", "flush", "sync", "discard", "clear", "forget", "_report", "recognise")
"""Calls that stand alone and whose name begins like this are taken out."""

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file."""

    path: str
    """Below node/alatau, of a Vyper source below contracts."""
    line: int
    function: str
    change: str
    source: str

    @property
    def name(self) -> str:
        """What the file of explained mutants calls it."""
        return f"{self.path} {self.function}: {self.change}"


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found: dict[str, Mutant] = {}
    decorated = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    passed_over = {id(part) for node in decorated for mark in node.decorator_list for part in ast.walk(mark)}
    for node in ast.walk(tree):
        if id(node) in passed_over:
            continue
        for change, old, new in _changes(node):
            mutated = _replaced(lines, old, new)
            inside = [f for f in functions if f.lineno <= old.lineno <= (f.end_lineno or 0)]
            function = max(inside, key=lambda f: f.lineno).name if inside else "module"
            found.setdefault(mutated, Mutant(path, old.lineno, function, change, mutated))
    yield from numbered(sorted(found.values(), key=lambda mutant: mutant.line))


def numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The same mutants; of those of one function that read the same, the later ones get a number."""
    seen: Counter[tuple[str, str]] = Counter()
    for mutant in mutants:
        seen[mutant.function, mutant.change] += 1
        times = seen[mutant.function, mutant.change]
        yield replace(mutant, change=f"{mutant.change} (no. {times})") if times > 1 else mutant


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.stmt | ast.expr, str]]:
    """What can be changed at a node: in words, the part that is replaced, and by what."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            turned = ast.Compare(node.left, [_COMPARISONS[type(op)]()], node.comparators)
            yield f"{ast.unparse(node)} -> {ast.unparse(turned)}", node, f"({ast.unparse(turned)})"
        case ast.BoolOp(op, values):
            other = ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            yield f"{ast.unparse(node)} -> {ast.unparse(other)}", node, f"({ast.unparse(other)})"
            for left_out in values:
                rest = [value for value in values if value is not left_out]
                shorter = ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(op, rest))
                yield f"{ast.unparse(node)} -> {shorter}", node, f"({shorter})"
        case ast.UnaryOp(ast.Not(), operand):
            yield f"{ast.unparse(node)} -> {ast.unparse(operand)}", node, f"({ast.unparse(operand)})"
        case ast.If(test=test, body=[*_, ast.Return() | ast.Raise() | ast.Continue()]):
            yield f"never: if {ast.unparse(test)}", test, "(False)"
        case ast.Expr(ast.Call(func) as call) if _called(func).startswith(_CHECKS):
            yield f"without {ast.unparse(call)}", node, "pass"
        case ast.Expr(ast.Await(ast.Call(func) as call)) if _called(func).startswith(_CHECKS):
            yield f"without await {ast.unparse(call)}", node, "pass"
        case ast.Constant(value=bool(value)):
            yield f"{value} -> {not value}", node, str(not value)
        case ast.Constant(value=int(value)):
            yield f"{value} -> {value + 1}", node, str(value + 1)
        case ast.BinOp(op=ast.Add() | ast.Sub() as op):
            turned_op = ast.BinOp(node.left, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), node.right)
            yield f"{ast.unparse(node)} -> {ast.unparse(turned_op)}", node, f"({ast.unparse(turned_op)})"


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _replaced(lines: list[str], old: ast.stmt | ast.expr, new: str) -> str:
    """The source with one node's text replaced, on as many lines; columns are counted in bytes."""
    assert old.end_lineno is not None
    assert old.end_col_offset is not None
    first, last = lines[old.lineno - 1].encode(), lines[old.end_lineno - 1].encode()
    head, tail = first[: old.col_offset].decode(), last[old.end_col_offset :].decode()
    padding = "\n" * (old.end_lineno - old.lineno)
    padded = new[:-1] + padding + ")" if new.endswith(")") else new + padding
    return "".join([*lines[: old.lineno - 1], head, padded, tail, *lines[old.end_lineno :]])


def compiles(mutant: Mutant) -> bool:
    """Whether it is a program at all: a constant in a match pattern or a format string may not be."""
    try:
        compile(mutant.source, mutant.path, "exec")
    except SyntaxError:
        return False
    return True
