"""Simulate networks of consensus cores under random faults: ``make simulate SEEDS=n``.

Each seed is a network of one to seven validators that lives through loss, delay, duplication, partitions, power
failures at any effect, slow disks, skewed clocks and liars, and must then recover. What must hold is judged from
outside by ``tests/simulation/checkers.py``. A seed that fails is printed with the commit of the program and fails
again with ``--seed``.
"""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "node"), str(_ROOT / "devnet")]

from tests.simulation.campaign import Story, simulate  # noqa: E402  found through the path above

_FAILURES_MAX = 20
"""A broken rule fails often; the first few say enough."""


@dataclass(slots=True)
class Tally:
    """What a campaign has seen so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    blocks: int = 0
    evidence: int = 0
    slowest_ms: float = 0.0
    failures: list[int] = field(default_factory=list)

    def add(self, story: Story) -> None:
        """Count a seed that went well."""
        self.kinds[f"{story.validators} validators, {story.faulty}"] += 1
        self.blocks += story.heights
        self.evidence += story.evidence
        self.slowest_ms = max(self.slowest_ms, story.recovery_ms)


def commit_of_program() -> str:
    """Which version a failing seed belongs to."""
    found = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def replay(seed: int) -> bool:
    """Tell one seed's story, line by line."""
    transcript: list[str] = []
    try:
        story = simulate(seed, transcript)
    except AssertionError as violation:
        print("\n".join(transcript))
        print(f"seed {seed} at {commit_of_program()}: {violation}")
        return False
    print("\n".join(transcript))
    print(story)
    return True


@click.command()
@click.option("--seeds", default=1_000, show_default=True, help="How many seeds to run.")
@click.option("--first", default=0, show_default=True, help="The first of them.")
@click.option("--minutes", default=0.0, help="Stop after this long; 0 runs all seeds.")
@click.option("--seed", "single", type=int, default=None, help="Replay this one and print what happened.")
def main(seeds: int, first: int, minutes: float, single: int | None) -> None:
    """Run many random networks of consensus cores and check what must hold."""
    if single is not None:
        sys.exit(0 if replay(single) else 1)
    tally, began, done = Tally(), time.monotonic(), 0
    with click.progressbar(range(first, first + seeds), label="seeds", show_pos=True) as numbers:
        for seed in numbers:
            if (minutes and time.monotonic() - began > minutes * 60) or len(tally.failures) >= _FAILURES_MAX:
                break
            done += 1
            try:
                tally.add(simulate(seed))
            except AssertionError as violation:
                tally.failures.append(seed)
                click.echo(f"\nseed {seed} at {commit_of_program()}: {violation or type(violation).__name__}")
    elapsed = time.monotonic() - began
    click.echo(f"{done} seeds in {elapsed:.0f} s: {tally.blocks} blocks, {tally.evidence} equivocations proven")
    for kind, count in sorted(tally.kinds.items()):
        click.echo(f"  {kind:28} {count:6}")
    click.echo(
        f"slowest recovery {tally.slowest_ms:.0f} ms of simulated time; failing seeds: {tally.failures or 'none'}"
    )
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
