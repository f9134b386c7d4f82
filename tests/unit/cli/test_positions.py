"""``alatau reserve positions|attest|report``: figures signed apart, brought together, and shown with their age."""

import json
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from tests.support.served_network import AUDITOR, Network
from tests.support.solo_node import MERCHANT, RESIDENT
from tests.unit.cli.command_line import Alatau, Outcome

CUSTODIAN = MERCHANT


@pytest.fixture
def position(alatau: Alatau, network: Network) -> str:
    """The id of the only position, which nobody has reported."""
    (shown,) = alatau("reserve", "positions", *network.at, "--json").json()
    assert (shown["class"], shown["behind"], shown["quantity_seen"]) == ("gold", "SettlementToken", "never")
    assert shown["counts_for_minting"] == "no: never reported"
    return str(shown["position"])


def attest(
    alatau: Alatau, network: Network, position: str, by: PrivateKey, file: Path, *more: object, quantity: str = "80.5"
) -> Outcome:
    """One attester's file, made at a node."""
    evidence = file.with_suffix(".pdf")
    evidence.write_bytes(b"bar list")
    return alatau(
        "reserve", "attest", position, "--quantity", quantity, "--price", 200, "--evidence", evidence, "-o", file,
        "--yes", *more, *network.sender(by), *network.at,
    )  # fmt: skip


def test_a_report_from_two_files(alatau: Alatau, network: Network, position: str, tmp_path: Path) -> None:
    """Custodian and auditor sign apart, the second without a network; a stranger carries; minting counts it."""
    first, second = tmp_path / "custodian.json", tmp_path / "auditor.json"
    made = attest(alatau, network, position, CUSTODIAN, first)
    assert made.code == 0, made.err
    for shown in ("80.5", "200 of the asset's smallest unit", "number 1, on chain 7773", "UTC"):
        assert shown in made.err
    seen = json.loads(first.read_text())["typed_data"]["message"]
    assert seen["evidenceHash"] == "0x" + keccak256(b"bar list").hex()
    offline = alatau(
        "reserve", "attest", position, "--quantity", "80.5", "--price", 200, "--evidence", seen["evidenceHash"],
        "--as-of", "2023-11-01T00:00:00", "--report", 1, "--chain-id", 7773, "-o", second, "--yes",
        *network.sender(AUDITOR),
    )  # fmt: skip
    assert offline.code == 0, offline.err
    stale = alatau("reserve", "report", first, second, *network.sender(RESIDENT), *network.at)
    assert (stale.code, "ledger: stale" in stale.err) == (1, True)
    second.unlink()
    assert attest(alatau, network, position, AUDITOR, second).code == 0

    done = alatau("reserve", "report", first, second, *network.sender(RESIDENT), *network.at, "--json")
    assert done.code == 0, done.err
    assert done.json()["report"] == 1
    (shown,) = alatau("reserve", "positions", *network.at, "--json").json()
    assert (shown["quantity"], shown["counts_for_minting"], shown["next_report"]) == (
        "80.5",
        "yes, less the haircut",
        2,
    )
    assert "leaves all of the limit" in shown["quantity_seen"]
    assert shown["assurance"] == "none: half of the custodian's limit counts"
    token = "0x" + addresses.SETTLEMENT_TOKEN.hex()
    backing = alatau("call", "PositionLedger", "backing", token, *network.at, "--json").json()["result"]
    assert backing == 805 * 20 * 95 // 100
    again = alatau("reserve", "report", first, second, *network.sender(RESIDENT), *network.at)
    assert (again.code, "the next one is 2: attesters sign again" in again.err) == (1, True)


def test_who_is_missing_is_said(alatau: Alatau, network: Network, position: str, tmp_path: Path) -> None:
    """A custodian alone, an auditor alone, a stranger, and two who saw different things."""
    files = {}
    for name, by, quantity in (
        ("custodian", CUSTODIAN, "80"),
        ("auditor", AUDITOR, "99"),
        ("stranger", RESIDENT, "80"),
    ):
        files[name] = tmp_path / f"{name}.json"
        assert attest(alatau, network, position, by, files[name], quantity=quantity).code == 0

    def refused(*names: str) -> str:
        outcome = alatau("reserve", "report", *(files[n] for n in names), *network.sender(RESIDENT), *network.at)
        assert outcome.code == 1
        return outcome.err

    assert "1 of 2 attestations; missing is an auditor of the vault" in refused("custodian")
    assert f"missing is its custodian 0x{CUSTODIAN.address.hex()}" in refused("auditor")
    assert "neither the position's custodian nor an auditor" in refused("custodian", "stranger")
    assert "ledger: attesters disagree" in refused("custodian", "auditor")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["typed_data"]["message"].update(quantity=str(90 * 10**18)), "figures were changed"),
        (lambda d: d["typed_data"]["message"].pop("price"), "lacks price"),
        (lambda d: d["typed_data"].update(primaryType="Permit"), "would be signed as something else"),
        (lambda d: d["typed_data"]["domain"].update(chainId=1), "figures were changed"),
        (lambda d: d.update(signer="0x" + "11" * 20), "figures were changed"),
        (lambda d: d.update(signature="0x12"), "130 hexadecimal digits"),
        (lambda d: d.update(format="alatau attestation 2"), "its format is"),
        (lambda d: d.update(more=1), "no object with"),
    ],
)
def test_a_changed_file_is_not_carried(
    alatau: Alatau, network: Network, position: str, tmp_path: Path, change: Any, message: str
) -> None:
    """The file's name and what is wrong with it, before anything is sent."""
    file = tmp_path / "custodian.json"
    assert attest(alatau, network, position, CUSTODIAN, file).code == 0
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    outcome = alatau("reserve", "report", file, *network.sender(RESIDENT), *network.at)
    assert outcome.code == 1
    assert "custodian.json is no attestation" in outcome.err
    assert message in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--quantity", "many", "--evidence", "0x" + "0a" * 32), "no quantity such as"),
        (("--quantity", "1", "--evidence", "nowhere.pdf"), "neither a file nor a hash"),
        (("--quantity", "1", "--evidence", "0x" + "0a" * 32, "--as-of", "noon"), "no time such as"),
    ],
)
def test_what_was_mistyped_is_said(
    alatau: Alatau, network: Network, position: str, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    """With an example of what is meant; nothing is written."""
    outcome = alatau(
        "reserve", "attest", position, *options, "--price", 1, "-o", tmp_path / "out.json",
        "--report", 1, "--chain-id", 7773, "--yes", *network.sender(AUDITOR),
    )  # fmt: skip
    assert (outcome.code, message in outcome.err) == (2, True)
    assert not (tmp_path / "out.json").exists()
