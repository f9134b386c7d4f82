"""``alatau reserve``: journals that are proved, statements that are the same to the bit, and a node that lies."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.client import SyncClient
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wire.logs import EventLog
from tests.support.served_network import Network
from tests.support.solo_node import MERCHANT, RESIDENT
from tests.unit.cli.command_line import Alatau

TOKEN = "0x" + addresses.SETTLEMENT_TOKEN.hex()
VAULT = "0x" + addresses.RESERVE_VAULT.hex()
NO_CASE = "0x" + "00" * 32


def invoke(alatau: Alatau, network: Network, by: PrivateKey, *call: object) -> None:
    """A transaction that succeeds."""
    made = alatau("tx", "invoke", *call, *network.sender(by), *network.at)
    assert made.code == 0, made.err


def deposit(alatau: Alatau, network: Network, amount: int) -> None:
    """The custodian deposits for the national fund."""
    invoke(alatau, network, MERCHANT, "SettlementToken", "approve", VAULT, amount)
    invoke(alatau, network, MERCHANT, "ReserveVault", "deposit", TOKEN, amount, 8, NO_CASE)


@pytest.fixture
def trust(network: Network) -> tuple[str, ...]:
    """Options that trust block 0."""
    return ("--trust", "0x" + network.node.store.genesis_hash.hex(), "--sequential", *network.at)


def test_journal_and_statement_are_proved_and_the_same_to_the_bit(
    alatau: Alatau, network: Network, trust: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made again, and again after the reserve has moved on; a node that leaves an entry out is found."""
    invoke(alatau, network, RESIDENT, "SettlementToken", "transfer", "0x" + MERCHANT.address.hex(), 900)
    deposit(alatau, network, 300)
    invoke(alatau, network, RESIDENT, "SettlementToken", "transfer", "0x" + MERCHANT.address.hex(), 1)

    first = alatau("reserve", "statement", "-o", tmp_path / "first.json", *trust, "--json")
    assert first.code == 0, first.err
    height = first.json()["height"]
    deposit(alatau, network, 200)
    again = alatau("reserve", "statement", "--as-of", height, "-o", tmp_path / "again.json", *trust)
    assert again.code == 0, again.err
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    document = json.loads((tmp_path / "first.json").read_text())
    (held,) = document["held"]
    assert (held["asset"], held["total"], held["by_provenance"]) == (TOKEN, "300", {"national fund": "300"})
    assert document["journals"]["ReserveVault"]["length"] == 1

    moment = datetime.fromtimestamp(document["as_of"]["timestamp"], UTC).isoformat()
    timed = alatau("reserve", "statement", "--as-of", moment, "-o", tmp_path / "timed.json", *trust)
    assert timed.code == 0, timed.err
    assert json.loads((tmp_path / "timed.json").read_text())["as_of"]["timestamp"] == document["as_of"]["timestamp"]
    for as_of, reason in (
        ("1999-01-01", "the chain began after"),
        ("soon", "no height and no time"),
        (10**9, "not before"),
    ):
        wrong = alatau("reserve", "statement", "--as-of", as_of, "-o", tmp_path / "wrong.json", *trust)
        assert wrong.code == 2
        assert reason in wrong.err

    exported = alatau("reserve", "journal", "-o", tmp_path / "journal.json", *trust, "--json")
    assert exported.code == 0, exported.err
    entries = json.loads((tmp_path / "journal.json").read_text())["entries"]
    assert [(e["kind"], e["values"]["amount"]) for e in entries] == [("deposit", "300"), ("deposit", "200")]
    assert exported.json()["head"] == entries[-1]["head"]
    assert document["journals"]["ReserveVault"]["head"] == entries[0]["head"]

    shown = alatau("reserve", "show", *network.at, "--json")
    assert shown.code == 0, shown.err
    assert shown.json()["assets"][1]["held"] == "500"

    whole = SyncClient.logs

    def without_the_last(client: SyncClient, *arguments: Any) -> Iterator[EventLog]:
        logs: Iterable[EventLog] = list(whole(client, *arguments))
        last = max(log.height for log in logs)
        yield from (log for log in logs if log.height != last)

    monkeypatch.setattr(SyncClient, "logs", without_the_last)
    short = alatau("reserve", "journal", "-o", tmp_path / "short.json", *trust)
    assert short.code != 0
    assert "some are missing" in short.err
    assert not (tmp_path / "short.json").exists()
