"""Transactions through the command line."""

import json
from pathlib import Path

import pytest

from tests.support.served_network import Network
from tests.support.solo_node import MERCHANT, RESIDENT, token_artifacts
from tests.unit.cli.command_line import Alatau

MERCHANT_TEXT = "0x" + MERCHANT.address.hex()


@pytest.fixture
def token(alatau: Alatau, network: Network, tmp_path: Path) -> tuple[str, Path]:
    """A contract that can fail in several ways: its address and its ABI's file."""
    abi, code = tmp_path / "token.abi.json", tmp_path / "token.hex"
    abi.write_text(json.dumps(token_artifacts()["abi"]))
    code.write_text("0x" + token_artifacts()["bytecode"].hex() + "\n")
    made = alatau(
        "deploy", code, MERCHANT_TEXT, 100, "--abi", abi, *network.sender(RESIDENT), *network.at, "--json"
    )  # fmt: skip
    assert made.code == 0, made.err
    return made.json()["contract"], abi


def test_events_are_objects(alatau: Alatau, network: Network) -> None:
    """Contract, name, values, place."""
    options = (*network.sender(RESIDENT), *network.at)
    sent = alatau("tx", "invoke", "SettlementToken", "transfer", MERCHANT_TEXT, 5, *options, "--json")
    (event,) = sent.json()["events"]
    assert (event["contract"], event["name"], event["log_index"]) == ("SettlementToken", "Transfer", 0)
    assert event["values"] == {"sender": "0x" + RESIDENT.address.hex(), "receiver": MERCHANT_TEXT, "amount": 5}
    found = alatau("tx", "show", sent.json()["transaction"], *network.at, "--json").json()
    assert found["events"] == [event]
    assert "SettlementToken.Transfer(sender=" in alatau("tx", "show", sent.json()["transaction"], *network.at).out


@pytest.mark.parametrize(
    ("call", "gas", "outcome", "reason"),
    [
        (("transfer", MERCHANT_TEXT, 1), 90_000, "reverted", "balance too low"),
        (("burn_gas",), 100_000, "halted", "out of gas"),
        (("divide", 1, 0), 90_000, "reverted", None),
    ],
)
def test_a_failure_has_its_reason(
    alatau: Alatau,
    network: Network,
    token: tuple[str, Path],
    call: tuple[object, ...],
    gas: int,
    outcome: str,
    reason: str | None,
) -> None:
    """When it is sent with a gas limit of its own, and whenever it is looked up: reverted is not halted."""
    address, abi = token
    known = ("--abi", abi, *network.at)
    sent = alatau("tx", "invoke", address, *call, "--gas-limit", gas, *network.sender(RESIDENT), *known)
    assert sent.code == 1
    assert outcome in sent.err
    (block,) = [network.node.store.block(network.node.store.tip.number)]
    assert block is not None
    shown = alatau("tx", "show", "0x" + block.transactions[0].hash.hex(), *known, "--json").json()
    assert (shown["succeeded"], shown["outcome"]) == (False, outcome)
    if reason is not None:
        assert shown["reason"] == reason
        assert reason in alatau("tx", "show", "0x" + block.transactions[0].hash.hex(), *network.at).out


def test_what_would_fail_is_not_sent(alatau: Alatau, network: Network, token: tuple[str, Path]) -> None:
    """Without a gas limit it is tried first; a halt is told from a revert there, too."""
    address, abi = token
    options = ("--abi", abi, *network.sender(RESIDENT), *network.at)
    height = network.node.store.tip.number
    reverted = alatau("tx", "invoke", address, "transfer", MERCHANT_TEXT, 1, *options)
    assert (reverted.code, "the contract reverted: balance too low" in reverted.err) == (1, True)
    halted = alatau("tx", "invoke", address, "burn_gas", *options)
    assert (halted.code, "the contract halted: " in halted.err) == (1, True)
    assert network.node.store.tip.number == height


def test_a_trace_shows_every_call(alatau: Alatau, network: Network) -> None:
    """By name where the contract is known, indented by depth, with gas and outcome; as objects for scripts."""
    options = (*network.sender(RESIDENT), *network.at)
    sent = alatau("tx", "invoke", "SettlementToken", "transfer", MERCHANT_TEXT, 5, *options, "--json")
    text = alatau("tx", "trace", sent.json()["transaction"], *network.at)
    assert text.code == 0, text.err
    assert f"CALL SettlementToken.transfer(receiver={MERCHANT_TEXT}, amount=5)" in text.out
    assert "\n  STATICCALL ParticipantRegistry." in text.out
    document = alatau("tx", "trace", sent.json()["transaction"], *network.at, "--json").json()
    assert document["calls"][0]["function"] == "transfer"
    assert document["calls"][0]["arguments"]["amount"] == 5
    assert {call["outcome"] for call in document["calls"]} == {"succeeded"}
    assert [call["depth"] for call in document["calls"]][:2] == [0, 1]


def test_a_gas_limit_is_taken(alatau: Alatau, network: Network) -> None:
    """As it is given; one below the least is a mistake on the command line."""
    words = ("tx", "send", "--to", MERCHANT_TEXT, "--value", 1, *network.sender(RESIDENT), *network.at)
    sent = alatau(*words, "--gas-limit", 50_000, "--json")
    shown = alatau("tx", "show", sent.json()["transaction"], *network.at, "--json").json()
    assert (shown["gas_limit"], shown["gas_used"]) == (50_000, 21_000)
    assert alatau(*words, "--gas-limit", 20_999).code == 2
