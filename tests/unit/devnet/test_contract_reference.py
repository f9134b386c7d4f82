"""The pages of reference say what the contracts are now."""

from pathlib import Path

import pytest

from alatau.artifacts.artifact import SOURCES, load
from alatau_devnet.contract_reference import FOLDER, file_of, page
from alatau_devnet.contract_sources import natspec, program, unexplained


@pytest.mark.parametrize("name", SOURCES)
def test_a_page_is_what_the_sources_say(name: str) -> None:
    """A function, a reason or a line of NatSpec that changes is seen; `make contract-pages` writes the page anew."""
    assert file_of(name).read_text() == page(name)


def test_every_contract_has_a_page_and_every_page_a_contract() -> None:
    """A contract that is gone leaves none behind, and the list of pages names each."""
    nav = (Path(__file__).parents[3] / "mkdocs.yml").read_text()
    assert sorted(FOLDER.glob("*.md")) == sorted(file_of(name) for name in SOURCES)
    assert [name for name in SOURCES if f"contracts/reference/{file_of(name).name}" not in nav] == []


@pytest.mark.parametrize("name", SOURCES)
def test_every_function_of_the_abi_is_on_its_page(name: str) -> None:
    """Written ones by a section, getters of the state by a line."""
    text = file_of(name).read_text()
    functions = {entry["name"] for entry in load(name).abi if entry["type"] == "function"}
    state = text.partition("## State that anyone reads")[2].partition("## Events")[0]
    assert [one for one in sorted(functions) if f"### `{one}(" not in text and f"| `{one}` |" not in state] == []


def test_reasons_are_collected_along_the_calls() -> None:
    """What a function of a module refuses is among what its caller refuses, and nothing of another function's."""
    channels = program("CityChannels")
    (submit,) = channels.of("submit")
    reasons = {reason for one in channels.reached(submit) for reason in one.reasons}
    assert "locks: expires after the window" in reasons
    assert "channels: known already" not in reasons


def test_a_docstring_falls_apart_into_its_tags() -> None:
    """Lines that belong to one tag become one; a docstring without tags is a notice."""
    text = "\n  @notice Pay\n     somebody.\n  @param to Whom.\n  @param amount Cents.\n  @return Whether.\n  "
    assert natspec(text) == {
        "notice": ["Pay somebody."],
        "param": ["to Whom.", "amount Cents."],
        "return": ["Whether."],
    }
    assert natspec("Just this.") == {"notice": ["Just this."]}


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - {"ParticipantRegistry", "SettlementToken"}))
def test_every_parameter_is_explained(name: str) -> None:
    """By an ``@param`` in the source."""
    assert unexplained(name) == []
