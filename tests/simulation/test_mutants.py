"""The mutants that ``make mutate-consensus`` makes, and how it judges them."""

from alatau_devnet.mutate_consensus import compiles, explained, mutants_of

_SOURCE = '''
from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """A state."""


def signs(vote, last, keeper):
    """Whether to sign."""
    if vote.round < last.round or not keeper.fits(vote):
        raise ValueError("älter")
    check_signature(vote)
    return vote.round + 2
'''


def test_every_kind_of_change_is_made() -> None:
    """Each is one change of one place, with its line and function; decorators are no decisions."""
    mutants = list(mutants_of("consensus/a.py", _SOURCE))
    whole = "vote.round < last.round or not keeper.fits(vote)"
    assert {mutant.change for mutant in mutants} == {
        "vote.round < last.round -> vote.round <= last.round",
        f"{whole} -> vote.round < last.round and (not keeper.fits(vote))",
        f"{whole} -> not keeper.fits(vote)",
        f"{whole} -> vote.round < last.round",
        "not keeper.fits(vote) -> keeper.fits(vote)",
        f"never: if {whole}",
        "without check_signature(vote)",
        "vote.round + 2 -> vote.round - 2",
        "2 -> 3",
    }
    assert all(compiles(mutant) for mutant in mutants)
    assert {mutant.function for mutant in mutants} == {"signs"}
    gone = next(mutant for mutant in mutants if mutant.change.startswith("without"))
    assert gone.line == 14
    assert gone.source == _SOURCE.replace("check_signature(vote)", "pass")


def test_every_explained_mutant_has_a_reason() -> None:
    """A name alone explains nothing."""
    assert [name for name, reason in explained().items() if len(reason) < 20] == []
