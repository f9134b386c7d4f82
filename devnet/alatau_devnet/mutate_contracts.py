"""Break every contract, one small change at a time, and demand that a test notices: ``make mutate``.

A mutant is one file of contracts/ with one change (``mutation/vyper_mutants.py``), compiled once and deployed by the
tests in the contract's place. Only tests whose calls ran the changed function judge it, in the order in which they are
likely to notice (``mutation/trial.py``). A module is tried in each contract that imports it, until a test notices.

Verdicts and compiled mutants are kept in build/, so that a run goes on where it was stopped. Survivors that cannot be
told from the contract stand in tests/contracts/mutants_explained.toml with the reason; any other makes the exit code 1.
"""

import sys
from pathlib import PurePosixPath
from typing import Any, Final

import click

from alatau_devnet.mutation.campaign import ROOT, Campaign, Lot, Options, run, with_options
from alatau_devnet.mutation.contracts import Contracts
from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.vyper_mutants import vyper_mutants

_SOURCES: Final = ROOT / "contracts"
EXPLAINED: Final = ROOT / "tests" / "contracts" / "mutants_explained.toml"
"""Names of mutants that cannot be told from the contract, with the reasons."""

_TESTS: Final = ("tests/contracts",)
_LEFT_OUT: Final = ("test_channels_through_a_node.py", "test_registries_through_a_node.py")
"""They run on the node's EVM, and what they reach there is not seen."""


def mutants_in(only: str | None) -> list[Mutant]:
    """The mutants of all contracts and modules; of files that match ``only``, if given."""
    files = sorted(path.relative_to(_SOURCES) for path in _SOURCES.rglob("*.vy"))
    return [
        mutant
        for file in files
        if "mocks" not in file.parts and _is_wanted(PurePosixPath(file.as_posix()), only)
        for mutant in vyper_mutants(file.as_posix(), (_SOURCES / file).read_text())
    ]


def _is_wanted(file: PurePosixPath, only: str | None) -> bool:
    return only is None or any(file.match(each) or file.stem == each for each in only.split(","))


@click.command()
@click.option("--only", default=None, help="Names or patterns below contracts/, as Council or lib/*.vy, with commas.")
@with_options
def main(only: str | None, **given: Any) -> None:
    """Break the contracts and see whether a test notices."""
    mutants = mutants_in(only)
    if not mutants:
        raise click.ClickException(f"no file below {_SOURCES} is called {only}")
    build = ROOT / "build"
    campaign = Campaign(
        Contracts(_SOURCES, build / "contract_mutants"),
        "contracts",
        EXPLAINED,
        build / "contract_mutants.json",
        build / "contract_mutants_reach.json",
        _LEFT_OUT,
    )
    sys.exit(run(campaign, [Lot(_TESTS, mutants)], Options(**given)))


if __name__ == "__main__":
    main()
