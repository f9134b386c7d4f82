"""The mutants that ``make mutate-consensus`` makes, and how it judges them."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from alatau_devnet.mutate_consensus import EXPLAINED, LEFT_OUT, PARTS
from alatau_devnet.mutation.campaign import explained
from alatau_devnet.mutation.mutants import compiles, mutants_of
from alatau_devnet.mutation.patch import apply, changed_function, functions_by_place
from alatau_devnet.mutation.python_modules import PythonModules
from alatau_devnet.mutation.reach import Reach
from alatau_devnet.mutation.trial import Trial, _pairs

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
    assert {mutant.source.count("\n") for mutant in mutants} == {_SOURCE.count("\n")}


def test_every_explained_mutant_has_a_reason() -> None:
    """A name alone explains nothing."""
    assert [name for name, reason in explained(EXPLAINED).items() if len(reason) < 20] == []


_MODULE = """
LIMIT = 4


class Counter:
    def __init__(self, step=1):
        self.step = step

    def adds(self, value):
        return [each + self.step for each in value if each < LIMIT]


def total(values):
    return sum(Counter().adds(values))
"""


@pytest.mark.parametrize(
    ("old", "new", "result", "place"),
    [
        ("each < LIMIT", "each <= LIMIT", 4 + 5, "Counter.adds"),
        ("LIMIT = 4", "LIMIT = 3", 0, None),
        ("step=1", "step=2", 3 + 2, None),
        ("sum(", "len(", 1, "total"),
    ],
)
def test_a_mutant_takes_the_place_of_a_module_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, result: int, place: str | None
) -> None:
    """Whoever holds the module's functions runs the mutant, whether code, a constant or a default value changed."""
    file = tmp_path / "alatau_mutated.py"
    file.write_text(_MODULE)
    spec = spec_from_file_location("alatau_mutated", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "alatau_mutated", module)
    spec.loader.exec_module(module)
    total = module.total
    assert total([3, 4]) == 4
    mutated = _MODULE.replace(old, new)
    changed = changed_function(str(file), _MODULE, mutated)
    assert (changed[1] if changed else None) == place
    assert apply(module, _MODULE, mutated, functions_by_place(str(file)))
    assert total([3, 4]) == result


_CALLED = """
from functools import cache

double = lambda value: 2 * value


class Shelf:
    \"\"\"A shelf.\"\"\"

    @property
    def height(self):
        \"\"\"Of the shelf.\"\"\"
        return 3

    def each(self):
        for value in (1, 2):
            yield value

    def unused(self):
        return 0


@cache
def sums(shelf):
    def once():
        return sum(shelf.each())

    return double(once())


async def waits(shelf):
    return shelf.height
"""


def test_functions_note_that_they_are_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods, generators, coroutines, lambdas and what is nested, by the names that mutants go by."""
    file = tmp_path / "alatau_called.py"
    file.write_text(_CALLED)
    spec = spec_from_file_location("alatau_called", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "alatau_called", module)
    spec.loader.exec_module(module)
    reach, sums, shelf = Reach(), module.sums, module.Shelf()
    reach.instrument({file: "alatau_called", tmp_path / "other.py": "alatau_other"}, functions_by_place(str(file)))
    assert list(reach.seen()) == []
    assert sums(shelf) == 6
    called = {"Shelf.each", "sums", "sums.<locals>.once", "<lambda>"}
    assert set(reach.seen()) == {(str(file), name) for name in called}
    reach.begin_anew()
    with pytest.raises(StopIteration, match="3"):
        module.waits(shelf).send(None)
    assert set(reach.seen()) == {(str(file), name) for name in ("waits", "Shelf.height")}
    assert module.Shelf.height.__doc__ == "Of the shelf."


def test_every_explained_mutant_exists() -> None:
    """An explanation of what is not there any more would hide its successor."""
    files = {name.split()[0] for name in explained(EXPLAINED)}
    sources = Path(__file__).parents[3] / "node" / "alatau"
    made = {mutant.name for file in files for mutant in mutants_of(file, (sources / file).read_text())}
    assert sorted(explained(EXPLAINED).keys() - made) == []


def test_only_tests_of_the_simulation_itself_are_left_out() -> None:
    """A part of a name that fits too much takes judges away, and their mutants look alive."""
    root, left_out = Path(__file__).parents[3], []
    for folder in {folder for part in PARTS for folder in part.tests}:
        for file in (root / folder).rglob("test_*.py"):
            names = re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
            left_out += [file.name for name in names if any(part in f"{file.name}::{name}" for part in LEFT_OUT)]
    assert set(left_out) == {"test_campaign.py", "test_checkers.py", "test_model.py"}


def test_pytest_can_look_a_trial_up() -> None:
    """It asks for plugins by hash where tests have a conftest of their own; chain/ was never judged for want of one."""
    subject = PythonModules(Path(), ())
    trials = {Trial(subject, [], (), 1.0, Path(), lambda _mutant, _verdict: True) for _ in range(2)}
    assert len(trials) == 2


def test_a_mutant_that_no_test_reaches_is_tried_with_none(request: pytest.FixtureRequest) -> None:
    """It is alive then; an exception in its child would count as noticed."""
    item = request.node
    assert isinstance(item, pytest.Item)
    assert list(_pairs([])) == []
    assert list(_pairs([item, item])) == [(item, item), (item, None)]
