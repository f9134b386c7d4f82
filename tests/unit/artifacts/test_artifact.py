"""Compiled contracts: found, cached, and rebuilt when a source changes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode

from alatau.artifacts import artifact, compiler
from alatau.artifacts.addresses import RESERVE_COUNCIL
from alatau.artifacts.artifact import SOURCES, UnknownContractError, abi_type, compile_source, load, sources_root

CODE_SIZE_MAX = 24_576
"""EIP-170."""


def immutable_size(places: dict[str, Any]) -> int:
    """Bytes that the constructor appends to the code: immutables, by module."""
    if "length" in places and "offset" in places:
        return int(places["length"])
    return sum(immutable_size(inner) for inner in places.values())


@pytest.mark.parametrize("name", SOURCES)
def test_every_contract_compiles_and_fits(name: str) -> None:
    """Each deployable contract has code within the limit, its immutables included, an ABI and a layout."""
    found = load(name)
    assert 0 < len(found.runtime) + immutable_size(found.layout.get("code_layout", {})) <= CODE_SIZE_MAX
    assert found.runtime in found.initcode
    assert found.abi
    assert found.layout.keys() & {"storage_layout", "code_layout"}


def test_a_release_has_interfaces_and_addresses_as_files(tmp_path: Path) -> None:
    """ABI and storage layout of each contract, and which of them stands where from genesis on."""
    done = subprocess.run(
        [sys.executable, "-m", "alatau.artifacts", "--interfaces", str(tmp_path)], check=False, timeout=300
    )
    assert done.returncode == 0
    assert {path.stem for path in tmp_path.iterdir()} == {*SOURCES, "addresses"}
    stand = json.loads((tmp_path / "addresses.json").read_text())
    assert stand["ReserveCouncil"] == {"contract": "Council", "address": f"0x{RESERVE_COUNCIL.hex()}"}
    for name in SOURCES:
        interface = json.loads((tmp_path / f"{name}.json").read_text())
        assert (interface["abi"], interface["storage_layout"]) == (load(name).abi, load(name).layout)


def test_unknown_contract_lists_the_known() -> None:
    """A typing error is answered with the names that there are."""
    with pytest.raises(UnknownContractError, match="there are Council, ValidatorRegistry"):
        load("Counsel")


def test_creation_appends_the_arguments() -> None:
    """Structs are tuples, addresses bytes."""
    council = load("Council")
    members = [b"\x01" * 20, b"\x02" * 20]
    code = council.creation("Board", members, 2, b"\x03" * 20, 60, 2_592_000, b"\x04" * 20)
    types = ["string", "address[]", "uint256", "address", "uint256", "uint256", "address"]
    name, found, threshold, _, delay, _, _ = decode(types, code[len(council.initcode) :])
    assert (name, [bytes.fromhex(m[2:]) for m in found], threshold, delay) == ("Board", members, 2, 60)


def test_tuple_types_are_spelled_out() -> None:
    """Nested structs and arrays of them."""
    inner = {"type": "tuple", "components": [{"type": "bool"}]}
    outer = {"type": "tuple[]", "components": [{"type": "address"}, inner]}
    assert abi_type(outer) == "(address,(bool))[]"


def test_own_source_may_import_ours(tmp_path: Path) -> None:
    """A developer's contract outside the repository uses our modules."""
    source = tmp_path / "Mine.vy"
    source.write_text(
        "from interfaces import ICouncil\n\n@external\n@view\ndef version(c: ICouncil) -> uint256:\n"
        "    return staticcall c.policy_version()\n"
    )
    assert [entry["name"] for entry in compile_source(source).abi] == ["version"]


def test_bad_source_is_the_authors_error(tmp_path: Path) -> None:
    """The compiler's message comes through, with the file's name."""
    source = tmp_path / "Bad.vy"
    source.write_text("@external\ndef f() -> uint256:\n    return nothing\n")
    with pytest.raises(compiler.CompilationError, match=r"Bad\.vy"):
        compile_source(source)


def test_hash_follows_every_source(tmp_path: Path) -> None:
    """A change anywhere makes other artifacts; mocks make none."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "mocks").mkdir()
    (tmp_path / "lib" / "a.vy").write_text("x: uint256\n")
    first = compiler.sources_hash(tmp_path)
    (tmp_path / "mocks" / "M.vy").write_text("y: uint256\n")
    assert compiler.sources_hash(tmp_path) == first
    (tmp_path / "lib" / "a.vy").write_text("x: uint128\n")
    assert compiler.sources_hash(tmp_path) != first


def test_installed_package_reads_what_was_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sources the JSON of the wheel is used, and no compiler runs."""
    council = load("Council")
    shipped = {"abi": council.abi, "initcode": "0x6001", "runtime": "0x01", "layout": {}}
    (tmp_path / "Council.json").write_text(json.dumps(shipped))
    monkeypatch.setattr(artifact, "sources_root", lambda: None)
    monkeypatch.setattr(artifact, "_PACKAGED", tmp_path)
    artifact._load.cache_clear()
    try:
        assert load("Council").initcode == b"\x60\x01"
    finally:
        artifact._load.cache_clear()


def test_build_step_writes_code_and_sources(tmp_path: Path) -> None:
    """The wheel has what a node runs and what a developer imports."""
    artifact.write_compiled(["Council"], tmp_path)
    written = json.loads((tmp_path / "Council.json").read_text())
    assert bytes.fromhex(written["runtime"][2:]) == load("Council").runtime
    assert (tmp_path / "sources" / "interfaces" / "ICouncil.vyi").is_file()
    assert not (tmp_path / "sources" / "mocks").exists()


def test_sources_say_who_can_stop_what() -> None:
    """Every deployable contract's docstring has that paragraph, and the compiler's version is pinned."""
    root = sources_root()
    assert root is not None
    for name, path in SOURCES.items():
        text = (root / path).read_text()
        assert text.startswith("# pragma version ~=0.4.3\n# pragma nonreentrancy on\n"), name
        assert "Who can stop what:" in text.split('"""')[1], name
