"""The suite's own assertions can fail: forms that hold whatever the code does are found."""

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests").rglob("*.py"))

CHECKS_BY_NAME = {"raises", "warns", "fail", "run_state_machine_as_test"}
"""Functions of libraries that fail a test."""

SAYS_NOTHING_WRONG = {
    "test_no_bytes_get_an_exception_out_of_the_check": "any other exception than the one that it expects fails it",
}
"""Tests without a check of their own: they fail if something raises, and that is what they are about."""


def always_true(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Assertions that hold by their form, or for more values than they name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            reason = _weakness(node.test)
            if reason:
                yield node.lineno, reason
        elif isinstance(node, ast.Try) and any(_swallows(h) for h in node.handlers) and _asserts(node.body):
            yield node.lineno, "an assertion in a try whose handler takes AssertionError"
        elif isinstance(node, ast.With | ast.AsyncWith) and _suppresses(node) and _asserts(node.body):
            yield node.lineno, "an assertion where AssertionError is suppressed"
        elif isinstance(node, ast.With | ast.AsyncWith) and _expects(node) and any(map(_is_assert, node.body[1:])):
            yield node.lineno, "an assertion behind what raises, in the same block"
        for block in ("body", "orelse", "finalbody"):
            yield from _unreachable(getattr(node, block, []))


def _weakness(test: ast.expr) -> str:
    match test:
        case ast.Tuple() | ast.Lambda() | ast.GeneratorExp() | ast.Constant() | ast.JoinedStr():
            return "a value that is always true"
        case ast.BoolOp(op=ast.Or()):
            return "one side of an 'or' is enough: say when which side holds, with 'if'"
        case ast.IfExp():
            return "a condition chooses what is checked: say it with 'if'"
        case ast.Compare(left=ast.Compare(ops=[ast.Eq()]), ops=[ast.Is() | ast.Eq()], comparators=[right]):
            if not isinstance(right, ast.Constant | ast.Compare):
                return "the truth of an equality is compared: where it is to be false, every other value passes"
        case ast.Compare(left=left, ops=[_], comparators=[right]) if ast.unparse(left) == ast.unparse(right):
            if not any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(left)):
                return "something is compared with itself"
        case ast.Compare(left=ast.Call(func=ast.Name(id="len")), ops=[ast.GtE()], comparators=[ast.Constant(value=0)]):
            return "a length is never below 0"
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return "everything is an object"
    return ""


def _is_assert(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assert)


def _asserts(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Assert) for statement in body for node in ast.walk(statement))


def _swallows(handler: ast.ExceptHandler) -> bool:
    kinds = ast.unparse(handler.type) if handler.type else "BaseException"
    names = {name.strip("() ") for name in kinds.split(",")}
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return bool(names & {"AssertionError", "Exception", "BaseException"}) and not raises


def _suppresses(node: ast.With | ast.AsyncWith) -> bool:
    texts = [ast.unparse(item.context_expr) for item in node.items]
    return any("suppress(" in text and ("AssertionError" in text or "Exception)" in text) for text in texts)


def _expects(node: ast.With | ast.AsyncWith) -> bool:
    return any(ast.unparse(item.context_expr).startswith("pytest.raises(") for item in node.items)


def _unreachable(body: object) -> Iterator[tuple[int, str]]:
    for before, after in pairwise(body if isinstance(body, list) else []):
        if isinstance(before, ast.Return | ast.Raise | ast.Continue | ast.Break):
            yield after.lineno, "nothing comes here"


def without_a_check(trees: Iterable[ast.Module]) -> list[str]:
    """Tests in which nothing can fail but an exception, through all functions of the suite that they call."""
    functions: dict[str, list[ast.AST]] = {}
    tests: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                functions.setdefault(node.name, []).append(node)
                if node.name.startswith("test_") and not isinstance(node, ast.ClassDef):
                    tests.append(node)
    checks = set(CHECKS_BY_NAME)
    calls = {name: {called for node in nodes for called in _called(node)} for name, nodes in functions.items()}
    checks |= {name for name, nodes in functions.items() if any(_checks_itself(node) for node in nodes)}
    while True:
        more = {name for name, called in calls.items() if name not in checks and called & checks}
        if not more:
            return sorted(test.name for test in tests if test.name not in checks)
        checks |= more


def _checks_itself(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Assert | ast.Raise) for part in ast.walk(node))


def _called(node: ast.AST) -> Iterator[str]:
    """Names that are called, or handed to something that may call them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_assertions_can_fail(path: Path) -> None:
    """None of the forms that pass whatever happens."""
    found = [f"{path.relative_to(ROOT)}:{line}: {why}" for line, why in always_true(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)


def test_every_test_checks_something() -> None:
    """Itself or through a function of the suite."""
    package = sorted((ROOT / "devnet").rglob("*.py"))
    trees = [ast.parse(path.read_text()) for path in [*FILES, *package]]
    assert without_a_check(trees) == sorted(SAYS_NOTHING_WRONG)


@pytest.mark.parametrize(
    "source",
    [
        "assert (agreed == 'TLSv1.3') is works",
        "assert (agreed == x) == works",
        "assert (value, 'a message')",
        "assert 'a message'",
        "assert (x for x in y)",
        "assert lambda: x",
        "assert a or b",
        "assert a == 1 if b else c",
        "assert x.y == x.y",
        "assert len(found) >= 0",
        "assert isinstance(x, object)",
        "try:\n    assert a\nexcept Exception:\n    pass",
        "try:\n    assert a\nexcept (ValueError, AssertionError):\n    pass",
        "with suppress(AssertionError):\n    assert a",
        "with pytest.raises(ValueError):\n    f()\n    assert a",
        "def f():\n    return 1\n    assert a",
    ],
)
def test_each_form_is_found(source: str) -> None:
    """And a plain assertion is not."""
    assert len(list(always_true(ast.parse(source)))) == 1
    assert list(always_true(ast.parse("assert a == b\nassert (a == b) is True\nassert f(x) == f(x)"))) == []


def test_a_test_without_a_check_is_found() -> None:
    """Through helpers, too."""
    tree = ast.parse(
        "def helper(): assert x\n"
        "def through(): helper()\n"
        "def test_a(): through()\n"
        "def test_b(): nothing()\n"
        "def test_c():\n    with pytest.raises(ValueError): f()\n"
    )
    assert without_a_check([tree]) == ["test_b"]


def test_all_of_nothing_fails() -> None:
    """In every test module, as ``tests/conftest.py`` has it; of something it is what Python's is."""
    with pytest.raises(AssertionError, match="of nothing"):
        all(value > 0 for value in ())
    assert all(value > 0 for value in (1, 2))
    assert all(value > 0 for value in (1, 0)) is False
