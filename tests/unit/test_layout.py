"""Where tests keep what they share: builders in ``tests/support``, once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

SHARED = ("tests.support", "tests.simulation")
"""What tests of any package may import: shared builders, and the simulated network that ``make simulate`` runs too."""
SIGNERS = {
    "tests/support/transactions.py",  # the builder
    "tests/simulation/chain.py",  # thousands of payments whose signatures nobody checks
    "tests/unit/types/test_transaction.py",  # the encodings themselves, here and in the next two
    "tests/unit/types/test_vectors.py",
    "tests/unit/wire/test_api_values.py",
}
"""Who calls ``sign_transaction``."""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            yield str(node.module)


def test_what_tests_share_lies_in_support() -> None:
    """A test imports shared builders, or a module of its own suite: no other tests, and no module that is gone."""
    found = [(path, module) for path in TESTS for module in _imports(path)]
    assert len(found) > 100
    wrong = []
    for path, module in found:
        package, _, name = module.rpartition(".")
        depth = 3 if module.startswith("tests.unit.") else 2  # unit tests share within a package, others within a suite
        near = module.split(".")[:depth] == [*path.relative_to(ROOT).parts[:depth]]
        test = name == "conftest" or name.startswith("test_")
        exists = (ROOT / (module.replace(".", "/") + ".py")).exists()
        if test or not exists or not (near or package in SHARED):
            wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_transactions_are_signed_in_one_place() -> None:
    """Whoever needs one that is rightly signed takes ``tests.support.transactions.signed``."""
    callers = {
        str(path.relative_to(ROOT))
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sign_transaction"
    }
    assert callers == SIGNERS
