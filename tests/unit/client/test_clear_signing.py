"""ERC-7730 descriptors against the compiled contracts and the signed types: nothing is left out or shown wrongly."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import SOURCES, load, sources_root
from alatau.channels import messages
from alatau.client.clear_signing import call_descriptor, changing, messages_of, typed_data_descriptor, words
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
    assert set(formats) == decided | {encoded.partition("(")[0] for encoded in messages_of(artifact)}
    for schema in where["schemas"]:
        shown = formats[schema["primaryType"]]
        leaves = list(struct_leaves(schema["types"], schema["primaryType"]))
        assert [field["path"] for field in shown["fields"]] == [path for path, _ in leaves] == shown["required"]
        for field, (_, kind) in zip(shown["fields"], leaves, strict=True):
            check_field(field, kind)


@pytest.mark.parametrize("contract", [name for name in GENESIS_CONTRACTS if name != "SignatureVerifier"])
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


NOT_FOR_WALLETS = {"EIP712Domain", "Terms", "Vote", "Proposal"}
"""Parts of other types, and what nodes sign."""


def text_with_modules(path: Path) -> str:
    """A source, and every module that it imports, by whatever way."""
    seen: dict[Path, str] = {}
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen[current] = current.read_text()
            for dots, package, name in re.findall(r"^from (\.+)(\w*) import (\w+)", seen[current], re.MULTILINE):
                folder = current.parent if dots == "." else current.parent.parent
                module = (folder / package if package else folder) / f"{name}.vy"
                waiting += [module] if module.is_file() else []
    return "\n".join(seen.values())


def known_messages(artifact: str) -> set[str]:
    """Names of all that wallets are told of."""
    decided = choices(artifact).values() if artifact in DECISION_TYPES else ()
    return {choice.type.struct.name for choice in decided} | {t.partition("(")[0] for t in messages_of(artifact)}


@pytest.mark.parametrize("artifact", dict.fromkeys(artifact for artifact, _ in GENESIS_CONTRACTS.values()))
def test_no_typed_message_of_the_sources_is_forgotten(artifact: str) -> None:
    """What a contract hashes as a struct is a decision or is listed."""
    root = sources_root()
    assert root is not None
    declared = set(re.findall(r'"(\w+)\([a-z][^"]* \w+[^"]*\)', text_with_modules(root / SOURCES[artifact])))
    declared -= NOT_FOR_WALLETS
    known = known_messages(artifact)
    if artifact == "Council":
        known |= {"ReplaceBody"}  # a council is its own body
    if artifact in ("OfflineBonds", "SignatureVerifier"):
        known |= known_messages("CityChannels")  # vouchers are signed in that domain
    assert declared <= known, declared - known
    assert (declared == set()) == (artifact == "DayBook")


def test_messages_are_spelt_as_they_are_signed() -> None:
    """To the letter: each encoded type is in a source, or in the package that wallets and hubs sign with."""
    root = sources_root()
    assert root is not None
    package = "".join(path.read_text() for path in Path(messages.__file__).parent.glob("*.py"))
    text = "".join(path.read_text() for path in root.rglob("*.vy")) + package
    spelt = [encoded for artifact in SOURCES for encoded in messages_of(artifact)]
    assert len(spelt) > 15
    assert [encoded for encoded in spelt if encoded not in text] == []


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
