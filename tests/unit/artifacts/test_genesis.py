"""The contracts of genesis: where they stand, and what their constructors are told; tests/contracts runs them."""

from dataclasses import replace

import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    LIMIT_END,
    NO_LIMITS,
    PARTICIPANTS_MAX,
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    PaymentLimits,
    genesis_contracts,
    resident_word,
)
from alatau.types.genesis import GenesisValidator


def _person(number: int) -> bytes:
    return number.to_bytes(20, "big")


NETWORK = NetworkContracts(
    validators=[
        GenesisValidator("Finance", _person(1), bytes(64), _person(2), b"", b"\x01" * 32, "127.0.0.1:7001", 1),
    ],
    fund_council=CouncilMembers("Fund", (_person(4), _person(3)), 2, _person(5)),
    reserve_council=CouncilMembers("Board", (_person(6),), 1, _person(5)),
    delay_s=60,
    participants={_person(9): resident_word()},
    tier_caps=(5_000,),
    payment_limits=(NO_LIMITS,),
)


def test_contracts_stand_where_the_rules_look() -> None:
    """The node's system contracts are among them; addresses are fixed for ever."""
    made = {contract.name: contract.address for contract in genesis_contracts(NETWORK)}
    assert SYSTEM_CONTRACTS.validator_registry == made["ValidatorRegistry"]
    assert SYSTEM_CONTRACTS.participant_registry == made["ParticipantRegistry"]
    assert len(set(made.values())) == len(made) == len(addresses.GENESIS_CONTRACTS)
    assert made["FundCouncil"].hex() == "00000000000000000000000000000000a1a7a001"
    assert made["CityChannels"].hex() == "00000000000000000000000000000000a1a7a007"


def test_creation_code_begins_with_the_artifact() -> None:
    """What runs in genesis is what was compiled."""
    for contract in genesis_contracts(NETWORK):
        artifact = load("Council" if contract.name.endswith("Council") else contract.name)
        assert contract.initcode.startswith(artifact.initcode)
        assert len(contract.initcode) > len(artifact.initcode)


def test_order_of_people_changes_nothing() -> None:
    """Whoever writes the plan in whatever order makes the same genesis."""
    council = CouncilMembers("Fund", (_person(3), _person(4)), 2, _person(5))
    assert genesis_contracts(replace(NETWORK, fund_council=council)) == genesis_contracts(NETWORK)


def test_own_contracts_are_participants() -> None:
    """The vault and the channels hold money, so the registry knows them."""
    registry = next(c for c in genesis_contracts(NETWORK) if c.name == "ParticipantRegistry")
    for address in (addresses.RESERVE_VAULT, addresses.CITY_CHANNELS):
        assert address in registry.initcode


def test_too_many_participants_are_counted() -> None:
    """The constructor's bound is said before the compiler's code refuses it."""
    crowd = {_person(1_000 + n): resident_word() for n in range(PARTICIPANTS_MAX)}
    with pytest.raises(ValueError, match=r"51\d participants; at most 512"):
        genesis_contracts(replace(NETWORK, participants=crowd))


@pytest.mark.parametrize("tier", [0, 2])
def test_resident_of_a_tier_without_cap_is_refused(tier: int) -> None:
    """A plan that forgets a tier would make money that nobody may hold."""
    with pytest.raises(ValueError, match=f"tier {tier}, which has no cap"):
        genesis_contracts(replace(NETWORK, participants={_person(9): resident_word(tier)}))


def test_cap_of_nothing_is_refused() -> None:
    """Zero would not say whether it means none or nothing."""
    with pytest.raises(ValueError, match="at least 1"):
        genesis_contracts(replace(NETWORK, tier_caps=(5_000, 0)))


def test_every_tier_with_a_cap_has_limits_of_payments() -> None:
    """A plan that forgets them would let a tier pay without limit, or nothing."""
    for limits in ((), (NO_LIMITS, NO_LIMITS)):
        with pytest.raises(ValueError, match="1 tiers have caps and"):
            genesis_contracts(replace(NETWORK, payment_limits=limits))


@pytest.mark.parametrize("limit", [-1, LIMIT_END, 2**256 - 2])
def test_limits_that_no_word_can_hold_are_refused(limit: int) -> None:
    """The constructor would revert, and say less."""
    for limits in (PaymentLimits(limit, 1, 1), PaymentLimits(1, limit, 1), PaymentLimits(1, 1, limit)):
        with pytest.raises(ValueError, match="payment_limits of tier 1: "):
            genesis_contracts(replace(NETWORK, payment_limits=(limits,)))
    genesis_contracts(replace(NETWORK, payment_limits=(PaymentLimits(0, LIMIT_END - 1, 2**256 - 1),)))
