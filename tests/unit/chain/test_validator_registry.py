"""Reading the validator registry's answers; in tests/contracts the contract itself answers."""

import pytest
from eth_abi.abi import encode

from alatau.chain.validator_registry import (
    OBSERVER_ABI,
    OBSERVERS_CALL,
    VALIDATOR_ABI,
    VALIDATORS_CALL,
    Observer,
    RegistryAnswerError,
    decode_observers,
    decode_validators,
    equivocation_call,
)
from alatau.types.validator import Validator
from alatau.types.vote import Vote, VoteKind

ROWS = [
    (b"\x0a" * 20, b"\x02" * 20, b"\x11" * 32, "two.example:7001", 5, "Ministry Two"),
    (b"\x0b" * 20, b"\x01" * 20, b"\x12" * 32, "one.example:7001", 7, "Ministry One"),
]


def test_selectors_are_frozen() -> None:
    """What the node sends."""
    assert (VALIDATORS_CALL.hex(), OBSERVERS_CALL.hex()) == ("ca1e7819", "b3f54d82")


def test_set_is_sorted_by_voting_key() -> None:
    """The order of admission does not matter to consensus; operators stay on chain."""
    found = decode_validators(encode([f"{VALIDATOR_ABI}[]"], [ROWS]))
    assert found.validators == (
        Validator(b"\x01" * 20, 7, b"\x12" * 32, "one.example:7001", "Ministry One"),
        Validator(b"\x02" * 20, 5, b"\x11" * 32, "two.example:7001", "Ministry Two"),
    )


def test_observers_are_read() -> None:
    """Key and name."""
    output = encode([f"{OBSERVER_ABI}[]"], [[(b"\x07" * 32, "Audit chamber")]])
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


def test_evidence_is_of_conflicting_votes_only() -> None:
    """Whoever builds the call has checked that the votes conflict."""
    first = Vote(VoteKind.PREVOTE, 5, 1, None, b"\x01" * 20, b"\x01" * 65)
    second = Vote(VoteKind.PREVOTE, 5, 1, b"\x02" * 32, b"\x01" * 20, b"\x02" * 65)
    assert len(equivocation_call(first, second)) % 32 == 4
    with pytest.raises(AssertionError):
        equivocation_call(first, first)
