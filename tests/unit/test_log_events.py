"""Names of log entries: one form, whichever layer writes them, so that a filter on a subject finds all of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from alatau.consensus.effects import Alarm

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node" / "alatau"
EVENT = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
PAGES = ("docs/networking.md", "docs/operators/monitoring.md", "docs/storage.md", "docs/consensus.md")


def _loggers(tree: ast.Module) -> set[str]:
    """Names that a module gives its loggers."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and ast.unparse(node.value).startswith("structlog.get_logger(")
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def _entries() -> Iterator[tuple[str, ast.expr]]:
    """Where in the package a logger is called, and with what as the entry's name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if "structlog.get_logger(" not in text:
            continue
        tree = ast.parse(text)
        loggers = _loggers(tree)
        assert loggers, f"{path} makes a logger and keeps it nowhere"
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in loggers
                and node.func.attr in LEVELS
            ):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[node.func.attr == "log"]


def _names() -> dict[str, str]:
    return {place: arg.value for place, arg in _entries() if isinstance(arg, ast.Constant)}


def test_an_entry_is_called_by_its_subject_and_what_became_of_it() -> None:
    """``subject.what_happened``: literally so where it is written, or the value of an alarm."""
    assert len(_names()) > 30
    wrong = {place: name for place, name in _names().items() if not EVENT.fullmatch(name)}
    assert wrong == {}
    others = {ast.unparse(arg) for _, arg in _entries() if not isinstance(arg, ast.Constant)}
    assert others == {"alarm.value", "event"}  # the second is what others wrote, under a name of the captured streams
    assert [alarm for alarm in Alarm if not EVENT.fullmatch(alarm.value)] == []


def test_entries_that_pages_name_exist() -> None:
    """A page may name an entry to look for; it is one that the node writes."""
    written = {*_names().values(), *(alarm.value for alarm in Alarm)}
    subjects = {name.partition(".")[0] for name in written}
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", (ROOT / page).read_text())
        if name.partition(".")[0] in subjects
    }
    assert named & written
    assert {name for name in named - written if not name.endswith(".py")} == set()
