"""The second reading: it agrees with the first on every decision, and nothing is signed where it does not."""

from copy import deepcopy
from typing import Any

import pytest

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import load
from alatau.client import decisions, second_reading
from alatau.client.decision_types import Choice, choices
from alatau.client.decisions import Decision
from alatau.client.errors import DecisionError
from alatau.client.typed_data import Domain, to_json
from alatau.crypto.secp256k1 import PrivateKey

KEY = PrivateKey(b"\x31" * 32)
CHOICES = [
    pytest.param(contract, choice, id=f"{contract} {choice.name}")
    for contract, (artifact, _) in GENESIS_CONTRACTS.items()
    for choice in choices(artifact).values()
]


def made(contract: str, choice: Choice) -> Decision:
    """A decision with another value in each member."""
    message: dict[str, Any] = {}
    for index, (kind, name) in enumerate(choice.type.struct.members, 1):
        message[name] = {
            "address": bytes([index]) * 20,
            "address[]": [bytes([index, n] * 10) for n in (1, 2, 3)],
            "bytes32": bytes([index]) * 32,
            "string": f"text {index}",
            "uint256": index << 60,
            "bool": True,
            "Terms": {"policyVersion": 7, "nonce": 1 << 63, "notBefore": 8, "expires": 9},
        }[kind]
    if choice.act is not None:
        message["action"] = choice.act.word
    domain = Domain("A contract", "1", 7773, GENESIS_CONTRACTS[contract][1])
    return Decision(contract, choice.type, domain, message, {})


@pytest.mark.parametrize(("contract", "choice"), CHOICES)
def test_both_readings_agree(contract: str, choice: Choice) -> None:
    """On every decision of every contract of genesis: it can be signed."""
    decision = made(contract, choice)
    assert set(decisions.sign(decision, KEY).signatures) == {KEY.address}


def _release() -> tuple[Decision, dict[str, Any], dict[str, Any], bytes]:
    decision = made("ReserveVault", choices("ReserveVault")["release"])
    document = to_json(decision.type.struct, decision.domain, decision.message)
    (function,) = [e for e in load("ReserveVault").abi if e.get("name") == "propose_release"]
    abi = decisions.abi_of("ReserveVault")
    return (
        decision,
        document,
        function,
        abi.encode_call("propose_release", decision.type.arguments(abi, decision.message)),
    )


@pytest.mark.parametrize("member", ["asset", "to", "amount", "provenance", "purpose", "legalBasisHash", "caseId"])
def test_another_value_is_noticed(member: str) -> None:
    """In the digest and in the bytes, whichever member it is in."""
    decision, document, function, data = _release()
    changed = deepcopy(document)
    value = changed["message"][member]
    changed["message"][member] = int(value) + 1 if value[:2] != "0x" and member != "purpose" else value[:-1] + "f"
    with pytest.raises(DecisionError, match="two readings"):
        second_reading.check_digest(changed, decision.id)
    with pytest.raises(DecisionError, match="something else"):
        second_reading.check_call(changed, function, data)


def test_another_call_is_noticed() -> None:
    """The same values to another function."""
    _, document, function, data = _release()
    with pytest.raises(DecisionError, match="the call is not of"):
        second_reading.check_call(document, function, b"\x00" * 4 + data[4:])


def test_nothing_is_signed_where_readings_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first reading that was tampered with asks for a signature of something else."""
    decision, *_ = _release()
    monkeypatch.setattr(decisions, "digest", lambda *_: b"\x66" * 32)
    with pytest.raises(DecisionError, match="two readings"):
        decisions.sign(decision, KEY)


def test_another_action_is_noticed() -> None:
    """The word that is signed and the number in the bytes belong together."""
    decision = made("ReserveVault", choices("ReserveVault")["lift-pause"])
    document = to_json(decision.type.struct, decision.domain, decision.message)
    (function,) = [e for e in load("ReserveVault").abi if e.get("name") == "propose_change"]
    abi = decisions.abi_of("ReserveVault")
    data = abi.encode_call("propose_change", decision.type.arguments(abi, decision.message))
    numbers = {act.word: decision.type.number_of(act.word) for act in decision.type.acts}
    second_reading.check_call(document, function, data, numbers)
    with pytest.raises(DecisionError, match="something else"):
        second_reading.check_call(document, function, data, {**numbers, "lift pause": 1})
