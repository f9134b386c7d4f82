"""Reading the validator registry's answers; in tests/contracts the contract itself answers."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import decode, encode

from alatau.chain.validator_registry import (
    ADMITTED_MAX,
    BIND_GENESIS_CALL,
    GENESIS_HASH_CALL,
    OBSERVER_ABI,
    OBSERVERS_CALL,
    POWER_MAX,
    SET_VERSION_SLOT,
    VALIDATOR_ABI,
    VALIDATORS_CALL,
    Observer,
    RegistryAnswerError,
    answers_call,
    decode_observers,
    decode_validators,
    double_proposal_call,
    equivocation_call,
    with_known_endpoints,
)
from alatau.types.validator import VALIDATORS_MAX, Validator
from alatau.types.vote import Proposal, Vote, VoteKind

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


def test_every_call_is_frozen() -> None:
    """Selectors, the slot that is looked at, and how arguments are laid out: what the contract was compiled to."""
    calls = (VALIDATORS_CALL, OBSERVERS_CALL, GENESIS_HASH_CALL, BIND_GENESIS_CALL)
    assert [call.hex() for call in calls] == ["ca1e7819", "b3f54d82", "c366ea9e", "032fd6aa"]
    assert SET_VERSION_SLOT == 0
    assert answers_call(b"\x05" * 20).hex() == "5e9618e7" + "00" * 12 + "05" * 20


def test_a_report_of_votes_holds_both() -> None:
    """Kind, height and round, then each hash, of nil 32 zeros, with its signature."""
    first = Vote(VoteKind.PRECOMMIT, 7, 2, b"\x0a" * 32, b"\x05" * 20, b"\x01" * 65)
    second = replace(first, block_hash=None, signature=b"\x02" * 65)
    call = equivocation_call(first, second)
    assert call[:4].hex() == "e12d25b4"
    kinds = ["uint256", "uint256", "uint256", "(bytes32,bytes)", "(bytes32,bytes)"]
    assert decode(kinds, call[4:]) == (2, 7, 2, (b"\x0a" * 32, b"\x01" * 65), (bytes(32), b"\x02" * 65))


def test_a_report_of_proposals_holds_both_and_is_of_one_round() -> None:
    """All that was signed, for the contract to recover the signer."""
    first = Proposal(7, 2, b"\x0a" * 32, -1, 1_000, b"\x05" * 20, b"\x01" * 65)
    second = replace(first, block_hash=b"\x0b" * 32, valid_round=1, timestamp_ms=2_000, signature=b"\x02" * 65)
    call = double_proposal_call(first, second)
    assert call[:4].hex() == "87c5856c"
    signed = "(bytes32,int256,uint256,bytes)"
    assert decode(["uint256", "uint256", signed, signed], call[4:]) == (
        7,
        2,
        (b"\x0a" * 32, -1, 1_000, b"\x01" * 65),
        (b"\x0b" * 32, 1, 2_000, b"\x02" * 65),
    )
    for other in (replace(second, round=3), replace(second, height=8), replace(second, block_hash=first.block_hash)):
        with pytest.raises(AssertionError):
            double_proposal_call(first, other)


@pytest.mark.parametrize("padding", [b"", bytes(19), b"\x07" + bytes(19)], ids=["none", "short", "no zeros"])
def test_a_text_is_padded_with_zeros(padding: bytes) -> None:
    """As the ABI has it, and as the contract does; anything else is refused by every node alike."""
    output = encode([f"{VALIDATOR_ABI}[]"], [ROWS[:1]])
    end = output.index(b"Ministry Two") + len(b"Ministry Two")
    assert decode_validators(output[:end] + bytes(20)).validators[0].name == "Ministry Two"
    with pytest.raises(RegistryAnswerError, match="validator registry's answer"):
        decode_validators(output[:end] + padding)


def test_a_set_whose_endpoints_are_all_known_is_taken_as_it_is() -> None:
    """Nothing is sorted and hashed for nothing."""
    found = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [ROWS]))
    assert with_known_endpoints(found, found) is found
