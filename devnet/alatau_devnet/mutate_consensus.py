"""Break the parts that decide, one small change at a time, and demand that a test notices: ``make mutate-consensus``.

A mutant is one file of consensus/, engine/ or the deciding parts of chain/ and storage/ with one change: a comparison
or boolean operator turned, a condition taken out, a guard that returns or raises removed, a check not called, a
constant one off (``mutation/mutants.py``). ``mutation/trial.py`` says how they are judged.

Verdicts are kept in build/mutants.json, so that a run goes on where it was stopped (``mutation/campaign.py``).
Survivors that cannot be told from the program stand, with the reason, in tests/mutants_explained.toml; any other makes
the exit code 1.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from alatau_devnet.mutation.campaign import ROOT, Campaign, Lot, Options, run, with_options
from alatau_devnet.mutation.mutants import Mutant, compiles, mutants_of
from alatau_devnet.mutation.python_modules import PythonModules

_SOURCES: Final = ROOT / "node" / "alatau"
EXPLAINED: Final = ROOT / "tests" / "mutants_explained.toml"
"""Names of mutants that cannot be told from the program, with the reasons."""


@dataclass(frozen=True, slots=True)
class Part:
    """Files that decide, and the tests that judge their mutants."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


PARTS: Final = (
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

LEFT_OUT: Final = (
    "test_campaign.py::test_stories_are_deep",
    "test_campaign.py::test_a_seed_tells",
    *(f"test_networks_survive_their_faults[{first}]" for first in range(12, 60, 6)),
    "test_checkers.py",
    *(
        f"test_model.py::test_{fault}_is_found"
        for fault in (
            "a_quorum_of_half",
            "a_block_that_nobody_judged",
            "unlocking_without_a_polka",
            "a_polka_of_the_wrong_round",
            "accusing_a_correct_validator",
        )
    ),
    "test_every_state_of_one_round_keeps_the_rules[cast0",
    "test_every_state_of_one_round_keeps_the_rules[cast1",
)
"""Parts of names: tests of the simulation and the model themselves, and all but the quickest of what they explore."""


def files_of(part: Part) -> list[str]:
    """The files of a part, below node/alatau."""
    return sorted({str(file.relative_to(_SOURCES)) for pattern in part.files for file in _SOURCES.glob(pattern)})


def mutants_in(part: Part, only: str | None) -> list[Mutant]:
    """The mutants of a part; of files that match ``only``, if given."""
    return [
        mutant
        for file in files_of(part)
        if only is None or Path(file).match(only)
        for mutant in mutants_of(file, (_SOURCES / file).read_text())
        if compiles(mutant)
    ]


@click.command()
@click.option("--only", default=None, help="One file or pattern below node/alatau, as consensus/driver.py.")
@with_options
def main(only: str | None, **given: Any) -> None:
    """Break the parts that decide and see whether a test notices."""
    lots = [Lot(part.tests, mutants) for part in PARTS if (mutants := mutants_in(part, only))]
    if not lots:
        raise click.ClickException(f"no file below {_SOURCES} is called {only}")
    build = ROOT / "build"
    campaign = Campaign(
        PythonModules(_SOURCES, (file for part in PARTS for file in files_of(part))),
        "node/alatau",
        EXPLAINED,
        build / "mutants.json",
        build / "mutants_reach.json",
        LEFT_OUT,
    )
    sys.exit(run(campaign, lots, Options(**given)))


if __name__ == "__main__":
    main()
