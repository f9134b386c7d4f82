"""Break the parts that decide, one small change at a time, and demand that a test notices: ``make mutate-consensus``.

A mutant is one file of consensus/, engine/ or the deciding parts of chain/ and storage/ with one change: a comparison
or boolean operator turned, a condition taken out, a guard that returns or raises removed, a check not called, a
constant one off (``mutation/mutants.py``). ``mutation/trial.py`` says how they are judged.

Verdicts are kept in build/mutants.json by the hash of the mutated file, so that a run goes on where it was stopped: one
that a test noticed stays noticed while the test is there, one that is alive is tried again once tests have changed.
Survivors that cannot be told from the program stand, with the reason, in tests/mutants_explained.toml; any other makes
the exit code 1.
"""

import hashlib
import json
import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from alatau_devnet.mutation.mutants import Mutant, compiles, mutants_of
from alatau_devnet.mutation.trial import NOT_APPLIED, Trial, Verdict

_ROOT: Final = Path(__file__).resolve().parents[2]
_SOURCES: Final = _ROOT / "node" / "alatau"
_EXPLAINED: Final = _ROOT / "tests" / "mutants_explained.toml"
_RESULTS: Final = _ROOT / "build" / "mutants.json"
_REACH: Final = _ROOT / "build" / "mutants_reach.json"


@dataclass(frozen=True, slots=True)
class Part:
    """Files that decide, and the tests that judge their mutants."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


_PARTS: Final = (
    Part(("consensus/*.py",), ("tests/unit/consensus", "tests/simulation", "tests/unit/test_documented_numbers.py")),
    Part(("engine/*.py",), ("tests/unit/engine",)),
    Part(
        ("chain/finality.py", "chain/header_rules.py", "chain/validator_registry.py"),
        ("tests/unit/chain", "tests/unit/engine/test_engine.py"),
    ),
    Part(
        (
            "storage/wal.py",
            "storage/sign_state.py",
            "storage/disk.py",
            "storage/commit_batch.py",
            "storage/tip_marker.py",
        ),
        ("tests/unit/storage",),
    ),
)

_LEFT_OUT: Final = (
    "test_campaign.py::test_stories_are_deep",
    "test_campaign.py::test_a_seed_tells",
    *(f"test_networks_survive_their_faults[{first}]" for first in range(12, 60, 6)),
    "test_checkers.py",
    "_is_found",
    "test_every_state_of_one_round_keeps_the_rules[cast0",
    "test_every_state_of_one_round_keeps_the_rules[cast1",
)
"""Tests of the simulation and the model themselves, and all but the quickest of what they explore."""


def digest_of_tests(part: Part) -> str:
    """Hash of everything that judges: what survived other tests may not survive these."""
    digest = hashlib.sha256()
    for target in (*part.tests, "tests/support"):
        path = _ROOT / target
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def mutants_in(part: Part, only: str | None) -> list[Mutant]:
    """The mutants of a part; of files that match ``only``, if given."""
    files = sorted({file for pattern in part.files for file in _SOURCES.glob(pattern)})
    return [
        mutant
        for file in files
        if only is None or file.relative_to(_SOURCES).match(only)
        for mutant in mutants_of(str(file.relative_to(_SOURCES)), file.read_text())
        if compiles(mutant)
    ]


def explained() -> dict[str, str]:
    """Names of mutants that cannot be told from the program, with the reasons."""
    with _EXPLAINED.open("rb") as file:
        return dict(tomllib.load(file))


@dataclass(slots=True)
class Verdicts:
    """What is known of mutants, from this run and earlier ones."""

    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Verdicts":
        """What earlier runs left."""
        return cls(json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {})

    def of(self, mutant: Mutant, judges: str) -> Verdict | None:
        """The verdict, if it still holds."""
        found = self.known.get(_key(mutant))
        if found is None or (found["killed_by"] is None and found["judges"] != judges):
            return None
        killer = found["killed_by"]
        if killer is not None and not (_ROOT / killer.split("::")[0]).exists():
            return None
        return Verdict(killer, found["tests"])

    def add(self, mutant: Mutant, judges: str, verdict: Verdict) -> None:
        """Keep a verdict, at once: the run may be stopped at any moment."""
        self.known[_key(mutant)] = {
            "name": mutant.name, "killed_by": verdict.killed_by, "tests": verdict.tests, "judges": judges
        }  # fmt: skip
        _RESULTS.parent.mkdir(exist_ok=True)
        partial = _RESULTS.with_suffix(".tmp")
        partial.write_text(json.dumps(self.known, indent=0))
        partial.replace(_RESULTS)


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.path}\n{mutant.source}".encode()).hexdigest()[:24]


@click.command()
@click.option("--only", default=None, help="One file or pattern below node/alatau, as consensus/driver.py.")
@click.option("--sample", default=0, help="Try so many of each part, drawn at random; 0 tries all.")
@click.option("--seed", default=1, show_default=True, help="Of the sample.")
@click.option("--longest", default=4.0, show_default=True, help="Tests that take more seconds than this do not judge.")
@click.option("--minutes", default=0.0, help="Stop after this long; the next run goes on.")
@click.option("--workers", default=1, show_default=True, help="Mutants tried at once.")
@click.option("--list", "listing", is_flag=True, help="Only print the mutants, with what is known of each.")
def main(only: str | None, sample: int, seed: int, longest: float, minutes: float, workers: int, listing: bool) -> None:
    """Break the parts that decide and see whether a test notices."""
    verdicts, reasons = Verdicts.read(), explained()
    end = time.monotonic() + minutes * 60 if minutes else None
    lots: list[tuple[Part, str, list[Mutant]]] = []
    for part in _PARTS:
        mutants = mutants_in(part, only)
        if sample and sample < len(mutants):
            chosen = Random(seed).sample(mutants, sample)  # noqa: S311  a sample, not a secret
            mutants = [mutant for mutant in mutants if mutant in chosen]
        if mutants:
            lots.append((part, f"{digest_of_tests(part)} {longest}", mutants))
    if not lots:
        raise click.ClickException(f"no file below {_SOURCES} is called {only}")
    for part, judges, mutants in lots:
        untried = [m for m in mutants if m.name not in reasons and verdicts.of(m, judges) is None]
        if untried and not listing and (end is None or time.monotonic() < end):
            _try(part, judges, untried, verdicts, Limits(longest, end, workers))
    found = [(mutant, verdicts.of(mutant, judges)) for _, judges, mutants in lots for mutant in mutants]
    if listing:
        for mutant, verdict in found:
            state = "explained" if mutant.name in reasons else _word(verdict)
            click.echo(f"node/alatau/{mutant.path}:{mutant.line} {mutant.name}  [{state}]")
    sys.exit(_report(found, reasons))


def _word(verdict: Verdict | None) -> str:
    if verdict is None or verdict.tests == NOT_APPLIED:
        return "not tried"
    return verdict.killed_by or f"alive after {verdict.tests} tests"


def _report(found: Iterable[tuple[Mutant, Verdict | None]], reasons: dict[str, str]) -> int:
    """Print the survivors and a line for each file; the exit code."""
    counts: dict[str, Counter[str]] = {}
    for mutant, verdict in found:
        count = counts.setdefault(mutant.path, Counter())
        count["mutants"] += 1
        if mutant.name in reasons:
            count["explained"] += 1
        elif verdict is None or verdict.tests == NOT_APPLIED:
            count["not tried"] += 1
        elif verdict.killed_by is not None:
            count["killed"] += 1
        else:
            count["alive"] += 1
            click.echo(f"alive: node/alatau/{mutant.path}:{mutant.line} {mutant.name} (after {verdict.tests} tests)")
    columns = ("mutants", "killed", "explained", "alive", "not tried")
    total: Counter[str] = sum(counts.values(), Counter())
    for path, count in [*counts.items(), ("all", total)]:
        click.echo(f"{path:34}" + "".join(f"{count[column]:6} {column}" for column in columns))
    return 1 if total["alive"] or total["not tried"] else 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a trial."""

    longest_s: float
    end: float | None
    """Monotonic time at which to stop."""
    workers: int


def _try(part: Part, judges: str, mutants: list[Mutant], verdicts: Verdicts, limits: Limits) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task: TaskID = progress.add_task("mutants", total=len(mutants))
        alive = 0

        def judged(mutant: Mutant, verdict: Verdict) -> bool:
            nonlocal alive
            verdicts.add(mutant, judges, verdict)
            if verdict.killed_by is None:
                alive += 1
                progress.console.print(f"alive: {mutant.name} ({verdict.tests} tests)", markup=False, highlight=False)
            progress.update(task, advance=1, description=f"{mutant.path} ({alive} alive)")
            return limits.end is None or time.monotonic() < limits.end

        trial = Trial(
            _SOURCES, mutants, _LEFT_OUT, limits.longest_s, _REACH, judged, limits.workers, progress.console.print
        )
        quiet = [
            "-p",
            "no:cacheprovider",
            "-p",
            "no:terminal",
            "-o",
            "addopts=--strict-markers --import-mode=importlib",
        ]
        options = [*quiet, "-m", "not slow and not e2e"]
        os.chdir(_ROOT)
        pytest.main([*options, *part.tests], plugins=[trial])


if __name__ == "__main__":
    main()
