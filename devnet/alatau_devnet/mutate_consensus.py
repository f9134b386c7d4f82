"""Break the parts that decide, one small change at a time, and demand that a test notices: ``make mutate-consensus``.

A mutant is one file of consensus/, engine/ or the deciding parts of chain/ and storage/ with one change: a comparison
or boolean operator turned, a condition taken out, a guard that returns or raises removed, a check not called, a
constant one off. The fast tests of its module run in a copy of the tree, then the tests of the simulation.

Results are kept by the hash of the mutated file and of the tests, in build/mutants.json, so that a run goes on where
it was stopped. Survivors that cannot be told from the program stand, with the reason, in tests/mutants_explained.toml;
any other makes the exit code 1.
"""

import ast
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_ROOT: Final = Path(__file__).resolve().parents[2]
_SOURCES: Final = _ROOT / "node" / "alatau"
_EXPLAINED: Final = _ROOT / "tests" / "mutants_explained.toml"
_RESULTS: Final = _ROOT / "build" / "mutants.json"

_TARGETS: Final = (
    "consensus/*.py",
    "engine/*.py",
    "chain/finality.py",
    "chain/header_rules.py",
    "chain/validator_registry.py",
    "storage/wal.py",
    "storage/sign_state.py",
    "storage/disk.py",
    "storage/commit_batch.py",
    "storage/tip_marker.py",
)
"""Files that decide."""

_SIMULATION: Final = (
    "tests/simulation/test_conditions.py",
    "tests/simulation/test_byzantine.py",
    "tests/simulation/test_survival.py",
    "tests/simulation/test_campaign.py",
)
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
    """Below node/alatau."""
    line: int
    function: str
    change: str
    source: str

    @property
    def name(self) -> str:
        """What tests/mutants_explained.toml calls it."""
        return f"{self.path} {self.function}: {self.change}"


# ------------------------------------------------------------------ making them


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
    yield from sorted(found.values(), key=lambda mutant: mutant.line)


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
            yield f"never: if {ast.unparse(test)}", test, "False"
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
    """The source with one node's text replaced; columns are counted in bytes."""
    assert old.end_lineno is not None
    assert old.end_col_offset is not None
    first, last = lines[old.lineno - 1].encode(), lines[old.end_lineno - 1].encode()
    head, tail = first[: old.col_offset].decode(), last[old.end_col_offset :].decode()
    return "".join([*lines[: old.lineno - 1], head, new, tail, *lines[old.end_lineno :]])


def compiles(mutant: Mutant) -> bool:
    """Whether it is a program at all: a constant in a match pattern or a format string may not be."""
    try:
        compile(mutant.source, mutant.path, "exec")
    except SyntaxError:
        return False
    return True


# ------------------------------------------------------------------ trying them


def tests_of(path: str) -> list[list[str]]:
    """Runs of pytest for a file, the quickest first."""
    folder, name = path.split("/")
    own = f"tests/unit/{folder}/test_{name}"
    runs = [[own]] if (_ROOT / own).exists() else []
    runs.append([f"tests/unit/{folder}"])
    if folder == "consensus":
        runs += [[each] for each in _SIMULATION]
    return runs


class Workshop:
    """A copy of the tree, in which one file at a time is broken."""

    def __init__(self, tree: Path, timeout_s: float) -> None:
        self._tree, self._timeout_s = tree, timeout_s
        for name in ("node", "tests", "devnet", "contracts", "docs", "pyproject.toml"):
            source = _ROOT / name
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=ignored)
            else:
                shutil.copy(source, tree / name)
        shared = _ROOT.parent / "shared"
        if shared.exists():
            (tree.parent / "shared").symlink_to(shared.resolve())

    def killed_by(self, mutant: Mutant) -> str | None:
        """The test that notices, or *timeout*; None where the mutant survives."""
        target = self._tree / "node" / "alatau" / mutant.path
        right = target.read_text()
        target.write_text(mutant.source)
        try:
            for targets in tests_of(mutant.path):
                verdict = self._run(targets)
                if verdict is not None:
                    return verdict
        finally:
            target.write_text(right)
        return None

    def _run(self, targets: list[str]) -> str | None:
        environment = {**os.environ, "PYTHONPATH": f"{self._tree / 'node'}:{self._tree / 'devnet'}:{self._tree}"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow",
        ]
        with subprocess.Popen(
            [*command, "-m", "not slow", *targets],
            cwd=self._tree,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=self._timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return "timeout"
        if process.returncode == 0:
            return None
        failed = [line.split()[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return failed[0] if failed else f"pytest ended with {process.returncode}"


def digest_of_tests() -> str:
    """Hash of everything that judges: other tests, other verdicts."""
    digest = hashlib.sha256()
    for folder in ("unit/consensus", "unit/engine", "unit/chain", "unit/storage", "simulation"):
        for file in sorted((_ROOT / "tests" / folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def chosen_mutants(only: str | None, sample: int, seed: int) -> list[Mutant]:
    """The mutants to try, drawn evenly over all files."""
    patterns = [only] if only else list(_TARGETS)
    files = sorted({file for pattern in patterns for file in _SOURCES.glob(pattern)})
    found = [
        mutant
        for file in files
        for mutant in mutants_of(str(file.relative_to(_SOURCES)), file.read_text())
        if compiles(mutant)
    ]
    if sample and sample < len(found):
        found = sorted(
            Random(seed).sample(  # noqa: S311  a sample, not a secret
                found, sample
            ),
            key=lambda mutant: (mutant.path, mutant.line),
        )
    return found


def explained() -> dict[str, str]:
    """Names of mutants that cannot be told from the program, with the reasons."""
    with _EXPLAINED.open("rb") as file:
        return dict(tomllib.load(file))


@click.command()
@click.option("--only", default=None, help="One file or pattern below node/alatau, as consensus/driver.py.")
@click.option("--sample", default=0, help="Try so many, drawn at random; 0 tries all.")
@click.option("--seed", default=1, show_default=True, help="Of the sample.")
@click.option("--timeout", "timeout_s", default=240.0, show_default=True, help="Seconds for one run of tests.")
@click.option("--minutes", default=0.0, help="Stop after this long; the next run goes on.")
@click.option("--list", "listing", is_flag=True, help="Only print the mutants.")
def main(only: str | None, sample: int, seed: int, timeout_s: float, minutes: float, listing: bool) -> None:
    """Break the parts that decide and see whether a test notices."""
    mutants, reasons = chosen_mutants(only, sample, seed), explained()
    if not mutants:
        raise click.ClickException(f"no file below {_SOURCES} is called {only}")
    if listing:
        for mutant in mutants:
            click.echo(f"node/alatau/{mutant.path}:{mutant.line} {mutant.name}")
        return
    verdicts = _try(mutants, reasons, timeout_s, minutes)
    alive = [mutant for mutant, verdict in verdicts if verdict is None]
    for mutant in alive:
        click.echo(f"alive: node/alatau/{mutant.path}:{mutant.line} {mutant.function}: {mutant.change}")
    skipped = sum(mutant.name in reasons for mutant in mutants)
    click.echo(f"{len(verdicts)} of {len(mutants)} tried, {skipped} explained, {len(alive)} alive")
    sys.exit(1 if alive else 0)


def _try(
    mutants: list[Mutant], reasons: dict[str, str], timeout_s: float, minutes: float
) -> list[tuple[Mutant, str | None]]:
    known: dict[str, str | None] = json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}
    judges, began, verdicts = digest_of_tests(), time.monotonic(), []
    columns = (TextColumn("mutants"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="alatau-mutants-") as folder,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        workshop = Workshop(Path(folder) / "tree", timeout_s)
        for mutant in progress.track([m for m in mutants if m.name not in reasons]):
            if minutes and time.monotonic() - began > minutes * 60:
                break
            key = hashlib.sha256(f"{judges} {mutant.path}\n{mutant.source}".encode()).hexdigest()
            if key not in known:
                known[key] = workshop.killed_by(mutant)
                _RESULTS.parent.mkdir(exist_ok=True)
                _RESULTS.write_text(json.dumps(known, indent=0))
            verdicts.append((mutant, known[key]))
    return verdicts


if __name__ == "__main__":
    main()
