"""Every line of the survival checklist in ``docs/consensus.md`` names tests that there are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USUAL = "tests/simulation/test_survival.py"


def rows() -> list[tuple[str, str]]:
    """(what happened, the cell that names tests), from the table."""
    page = (ROOT / "docs/consensus.md").read_text()
    section = page.split("## The survival checklist")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [(what, tests) for what, tests in lines[2:]]


def test_the_table_is_read() -> None:
    """So that the next test asserts something."""
    assert len(rows()) > 30


@pytest.mark.parametrize(("what", "tests"), rows(), ids=[what[:40] for what, _ in rows()])
def test_a_line_of_the_checklist_has_its_tests(what: str, tests: str) -> None:
    """A test that is renamed or removed is missed here."""
    named = re.findall(r"`([^`]+)`", tests)
    if not named:
        assert tests.startswith("there is none:"), what
    for name in named:
        path, _, function = name.rpartition("::")
        tree = ast.parse((ROOT / (path or USUAL)).read_text())
        defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function in defined, name
