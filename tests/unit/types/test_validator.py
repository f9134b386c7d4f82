import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.types.validator import (
    Validator,
    ValidatorSet,
    checked_validator_set,
    decode_validator_set,
    encode_validator_set,
    validator_set,
)


def _validator(number: int, power: int = 1) -> Validator:
    return Validator(bytes((number,)) * 20, power, bytes((number,)) * 32, f"node{number}:7000", f"Ministry {number}")


def test_set_is_sorted_and_summed() -> None:
    """The order in which validators are named does not matter."""
    members = validator_set([_validator(3, 5), _validator(1, 2), _validator(2)])
    assert [v.address[0] for v in members.validators] == [1, 2, 3]
    assert members.total_power == 8
    assert members.power_of(b"\x03" * 20) == 5
    assert members.power_of(b"\x09" * 20) == 0


def test_hash_covers_address_and_power_only() -> None:
    """A renewed certificate or another endpoint leaves the hash, another power or key changes it."""
    first = validator_set([_validator(1), _validator(2)])
    moved = Validator(first.validators[0].address, 1, bytes(32), "elsewhere:1", "Renamed")
    assert validator_set([moved, _validator(2)]).hash == first.hash
    assert first.hash == keccak256(rlp.encode([[b"\x01" * 20, 1], [b"\x02" * 20, 1]]))
    assert validator_set([_validator(1, 2), _validator(2)]).hash != first.hash
    assert validator_set([_validator(1), _validator(3)]).hash != first.hash


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_quorums_intersect_in_an_honest_validator(powers: list[int]) -> None:
    """Two quorums share more than a third, whatever the number of validators (Celo 117)."""
    members = validator_set([_validator(n + 1, power) for n, power in enumerate(powers)])
    total = sum(powers)
    quorum = next(power for power in range(total + 1) if members.has_quorum(power))
    assert members.has_honest(2 * quorum - total)
    assert not members.has_quorum(quorum - 1)
    assert members.has_quorum(total)


@pytest.mark.parametrize(
    ("count", "quorum", "honest"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 3, 2), (5, 4, 2), (7, 5, 3)]
)
def test_quorums_by_number(count: int, quorum: int, honest: int) -> None:
    """More than two thirds, and more than one third, of equal powers."""
    members = validator_set([_validator(n + 1) for n in range(count)])
    assert min(p for p in range(count + 1) if members.has_quorum(p)) == quorum
    assert min(p for p in range(count + 1) if members.has_honest(p)) == honest


@pytest.mark.parametrize(
    "validators",
    [(), (_validator(2), _validator(1)), (_validator(1), _validator(1)), (_validator(1, 0),)],
)
def test_invariants(validators: tuple[Validator, ...]) -> None:
    """Never empty, sorted, each once, each with power."""
    with pytest.raises(AssertionError):
        ValidatorSet(validators)


def test_a_set_comes_back_from_its_encoding() -> None:
    """With names and endpoints; what is no set is told apart."""
    members = validator_set([_validator(n) for n in (1, 2, 3)])
    assert decode_validator_set(encode_validator_set(members)) == members
    for wrong in (b"", b"\xc0", b"\xc1\xc0", encode_validator_set(members)[:-1]):
        with pytest.raises(ValueError, match=r"\S"):
            decode_validator_set(wrong)


@pytest.mark.parametrize(
    "validators",
    [(), (_validator(2), _validator(1)), (_validator(1), _validator(1)), (_validator(1, 0),)],
)
def test_a_set_from_elsewhere_is_checked(validators: tuple[Validator, ...]) -> None:
    """What a peer or a disk says is an error, not a defect."""
    with pytest.raises(ValueError, match="validator"):
        checked_validator_set(validators)
