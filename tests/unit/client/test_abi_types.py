"""Types in ABIs that come from anywhere."""

from pathlib import Path
from typing import Any

import pytest

from alatau.client.abi import load_abi
from alatau.client.abi_types import canonical_type, type_members
from alatau.client.errors import AbiError


def tuple_of(*components: dict[str, Any], suffix: str = "") -> dict[str, Any]:
    """A struct."""
    return {"name": "s", "type": f"tuple{suffix}", "components": list(components)}


NUMBER = {"name": "n", "type": "uint256"}


@pytest.mark.parametrize(
    "kind",
    [
        "address",
        "bool",
        "string",
        "bytes",
        "bytes1",
        "bytes9",
        "bytes32",
        "uint8",
        "uint",
        "int128",
        "uint256[3][]",
        "function",
    ],
)
def test_types_are_taken_as_they_are(kind: str) -> None:
    """Those of the ABI specification."""
    assert canonical_type({"name": "x", "type": kind}) == kind


def test_structs_are_spelt_out() -> None:
    """Within each other, in arrays."""
    assert canonical_type(tuple_of(NUMBER, tuple_of(NUMBER, suffix="[2]"), suffix="[]")) == "(uint256,(uint256)[2])[]"
    assert type_members("(uint256,(uint256,bool)[2],string)") == ["uint256", "(uint256,bool)[2]", "string"]


def deep(levels: int) -> dict[str, Any]:
    """A struct within a struct within..."""
    item = NUMBER
    for _ in range(levels):
        item = tuple_of(item)
    return item


@pytest.mark.parametrize(
    "item",
    [
        {"name": "x"},
        {"name": "x", "type": 5},
        {"name": "x", "type": "uint7777"},
        {"name": "x", "type": "bytes33"},
        {"name": "x", "type": "uint256[-1]"},
        {"name": "x", "type": "uint256" + "[]" * 9},
        {"name": "x", "type": "uint256[99999999999999999999]"},
        {"name": "x", "type": "(uint256)"},
        {"name": "x", "type": "u" * 100_000},
        tuple_of(),
        {"name": "x", "type": "tuple"},
        {"name": "x", "type": "tuple", "components": "abc"},
        {"name": "x", "type": "tuple", "components": [5]},
        {"name": "x", "type": "tuplefoo", "components": [NUMBER]},
        deep(17),
        {"name": 5, "type": "uint256"},
    ],
)
def test_what_is_no_type_is_refused_in_a_sentence(item: dict[str, Any]) -> None:
    """As an argument, a result, a member of an event; the message is short whatever the type is."""
    for entry in (
        {"type": "function", "name": "f", "inputs": [item], "outputs": []},
        {"type": "event", "name": "E", "inputs": [item]},
        {"type": "constructor", "inputs": [item]},
    ):
        if entry["type"] == "constructor" and item.get("name") == 5:
            continue  # a constructor's arguments have no use for their names
        with pytest.raises(AbiError) as caught:
            load_abi([entry])
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "source", [[5], ["function"], {"abi": "x"}, {"abi": None}, {}, "Token", "[", "{", "\0", "x" * 5_000, [[]]]
)
def test_what_is_no_abi_is_refused(source: Any) -> None:
    """Whatever it is instead; a text that is no JSON is taken for a file's path."""
    with pytest.raises((AbiError, OSError)):
        load_abi(source)


def test_source_is_told_from_its_abi(tmp_path: Path) -> None:
    """Given as a path or as a path's text."""
    file = tmp_path / "Token.vy"
    file.write_text("# pragma version 0.4.3\n")
    for source in (file, str(file)):
        with pytest.raises(AbiError, match=r"Token\.vy is a contract's source"):
            load_abi(source)
