"""What the contracts say of themselves: every parameter of a function that others call is explained."""

import re
from pathlib import Path

import pytest
from vyper.ast import parse_to_ast

from alatau.artifacts.artifact import sources_root

ROOT = sources_root()
assert ROOT is not None
SOURCES = sorted(path for path in ROOT.rglob("*.vy") if "mocks" not in path.parts)


def unexplained(text: str) -> list[str]:
    """Function and parameter, where no `@param` stands."""
    found = []
    for function in parse_to_ast(text).body:
        if type(function).__name__ != "FunctionDef":
            continue
        marks = {getattr(mark, "id", "") for mark in function.decorator_list}
        said = getattr(function, "doc_string", None)
        doc = said.value if said else ""
        if marks & {"external", "deploy"}:
            found += [
                f"{function.name}.{a.arg}" for a in function.args.args if not re.search(rf"@param {a.arg}\b", doc)
            ]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_parameter_is_explained(path: Path) -> None:
    """In each contract and module."""
    assert unexplained(path.read_text()) == []


def test_a_parameter_without_words_is_found() -> None:
    """By function and name."""
    text = '@external\ndef pay(to: address, amount: uint256):\n    """\n    @param to Whom.\n    """\n    pass\n'
    assert unexplained(text) == ["pay.amount"]
