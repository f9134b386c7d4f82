"""Validators through the command line."""

from pathlib import Path

import pytest

from tests.support.served_network import MEMBERS, Network
from tests.support.solo_node import RESIDENT, VALIDATOR, node_identity
from tests.unit.cli.command_line import Alatau

NEW = {
    "--operator": "0x" + "41" * 20,
    "--voting-key": "0x" + "42" * 20,
    "--tls-key-hash": "0x" + "43" * 32,
    "--endpoint": "10.0.0.7:7001",
    "--power": "3",
    "--name": "Ministry of Justice",
}


def decide(alatau: Alatau, network: Network, file: Path) -> None:
    """Signed by two, approved, executed."""
    for member in MEMBERS[:2]:
        signed = alatau("council", "sign", file, "--yes", *network.sender(member))
        assert signed.code == 0, signed.err
    approved = alatau("council", "approve", file, *network.sender(RESIDENT), *network.at)
    assert approved.code == 0, approved.err
    for _ in range(3):
        network.commit_block()
    executed = alatau("council", "execute", file, *network.sender(RESIDENT), *network.at)
    assert executed.code == 0, executed.err


def test_a_validator_comes_gets_new_keys_and_goes(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """Each by a file that the council signs; what does not change is taken from the registry, and shown."""
    options = (*network.sender(MEMBERS[0]), *network.at)
    added = alatau(
        "validator", "add", *(word for pair in NEW.items() for word in pair), "-o", tmp_path / "add.json", *options
    )
    assert added.code == 0, added.err
    assert "admit validator" in added.err
    decide(alatau, network, tmp_path / "add.json")
    rows = {row["name"]: row for row in alatau("validator", "list", *network.at, "--json").json()}
    assert (rows["Ministry of Justice"]["power"], rows["Ministry of Justice"]["suspended"]) == (3, False)

    rotated = alatau(
        "validator",
        "rotate",
        "Ministry of Justice",
        "--voting-key",
        "0x" + "52" * 20,
        "-o",
        tmp_path / "r.json",
        *options,
    )
    assert rotated.code == 0, rotated.err
    assert NEW["--tls-key-hash"] in rotated.err
    decide(alatau, network, tmp_path / "r.json")
    rows = {row["name"]: row for row in alatau("validator", "list", *network.at, "--json").json()}
    assert rows["Ministry of Justice"]["voting_key"] == "0x" + "52" * 20
    assert rows["Ministry of Justice"]["endpoint"] == "10.0.0.7:7001"

    removed = alatau("validator", "remove", NEW["--operator"], "-o", tmp_path / "remove.json", *options)
    assert removed.code == 0, removed.err
    assert "Ministry of Justice" in removed.err
    decide(alatau, network, tmp_path / "remove.json")
    (row,) = alatau("validator", "list", *network.at, "--json").json()
    assert row["voting_key"] == "0x" + VALIDATOR.address.hex()
    assert row["tls_key_hash"] == "0x" + node_identity().key_hash.hex()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("remove", "Ministry of Magic"), "there are Ministry of Tests (0x"),
        (("rotate", "Ministry of Tests"), "say what changes"),
        (("rotate", "Ministry of Tests", "--voting-key", "0x1"), "an address"),
    ],
)
def test_a_wrong_change_is_explained(
    alatau: Alatau, network: Network, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """Nothing is written."""
    file = tmp_path / "x.json"
    outcome = alatau("validator", *words, "-o", file, *network.sender(RESIDENT), *network.at)
    assert (outcome.code, message in outcome.err) == (2, True), outcome.err
    assert not file.exists()
