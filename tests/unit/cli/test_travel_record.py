"""alatau travel-record: from the payer's file to the receiver's screen, and onto the chain."""

import json
from pathlib import Path

from tests.support.served_network import Network
from tests.support.solo_node import MERCHANT, RESIDENT
from tests.support.travel_records import RECORD
from tests.unit.cli.command_line import Alatau

MERCHANT_TEXT = "0x" + MERCHANT.address.hex()


def _made(alatau: Alatau, folder: Path, password_file: Path) -> tuple[Path, Path, Path]:
    key, public, record = folder / "travel.pem", folder / "travel.pub.pem", folder / "record.json"
    assert alatau("travel-record", "key", key, "--public", public, "--password-file", password_file).code == 0
    record.write_text(json.dumps(RECORD))
    return key, public, record


def test_a_record_travels_beside_the_payment_that_names_it(
    alatau: Alatau, tmp_path: Path, password_file: Path, network: Network
) -> None:
    """Sealed, paid with its hash, found by the hash, opened by its receiver."""
    key, public, record = _made(alatau, tmp_path, password_file)
    sealed = tmp_path / "record.sealed"
    made = alatau("travel-record", "seal", record, "--for", public, "-o", sealed, "--json").json()
    named = made["record_hash"]
    arguments = (MERCHANT_TEXT, 5, "0x" + "00" * 32, named)
    options = (*network.sender(RESIDENT), *network.at, "--json")
    sent = alatau("tx", "invoke", "SettlementToken", "transfer_recorded", *arguments, *options)
    assert sent.code == 0, sent.err
    found = alatau("logs", "SettlementToken", "TravelRecord", f"record_hash={named}", *network.at, "--json")
    (event,) = [json.loads(line) for line in found.out.splitlines()]
    assert event["name"] == "TravelRecord"
    opened = alatau("travel-record", "open", sealed, "--key", key, "--hash", named, "--password-file", password_file)
    assert json.loads(opened.out) == RECORD


def test_what_is_wrong_is_said(alatau: Alatau, tmp_path: Path, password_file: Path) -> None:
    """Another hash, a record that lacks something, a key that is there already."""
    key, public, record = _made(alatau, tmp_path, password_file)
    sealed = tmp_path / "record.sealed"
    assert alatau("travel-record", "seal", record, "--for", public, "-o", sealed).code == 0
    other = alatau("travel-record", "open", sealed, "--key", key, "--hash", "0x" + "11" * 32)
    assert (other.code, "named another record" in other.err) == (3, True)
    record.write_text("{}")
    lacking = alatau("travel-record", "seal", record, "--for", public, "-o", tmp_path / "two")
    assert (lacking.code, "'originator'" in lacking.err) == (3, True)
    again = alatau("travel-record", "key", key, "--public", tmp_path / "p", "--password-file", password_file)
    assert (again.code, "exists already" in again.err) == (1, True)
    assert not (tmp_path / "p").exists()
