"""Events through the command line."""

import json
import threading
from pathlib import Path

import pytest

from alatau.cli import logs as logs_command
from tests.support.served_network import Network
from tests.support.solo_node import MERCHANT, RESIDENT
from tests.unit.cli.command_line import Alatau, Outcome

MERCHANT_TEXT = "0x" + MERCHANT.address.hex()


def pay(alatau: Alatau, network: Network, amount: int) -> None:
    """A transfer of money, which is an event."""
    sent = alatau(
        "tx", "invoke", "SettlementToken", "transfer", MERCHANT_TEXT, amount, *network.sender(RESIDENT), *network.at
    )
    assert sent.code == 0, sent.err


def amounts(outcome: Outcome) -> list[int]:
    """Of the transfers that were printed."""
    return [json.loads(line)["values"]["amount"] for line in outcome.out.splitlines()]


def test_events_are_decoded_and_chosen(alatau: Alatau, network: Network) -> None:
    """By contract, by name, by the values of their members, by height; all of them without a contract."""
    for amount in (5, 6, 7):
        pay(alatau, network, amount)
    everything = alatau("logs", *network.at, "--json")
    assert everything.code == 0, everything.err
    first = json.loads(everything.out.splitlines()[0])
    assert (first["contract"], first["name"], first["height"]) == ("SettlementToken", "Transfer", 1)
    assert first["values"]["receiver"] == MERCHANT_TEXT
    assert amounts(alatau("logs", "SettlementToken", "Transfer", *network.at, "--json")) == [5, 6, 7]
    assert amounts(alatau("logs", "SettlementToken", "Transfer", "--from-height", 2, *network.at, "--json")) == [6, 7]
    assert amounts(alatau("logs", "SettlementToken", "Transfer", "--to-height", 2, *network.at, "--json")) == [5, 6]
    by_receiver = ("logs", "SettlementToken", "Transfer", f"receiver={MERCHANT_TEXT}")
    assert amounts(alatau(*by_receiver, *network.at, "--json")) == [5, 6, 7]
    assert alatau("logs", "SettlementToken", "Transfer", f"sender={MERCHANT_TEXT}", *network.at).out == ""
    assert alatau("logs", "ReserveVault", *network.at).out == ""
    line = alatau("logs", "SettlementToken", *network.at).out.splitlines()[0]
    assert line.startswith("1:0 SettlementToken.Transfer(sender=0x")


def test_what_is_chosen_wrongly_is_explained(alatau: Alatau, network: Network) -> None:
    """The events and the members that there are."""
    assert "Transfer" in alatau("logs", "SettlementToken", "Transfr", *network.at).err
    assert "receiver" in alatau("logs", "SettlementToken", "Transfer", "to=0x12", *network.at).err
    assert "no indexed amount" in alatau("logs", "SettlementToken", "Transfer", "amount=5", *network.at).err
    assert alatau("logs", "--follow", "--to-height", 5, *network.at).code == 2


def test_it_goes_on_where_it_was(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """Every event once, whatever happens between two runs; a file that is something else is not overwritten."""
    place = tmp_path / "place"
    words = ("logs", "SettlementToken", "Transfer", "--resume", place, "--json", *network.at)
    pay(alatau, network, 5)
    assert amounts(alatau(*words)) == [5]
    assert place.read_text() == "1:0\n"
    assert amounts(alatau(*words)) == []
    pay(alatau, network, 6)
    pay(alatau, network, 7)
    assert amounts(alatau(*words)) == [6, 7]
    place.write_text("precious")
    refused = alatau(*words)
    assert (refused.code, "no file of --resume" in refused.err) == (2, True)
    assert place.read_text() == "precious"


def test_following_prints_events_as_they_come(
    alatau: Alatau, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From where it was: nothing between the end of one run and the beginning of the next is lost."""
    place = tmp_path / "place"
    words = ("logs", "SettlementToken", "Transfer", "--follow", "--resume", place, "--json", *network.at)
    pay(alatau, network, 5)
    alatau("logs", "SettlementToken", "Transfer", "--resume", place, *network.at)
    pay(alatau, network, 6)
    keep, seen = logs_command.write_private, threading.Event()

    def note(path: Path, data: bytes, *, replace: bool) -> None:
        keep(path, data, replace=replace)
        if data == b"3:0\n":  # as Ctrl-C would
            raise KeyboardInterrupt
        seen.set()

    monkeypatch.setattr(logs_command, "write_private", note)

    def later() -> None:
        seen.wait(30)
        data = bytes.fromhex("a9059cbb") + bytes(12) + MERCHANT.address + (7).to_bytes(32, "big")
        network.submit(RESIDENT, data)

    payer = threading.Thread(target=later, daemon=True)
    payer.start()
    outcome = alatau(*words)
    payer.join(30)
    assert outcome.code == 130
    assert amounts(outcome) == [6, 7]
    assert place.read_text() == "3:0\n"
