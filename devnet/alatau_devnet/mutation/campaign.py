"""A run of ``make mutate`` or ``make mutate-consensus``: what is known, what is tried, what is told.

Verdicts are kept in build/ by the hash of the mutated file, so that a run goes on where it was stopped: one that a test
noticed stays noticed while the test is there, one that is alive is tried again once tests have changed.
"""

import hashlib
import json
import os
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.subject import Change, Subject
from alatau_devnet.mutation.trial import Trial, Verdict

ROOT: Final = Path(__file__).resolve().parents[3]
"""The working copy."""

_QUIET: Final = (
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminal",
    "-o",
    "addopts=--strict-markers --import-mode=importlib",
)
_COLUMNS: Final = ("mutants", "killed", "explained", "alive", "not tried")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    sample: int
    """Mutants of each lot, drawn at random; 0 for all."""
    seed: int
    longest_s: float
    """Tests that take longer do not judge."""
    minutes: float
    """0 for as long as it takes."""
    workers: int
    listing: bool
    """Only say what is known."""


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every campaign has; the command gets them as keywords."""
    for option in reversed(
        (
            click.option("--sample", default=0, help="Try so many of each part, drawn at random; 0 tries all."),
            click.option("--seed", default=1, show_default=True, help="Of the sample."),
            click.option("--longest", "longest_s", default=4.0, show_default=True,
                         help="Tests that take more seconds than this do not judge."),
            click.option("--minutes", default=0.0, help="Stop after this long; the next run goes on."),
            click.option("--workers", default=1, show_default=True, help="Mutants tried at once."),
            click.option("--list", "listing", is_flag=True,
                         help="Only print the mutants, with what is known of each."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of program, with what is known of its mutants."""

    subject: Subject
    sources: str
    """Where its files are, from the working copy's root, to be printed before their names."""
    explained: Path
    """TOML: name of a mutant that cannot be told from the program -> the reason."""
    results: Path
    """JSON: the verdicts."""
    reach: Path
    """JSON: what each test reaches."""
    left_out: tuple[str, ...] = ()
    """Parts of names of tests that do not judge."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Mutants that the same tests judge."""

    tests: tuple[str, ...]
    mutants: list[Mutant]


def run(campaign: Campaign, lots: Iterable[Lot], options: Options) -> int:
    """Try what is not known yet, and report; the exit code."""
    verdicts, reasons = Verdicts.read(campaign.results), explained(campaign.explained)
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    found: list[tuple[Mutant, Verdict | None]] = []
    for lot in lots:
        mutants, judges = _sampled(lot.mutants, options), f"{_digest_of(lot.tests)} {options.longest_s}"
        untried = [m for m in mutants if m.name not in reasons and verdicts.of(m, judges) is None]
        if untried and not options.listing and (end is None or time.monotonic() < end):
            _try(campaign, lot, untried, judges, verdicts, options, end)
        found += [(mutant, verdicts.of(mutant, judges)) for mutant in mutants]
    if options.listing:
        for mutant, verdict in found:
            state = "explained" if mutant.name in reasons else _word(verdict)
            click.echo(f"{campaign.sources}/{mutant.path}:{mutant.line} {mutant.name}  [{state}]")
    return _report(campaign.sources, found, reasons)


def explained(file: Path) -> dict[str, str]:
    """Names of mutants that cannot be told from the program, with the reasons."""
    with file.open("rb") as opened:
        return dict(tomllib.load(opened))


def _sampled(mutants: list[Mutant], options: Options) -> list[Mutant]:
    if not options.sample or options.sample >= len(mutants):
        return mutants
    chosen = set(Random(options.seed).sample(range(len(mutants)), options.sample))  # noqa: S311  a sample, not a secret
    return [mutant for number, mutant in enumerate(mutants) if number in chosen]


def _digest_of(tests: Iterable[str]) -> str:
    """Hash of everything that judges: what survived other tests may not survive these."""
    digest = hashlib.sha256()
    for target in (*tests, "tests/support"):
        path = ROOT / target
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(slots=True)
class Verdicts:
    """What is known of mutants, from this run and earlier ones."""

    file: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Verdicts":
        """What earlier runs left."""
        return cls(file, json.loads(file.read_text()) if file.exists() else {})

    def of(self, mutant: Mutant, judges: str) -> Verdict | None:
        """The verdict, if it still holds."""
        found = self.known.get(_key(mutant))
        if found is None:
            return None
        change, killer = Change(found.get("change", Change.MADE)), found["killed_by"]
        if change in (Change.NO_PROGRAM, Change.SAME_PROGRAM):
            return Verdict(None, 0, change)
        if killer is None and found["judges"] != judges:
            return None
        if killer is not None and not (ROOT / killer.split("::")[0]).exists():
            return None
        return Verdict(killer, found["tests"], change)

    def add(self, mutant: Mutant, judges: str, verdict: Verdict) -> None:
        """Keep a verdict, at once: the run may be stopped at any moment."""
        self.known[_key(mutant)] = {
            "name": mutant.name, "killed_by": verdict.killed_by, "tests": verdict.tests, "judges": judges,
            "change": verdict.change,
        }  # fmt: skip
        self.file.parent.mkdir(exist_ok=True)
        partial = self.file.with_suffix(".tmp")
        partial.write_text(json.dumps(self.known, indent=0))
        partial.replace(self.file)


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.path}\n{mutant.source}".encode()).hexdigest()[:24]


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not tried"
    if verdict.change is not Change.MADE:
        return verdict.change
    return verdict.killed_by or f"alive after {verdict.tests} tests"


def _report(sources: str, found: Iterable[tuple[Mutant, Verdict | None]], reasons: dict[str, str]) -> int:
    """Print the survivors and a line for each file; the exit code."""
    counts: dict[str, Counter[str]] = {}
    for mutant, verdict in found:
        count = counts.setdefault(mutant.path, Counter())
        if verdict is not None and verdict.change in (Change.NO_PROGRAM, Change.SAME_PROGRAM):
            continue
        count["mutants"] += 1
        if mutant.name in reasons:
            count["explained"] += 1
        elif verdict is None or verdict.change is Change.NOT_APPLIED:
            count["not tried"] += 1
        elif verdict.killed_by is not None:
            count["killed"] += 1
        else:
            count["alive"] += 1
            click.echo(f"alive: {sources}/{mutant.path}:{mutant.line} {mutant.name} (after {verdict.tests} tests)")
    total: Counter[str] = sum(counts.values(), Counter())
    for path, count in [*counts.items(), ("all", total)]:
        click.echo(f"{path:34}" + "".join(f"{count[column]:6} {column}" for column in _COLUMNS))
    return 1 if total["alive"] or total["not tried"] else 0


def _try(
    campaign: Campaign,
    lot: Lot,
    mutants: list[Mutant],
    judges: str,
    verdicts: Verdicts,
    options: Options,
    end: float | None,
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task: TaskID = progress.add_task("mutants", total=len(mutants))
        alive = 0

        def judged(mutant: Mutant, verdict: Verdict) -> bool:
            nonlocal alive
            verdicts.add(mutant, judges, verdict)
            if verdict.killed_by is None and verdict.change is Change.MADE:
                alive += 1
                progress.console.print(f"alive: {mutant.name} ({verdict.tests} tests)", markup=False, highlight=False)
            progress.update(task, advance=1, description=f"{mutant.path} ({alive} alive)")
            return end is None or time.monotonic() < end

        trial = Trial(
            campaign.subject,
            mutants,
            campaign.left_out,
            options.longest_s,
            campaign.reach,
            judged,
            options.workers,
            progress.console.print,
        )
        os.chdir(ROOT)
        pytest.main([*_QUIET, "-m", "not slow and not e2e", *lot.tests], plugins=[trial])
