"""Releases and changes of the vault, as the tests propose them."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from alatau.artifacts import addresses
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor, approvals
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    ZERO,
    World,
    banker,
    chair,
    court,
    custodian,
    decide,
    deputy,
    governor,
    proposer,
    prosecutor,
    terms,
    treasury,
    wait,
)

TOKEN = "0x" + addresses.SETTLEMENT_TOKEN.hex()
CASE = b"\xca" * 32
ORDER = b"\x0d" * 32


class Provenance(IntEnum):
    """Where assets come from, as in the contract."""

    CONFISCATED = 1
    MINED = 2
    FX_ALLOCATION = 4
    NATIONAL_FUND = 8


class Action(IntEnum):
    """Kinds of change, as in the contract."""

    ALLOW_DESTINATION = 1
    FORBID_DESTINATION = 2
    SET_LIMITS = 4
    GRANT_ROLE = 8
    WITHDRAW_ROLE = 16
    LIFT_PAUSE = 32
    PROLONG_PAUSE = 64
    SET_OVERSIGHT = 128
    SET_POSITIONS = 256


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is in order; tests replace what they spoil."""

    terms: tuple[int, int, int, int]
    asset: str = TOKEN
    to: str = treasury.address
    amount: int = 40_000
    provenance: int = Provenance.NATIONAL_FUND
    purpose: str = "Heating subsidy"
    legal_basis_hash: bytes = keccak256(b"Budget law, article 12")
    case_id: bytes = NO_HASH

    def argument(self) -> tuple[Any, ...]:
        """As the contract takes it."""
        return (
            self.asset,
            self.to,
            self.amount,
            self.provenance,
            self.purpose,
            self.legal_basis_hash,
            self.case_id,
            self.terms,
        )


def release(world: World, **changes: Any) -> Release:
    """A release under the policy of now."""
    return replace(Release(terms(world.reserve_council)), **changes)


def proposed(world: World, **changes: Any) -> bytes:
    """Propose a release; gives its id."""
    identity: bytes = world.vault.propose_release(release(world, **changes).argument(), sender=proposer.address)
    return identity


def approved(
    world: World, delay: int = DELAY, signers: tuple[Actor, ...] = (governor, deputy), **changes: Any
) -> bytes:
    """Propose a release, approve it and let it ripen; gives its id."""
    identity = proposed(world, **changes)
    decide(world.vault, identity, *signers, delay=delay)
    return identity


def approved_change(
    world: World,
    action: Action,
    subject: str = ZERO,
    value: int = 0,
    capacity: int = 0,
    leak: int = 0,
    delay: int = DELAY,
) -> bytes:
    """Propose a change, endorse it where that is needed, approve it and let it ripen; gives its id."""
    change = (action, subject, value, capacity, leak, terms(world.reserve_council))
    identity: bytes = world.vault.propose_change(change, sender=governor.address)
    if world.vault.endorsement_needed(identity):
        endorse(world, identity)
    decide(world.vault, identity, governor, deputy, delay=delay)
    return identity


def endorse(world: World, identity: bytes, *signers: Actor) -> None:
    """The oversight agrees: two of it, if nobody else is named."""
    world.vault.endorse(identity, approvals(identity, *(signers or (chair, banker))))


def forfeit(world: World, case_id: bytes = CASE) -> None:
    """Court and prosecutor forfeit a case, finally."""
    world.vault.forfeit(case_id, ORDER, sender=court.address)
    world.vault.confirm_case(case_id, ZERO, ORDER, sender=prosecutor.address)
    wait(DELAY)


def order_return(world: World, owner: Actor, case_id: bytes = CASE) -> None:
    """Court and prosecutor order a return; the delay begins."""
    world.vault.order_return(case_id, owner.address, ORDER, sender=court.address)
    world.vault.confirm_case(case_id, owner.address, ORDER, sender=prosecutor.address)


def deposit(world: World, amount: int = 500_000, provenance: int = Provenance.NATIONAL_FUND) -> None:
    """The custodian deposits settlement tokens."""
    world.token.approve(world.vault.address, amount, sender=custodian.address)
    world.vault.deposit(TOKEN, amount, provenance, NO_HASH, sender=custodian.address)


def confiscate(world: World, amount: int = 50_000, case_id: bytes = CASE) -> None:
    """The court deposits what it confiscated in a case."""
    world.token.approve(world.vault.address, amount, sender=court.address)
    world.vault.deposit(TOKEN, amount, Provenance.CONFISCATED, case_id, sender=court.address)


def approve_only(world: World, identity: bytes, *signers: Actor) -> None:
    """Approve without letting time pass."""
    world.vault.approve_decision(identity, approvals(identity, *signers))
