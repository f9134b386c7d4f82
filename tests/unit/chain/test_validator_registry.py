"""Reading the validator registry's answers; in tests/contracts the contract itself answers."""

from pathlib import Path

import pytest
from eth_abi.abi import encode

from alatau.chain.validator_registry import (
    ADMITTED_MAX,
    OBSERVER_ABI,
    OBSERVERS_CALL,
    POWER_MAX,
    VALIDATOR_ABI,
    VALIDATORS_CALL,
    Observer,
    RegistryAnswerError,
    decode_observers,
    decode_validators,
    equivocation_call,
    with_known_endpoints,
)
from alatau.types.validator import VALIDATORS_MAX, Validator
from alatau.types.vote import Vote, VoteKind

ROOT = Path(__file__).parents[3]
ROWS = [
    (b"\x0a" * 20, b"\x02" * 20, b"\x11" * 32, b"two.example:7001", 5, b"Ministry Two"),
    (b"\x0b" * 20, b"\x01" * 20, b"\x12" * 32, b"one.example:7001", 7, "Министерство".encode()),
]


def test_selectors_are_frozen() -> None:
    """What the node sends."""
    assert (VALIDATORS_CALL.hex(), OBSERVERS_CALL.hex()) == ("ca1e7819", "b3f54d82")


def test_set_is_sorted_by_voting_key() -> None:
    """The order of admission does not matter to consensus; operators stay on chain."""
    found = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [ROWS]))
    assert found.validators == (
        Validator(b"\x01" * 20, 7, b"\x12" * 32, "one.example:7001", "Министерство"),
        Validator(b"\x02" * 20, 5, b"\x11" * 32, "two.example:7001", "Ministry Two"),
    )


def test_observers_are_read() -> None:
    """Key and name."""
    output = encode([f"{OBSERVER_ABI}[]"], [[(b"\x07" * 32, b"Audit chamber")]])
    assert decode_observers(output) == (Observer(b"\x07" * 32, "Audit chamber"),)
    assert decode_observers(encode([f"{OBSERVER_ABI}[]"], [[]])) == ()


@pytest.mark.parametrize("output", [b"", b"\x00" * 31, b"\xff" * 64, encode([f"{VALIDATOR_ABI}[]"], [ROWS])[:-40]])
def test_rubbish_is_named_as_such(output: bytes) -> None:
    """A wrong address in genesis gives an error that says so."""
    with pytest.raises(RegistryAnswerError, match="validator registry's answer"):
        decode_validators(output)


def test_empty_set_is_refused() -> None:
    """A chain without validators would stand still for ever."""
    with pytest.raises(RegistryAnswerError, match="empty set"):
        decode_validators(encode([f"{VALIDATOR_ABI}[]"], [[]]))


def test_a_set_that_no_message_could_carry_is_refused() -> None:
    """Votes and commits of more validators would be beyond the bounds of peers' messages."""
    rows = [("0x" + f"{n:040x}", "0x" + f"{n:040x}", bytes(32), b"a:1", 1, b"a") for n in range(1, VALIDATORS_MAX + 2)]
    with pytest.raises(RegistryAnswerError, match=f"answered with 257 validators, over {VALIDATORS_MAX}"):
        decode_validators(encode([f"{VALIDATOR_ABI}[]"], [rows]))
    assert len(decode_validators(encode([f"{VALIDATOR_ABI}[]"], [rows[1:]])).validators) == VALIDATORS_MAX


def test_the_contract_admits_as_many_as_the_ceremony_and_fewer_than_messages() -> None:
    """The bound of the contract is written once more in the node, for who merges a genesis."""
    source = (ROOT / "contracts/governance/validator_set.vy").read_text()
    assert f"VALIDATORS_MAX: constant(uint256) = {ADMITTED_MAX}\n" in source
    assert ADMITTED_MAX <= VALIDATORS_MAX


def test_evidence_is_of_conflicting_votes_only() -> None:
    """Whoever builds the call has checked that the votes conflict."""
    first = Vote(VoteKind.PREVOTE, 5, 1, None, b"\x01" * 20, b"\x01" * 65)
    second = Vote(VoteKind.PREVOTE, 5, 1, b"\x02" * 32, b"\x01" * 20, b"\x02" * 65)
    assert len(equivocation_call(first, second)) % 32 == 4
    with pytest.raises(AssertionError):
        equivocation_call(first, first)


def row(endpoint: bytes = b"a.example:1", power: int = 1, name: bytes = b"A", key: int = 1) -> tuple[object, ...]:
    """A validator as the contract answers."""
    return (b"\x0a" * 20, bytes((key,)) * 20, b"\x11" * 32, endpoint, power, name)


@pytest.mark.parametrize(
    "endpoint",
    [b"\xff\xfe", b"no-port", b"a.example:0", b"a.example:65536", b"unix:/tmp/x", b":7001", b"a b:1", b"x:\xd9\xa1"],
)
def test_endpoint_that_nobody_can_dial_is_none(endpoint: bytes) -> None:
    """It spoils neither the set nor what the others registered; what was known before is kept."""
    found = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [[row(endpoint), row(key=2)]]))
    assert [v.endpoint for v in found.validators] == ["", "a.example:1"]
    known = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [[row(b"old.example:9"), row(b"other.example:1", key=2)]]))
    kept = with_known_endpoints(found, known)
    assert [v.endpoint for v in kept.validators] == ["old.example:9", "a.example:1"]
    assert kept.hash == found.hash
    stranger = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [[row(key=3)]]))
    assert with_known_endpoints(found, stranger) == found


def test_name_is_read_as_far_as_it_goes() -> None:
    """What is no text or would steer a terminal is shown as such."""
    name = b"A\xff\x1b[2J" + "\u202e".encode()
    (found,) = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [[row(name=name)]])).validators
    assert found.name == "A\ufffd\ufffd[2J\ufffd"
    assert decode_observers(encode([f"{OBSERVER_ABI}[]"], [[(bytes(32), b"\xc3")]]))[0].name == "\ufffd"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row(), row()], "one voting key twice"),
        ([row(power=0)], "power outside"),
        ([row(power=POWER_MAX + 1)], "power outside"),
    ],
)
def test_who_decides_is_exact_or_refused(rows: list[tuple[object, ...]], reason: str) -> None:
    """Every node must come to the same set: nothing is guessed."""
    with pytest.raises(RegistryAnswerError, match=reason):
        decode_validators(encode([f"{VALIDATOR_ABI}[]"], [rows]))
