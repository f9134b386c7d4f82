"""Simulate networks of consensus cores under random faults: ``make simulate SEEDS=n``.

Each seed is a network of four to ten validators that lives through loss, delay, duplication, partitions, lines that
carry one way, power failures at any effect, lost logs and sign states, wrong clocks, changes of its set and liars, and
must recover after each trouble. What must hold is judged from outside by ``tests/simulation/checkers.py``. The summary
says how many seeds reached what. A seed that fails is printed with the commit of the program; ``--trace n`` tells its
story line by line, the same every time.
"""

import gc
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeAlias

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "node"), str(_ROOT / "devnet")]

from tests.simulation.campaign import Story, simulate  # noqa: E402  found through the path above

_FAILURES_MAX: Final = 20
"""A broken rule fails often; the first few say enough."""

_DEEP_HEIGHT: Final = 4
_DEEP_ROUND: Final = 5
"""A story that stays below these says little."""

Outcome: TypeAlias = Story | tuple[int, str]
"""A story that went well, or the seed of one that did not, and what was found."""


@dataclass(slots=True)
class Tally:
    """What a campaign has seen so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    seeds: int = 0
    blocks: int = 0
    evidence: int = 0
    heights: Counter[int] = field(default_factory=Counter)
    rounds: Counter[int] = field(default_factory=Counter)
    set_changes: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    """Longest wait for a block after a trouble, as a share of its bound."""
    failures: list[int] = field(default_factory=list)

    def add(self, story: Story) -> None:
        """Count a seed that went well."""
        self.seeds += 1
        self.kinds[f"{story.validators:2} validators, {story.faulty}"] += 1
        self.features.update(story.features)
        self.blocks += story.heights
        self.evidence += story.evidence
        self.heights[story.heights] += 1
        self.rounds[story.round_max] += 1
        self.set_changes[story.set_changes] += 1
        self.slowest = max(self.slowest, story.recovery_ms / story.bound_ms)

    def lines(self) -> Iterator[str]:
        """The summary."""
        yield f"{self.seeds} seeds: {self.blocks} blocks, {self.evidence} equivocations proven"
        for kind, count in sorted(self.kinds.items()):
            yield f"  {kind:40} {count:7}"
        deep = sum(n for height, n in self.heights.items() if height >= _DEEP_HEIGHT)
        late = sum(n for round_, n in self.rounds.items() if round_ >= _DEEP_ROUND)
        yield f"  {f'height {_DEEP_HEIGHT} or more':40} {deep:7}   (most: {max(self.heights, default=0)})"
        yield f"  {f'round {_DEEP_ROUND} or more':40} {late:7}   (most: {max(self.rounds, default=0)})"
        for count in sorted(self.set_changes):
            yield f"  {f'{count} changes of the set':40} {self.set_changes[count]:7}"
        for feature, count in sorted(self.features.items()):
            yield f"  {feature:40} {count:7}"
        yield f"slowest block after a trouble: {self.slowest:.0%} of its bound"
        yield f"failing seeds: {self.failures or 'none'}"


def commit_of_program() -> str:
    """Which version a failing seed belongs to."""
    found = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def trace(seed: int) -> bool:
    """Tell one seed's story, line by line; whether it goes well."""
    transcript: list[str] = []
    try:
        outcome, well = str(simulate(seed, transcript)), True
    except AssertionError as violation:
        outcome, well = f"seed {seed} at {commit_of_program()}: {violation or type(violation).__name__}", False
    print("\n".join([*transcript, outcome]))
    return well


def run_seed(seed: int) -> Outcome:
    """One seed, in whatever process."""
    try:
        return simulate(seed)
    except AssertionError as violation:
        return seed, str(violation) or type(violation).__name__
    except Exception as error:  # noqa: BLE001  a core that raises is a finding, with its seed
        return seed, f"{type(error).__name__}: {error}"


def _collect_seldom() -> None:
    """Let the garbage collector run once for many stories: it takes a tenth of the time otherwise."""
    gc.set_threshold(500_000)


def outcomes(seeds: range, processes: int) -> Iterator[Outcome]:
    """All outcomes, as they come, in several processes where there are several."""
    if processes == 1:
        _collect_seldom()
        yield from map(run_seed, seeds)
        return
    with get_context("spawn").Pool(processes, _collect_seldom) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=4)


@click.command()
@click.option("--seeds", default=1_000, show_default=True, help="How many seeds to run.")
@click.option("--first", default=0, show_default=True, help="The first of them.")
@click.option("--minutes", default=0.0, help="Stop after this long; 0 runs all seeds.")
@click.option("--processes", default=0, help="How many seeds at once; 0 is one for each processor.")
@click.option("--trace", "--seed", "single", type=int, default=None, help="Tell this seed's story and stop.")
def main(seeds: int, first: int, minutes: float, processes: int, single: int | None) -> None:
    """Run many random networks of consensus cores and check what must hold."""
    if single is not None:
        sys.exit(0 if trace(single) else 1)
    tally, began = Tally(), time.monotonic()
    bar = (TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*bar, console=Console(stderr=True)) as progress:
        task = progress.add_task("seeds", total=seeds)
        for outcome in outcomes(range(first, first + seeds), processes or os.cpu_count() or 1):
            progress.advance(task)
            if isinstance(outcome, Story):
                tally.add(outcome)
            else:
                seed, what = outcome
                tally.failures.append(seed)
                progress.console.print(f"seed {seed} at {commit_of_program()}: {what}", markup=False, highlight=False)
            over = minutes and time.monotonic() - began > minutes * 60
            if over or len(tally.failures) >= _FAILURES_MAX:
                break
    for line in tally.lines():
        click.echo(line)
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
