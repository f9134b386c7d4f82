"""ERC-7730 descriptors against the compiled contracts and the signed types: nothing is left out or shown wrongly."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import SOURCES, load, sources_root
from alatau.client.clear_signing import MESSAGES, call_descriptor, changing, typed_data_descriptor, words
from alatau.client.decision_types import DECISION_TYPES, choices
from alatau.crypto.keccak import keccak256

FORMATS = {
    "raw": None,
    "addressName": "address",
    "date": "uint256",
    "duration": "uint256",
    "unit": "uint256",
    "enum": "uint256",
    "tokenAmount": "uint256",
}
"""Format -> the type that it shows; any for raw."""


def check_field(field: dict[str, Any], kind: str) -> None:
    """A field has a label in words and a format that shows its type."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9' ]+", field["label"]), field
    wanted = FORMATS[field["format"]]
    if wanted is not None:
        assert kind.removesuffix("[]") == wanted, field
    assert (field["format"] in ("unit", "enum", "date", "tokenAmount")) == ("params" in field), field


def struct_leaves(types: dict[str, list[dict[str, str]]], name: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(path, type) of every leaf of a struct."""
    for member in types[name]:
        path = prefix + member["name"]
        if member["type"] in types:
            yield from struct_leaves(types, member["type"], path + ".")
        else:
            yield (path + ".[]" if member["type"].endswith("[]") else path), member["type"]


def input_leaves(entry: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(path, type) of every leaf of a parameter."""
    path = prefix + entry["name"] + (".[]" if entry["type"].endswith("]") else "")
    if entry["type"].startswith("tuple"):
        for component in entry["components"]:
            yield from input_leaves(component, path + ".")
    else:
        yield path, entry["type"].partition("[")[0]


@pytest.mark.parametrize("contract", GENESIS_CONTRACTS)
def test_every_typed_message_is_shown_whole(contract: str) -> None:
    """Each leaf once, in the order in which it is signed, all of them required."""
    descriptor = typed_data_descriptor(contract, 7773)
    where = descriptor["context"]["eip712"]
    formats = descriptor["display"]["formats"]
    artifact, address = GENESIS_CONTRACTS[contract]
    assert where["deployments"] == [{"chainId": 7773, "address": "0x" + address.hex()}]
    assert {schema["primaryType"] for schema in where["schemas"]} == set(formats)
    decided = (
        {choice.type.struct.name for choice in choices(artifact).values()} if artifact in DECISION_TYPES else set()
    )
    assert set(formats) == decided | {encoded.partition("(")[0] for encoded in MESSAGES.get(artifact, ())}
    for schema in where["schemas"]:
        shown = formats[schema["primaryType"]]
        leaves = list(struct_leaves(schema["types"], schema["primaryType"]))
        assert [field["path"] for field in shown["fields"]] == [path for path, _ in leaves] == shown["required"]
        for field, (_, kind) in zip(shown["fields"], leaves, strict=True):
            check_field(field, kind)


@pytest.mark.parametrize("contract", GENESIS_CONTRACTS)
def test_every_call_is_shown_whole(contract: str) -> None:
    """Each function that changes something, by its selector, with every leaf of its parameters."""
    abi = load(GENESIS_CONTRACTS[contract][0]).abi
    formats = call_descriptor(contract, 7773)["display"]["formats"]
    functions = changing(abi)
    assert len(formats) == len(functions) > 0
    for (signature, shown), entry in zip(formats.items(), functions, strict=True):
        types = re.sub(r" \w+(?=[,)])", "", signature)
        wanted = f"{entry['name']}({','.join(_canonical(i) for i in entry['inputs'])})"
        assert keccak256(types.encode())[:4] == keccak256(wanted.encode())[:4]
        leaves = [leaf for i in entry["inputs"] for leaf in input_leaves(i)]
        assert [field["path"] for field in shown["fields"]] == [path for path, _ in leaves]
        for field, (_, kind) in zip(shown["fields"], leaves, strict=True):
            check_field(field, kind)


def test_no_typed_message_of_the_sources_is_forgotten() -> None:
    """What a contract of the reserve hashes as a struct is a decision or is listed; Terms and domains are parts."""
    root = sources_root()
    assert root is not None
    for artifact in ("ReserveVault", "PositionLedger", "SettlementToken"):
        folder = (root / SOURCES[artifact]).parent
        text = "\n".join(path.read_text() for path in sorted(folder.glob("*.vy")))
        declared = set(re.findall(r'"(\w+)\([a-z][^"]* \w+[^"]*\)', text))
        known = {
            name
            for contract in SOURCES
            if contract in DECISION_TYPES and (root / SOURCES[contract]).parent == folder
            for name in (
                *(choice.type.struct.name for choice in choices(contract).values()),
                *(encoded.partition("(")[0] for encoded in MESSAGES.get(contract, ())),
            )
        }
        assert declared <= known, declared - known
        assert declared


def test_provenance_is_an_enum_and_amounts_have_their_token() -> None:
    """A wallet shows the word and the token's decimals."""
    descriptor = typed_data_descriptor("ReserveVault", 7773)
    fields = {field["path"]: field for field in descriptor["display"]["formats"]["Release"]["fields"]}
    assert descriptor["metadata"]["enums"]["Release.provenance"]["8"] == "national fund"
    assert fields["provenance"]["format"] == "enum"
    assert fields["amount"]["params"] == {"tokenPath": "asset"}
    assert fields["terms.expires"]["params"] == {"encoding": "timestamp"}
    assert words("legalBasisHash") == words("legal_basis_hash") == "Legal basis hash"


def _canonical(entry: dict[str, Any]) -> str:
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return f"({','.join(map(_canonical, entry['components']))}){entry['type'].removeprefix('tuple')}"
