"""Deploying and calling through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts.artifact import compile_source
from tests.support.served_network import Network
from tests.support.solo_node import RESIDENT
from tests.unit.cli.command_line import Alatau

COUNTER = Path(__file__).parents[3] / "docs" / "examples" / "Counter.vy"


def _forms() -> dict[str, Any]:
    compiled = compile_source(COUNTER)
    code = compiled.initcode.hex()
    return {
        "ours": {"abi": compiled.abi, "initcode": "0x" + code, "runtime": "0x"},
        "vyper combined_json": {"Counter.vy": {"abi": compiled.abi, "bytecode": "0x" + code}},
        "Hardhat": {"contractName": "Counter", "abi": compiled.abi, "bytecode": "0x" + code},
        "Foundry": {"abi": compiled.abi, "bytecode": {"object": "0x" + code, "linkReferences": {}}},
        "solc": {"abi": compiled.abi, "bin": code},
    }


@pytest.fixture(scope="module")
def forms() -> dict[str, Any]:
    """The same contract as compilers give it."""
    return _forms()


@pytest.mark.parametrize("form", ["ours", "vyper combined_json", "Hardhat", "Foundry", "solc"])
def test_a_compilers_output_is_deployed(
    alatau: Alatau, network: Network, tmp_path: Path, forms: dict[str, Any], form: str
) -> None:
    """With its constructor's arguments; its ABI is written beside it, and the contract answers."""
    file = tmp_path / "Counter.json"
    file.write_text(json.dumps(forms[form]))
    made = alatau("deploy", file, 5, *network.sender(RESIDENT), *network.at, "--json")
    assert made.code == 0, made.err
    assert made.json()["abi"] == str(tmp_path / "Counter.abi.json")
    called = alatau("call", made.json()["contract"], "total", "--abi", made.json()["abi"], *network.at, "--json")
    assert called.json() == {"result": 5}


def test_code_in_hexadecimal_is_deployed(
    alatau: Alatau, network: Network, tmp_path: Path, forms: dict[str, Any]
) -> None:
    """What its constructor takes is only known with an ABI."""
    code, abi = tmp_path / "counter.hex", tmp_path / "abi.json"
    code.write_text(forms["solc"]["bin"] + "\n")
    abi.write_text(json.dumps(forms["solc"]["abi"]))
    options = (*network.sender(RESIDENT), *network.at)
    without = alatau("deploy", code, 5, *options)
    assert (without.code, "give --abi" in without.err) == (2, True)
    made = alatau("deploy", code, 7, "--abi", abi, *options, "--json")
    assert made.code == 0, made.err
    called = alatau("call", made.json()["contract"], "total", "--abi", abi, *network.at, "--json")
    assert called.json() == {"result": 7}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.json", "[]", "no output of one contract"),
        ("c.json", '{"abi": []}', "has no code"),
        ("c.json", '{"abi": [], "bytecode": "0x"}', "an interface or an abstract contract"),
        ("c.json", '{"abi": [], "bytecode": "0x60__$a$__"}', "libraries must be linked first"),
        ("c.hex", "0x123", "an odd number of digits"),
        ("c.hex", "pragma version 0.4.3", "no hexadecimal text"),
        ("c.bin", "\u0416", "neither Vyper source"),
    ],
)
def test_what_is_no_contract_is_refused(alatau: Alatau, tmp_path: Path, name: str, content: str, message: str) -> None:
    """Before a password is asked or a node is dialled."""
    file, keystore = tmp_path / name, tmp_path / "k.json"
    file.write_text(content)
    keystore.write_text("{}")
    outcome = alatau("deploy", file, "--from", keystore, "--node", "127.0.0.1:1", "--ca", keystore)
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err
