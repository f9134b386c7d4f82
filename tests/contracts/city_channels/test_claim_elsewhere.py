"""CityChannels.claim_to and claim_for_successor: no credit is stuck with an account that cannot receive."""

import boa
import pytest

from tests.contracts.city_channels.claim_orders import order
from tests.contracts.city_channels.tills import DEPOSIT, agreement, open_till
from tests.contracts.world import (
    DELAY,
    World,
    compliance,
    court,
    guardian,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
    wait,
)


@pytest.fixture
def owed(world: World) -> World:
    """The resident has a credit of 9,000."""
    world.channels.close_cooperatively(*agreement(open_till(world), 9_000, DEPOSIT - 9_000))
    return world


def test_account_orders_its_credit_to_another(owed: World) -> None:
    """By signature, carried by anyone, once each, in order."""
    before = owed.token.balanceOf(neighbour.address)
    first = order(4_000)
    owed.channels.claim_to(*first, sender=stranger.address)
    assert owed.token.balanceOf(neighbour.address) - before == 4_000
    assert (owed.channels.credit(resident.address), owed.channels.held()) == (5_000, 6_000)
    for nonce in (0, 2):
        with boa.reverts("claim: nonce"):
            owed.channels.claim_to(*order(1, nonce), sender=stranger.address)
    with boa.reverts("claim: nonce"):
        owed.channels.claim_to(*first, sender=stranger.address)
    with boa.reverts("channels: no credit"):
        owed.channels.claim_to(*order(5_001, 1), sender=stranger.address)
    owed.channels.claim_to(*order(5_000, 1), sender=stranger.address)


def test_order_is_the_accounts_own(owed: World) -> None:
    """Not forged, changed or late."""
    (account, receiver, amount, nonce, deadline), signed = order(5)
    for fields in (
        (account, stranger.address, amount, nonce, deadline),
        (account, receiver, amount + 1, nonce, deadline),
        (account, receiver, amount, nonce, deadline + 1),
        (neighbour.address, receiver, amount, nonce, deadline),
    ):
        with boa.reverts("channels: bad signature"):
            owed.channels.claim_to(fields, signed)
    with boa.reverts("channels: bad signature"):
        owed.channels.claim_to(*order(5, by=stranger))
    wait(61)
    with boa.reverts("channels: too late"):
        owed.channels.claim_to((account, receiver, amount, nonce, deadline), signed)


@pytest.mark.parametrize("how", ["frozen", "suspended", "deregistered"])
def test_order_does_not_evade_what_binds_the_account(owed: World, how: str) -> None:
    """What a court has frozen cannot be sent elsewhere; nor by who may send nothing."""
    if how == "frozen":
        owed.participants.freeze(resident.address, b"\x01" * 32, 5, now() + 999, sender=court.address)
    elif how == "suspended":
        owed.participants.suspend(resident.address, sender=compliance.address)
    else:
        owed.participants.deregister(resident.address, sender=registrar.address)
    with boa.reverts("claim: frozen" if how == "frozen" else "claim: account not admitted"):
        owed.channels.claim_to(*order(5))


def test_successor_gets_the_credit_of_a_deregistered_account(owed: World) -> None:
    """Named by the registrar, after the delay."""
    owed.participants.deregister(resident.address, sender=registrar.address)
    with boa.reverts("token: receiver not admitted"):
        owed.channels.claim(resident.address)
    with boa.reverts("claim: no successor"):
        owed.channels.claim_for_successor(resident.address)
    owed.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY - 1)
    with boa.reverts("claim: no successor"):
        owed.channels.claim_for_successor(resident.address)
    wait(1)
    before = owed.token.balanceOf(neighbour.address)
    owed.channels.claim_for_successor(resident.address, 4_000, sender=stranger.address)
    owed.channels.claim_for_successor(resident.address, sender=stranger.address)
    assert owed.token.balanceOf(neighbour.address) - before == 9_000


def test_succession_that_was_vetoed_or_withdrawn_pays_nobody(owed: World) -> None:
    """The guardian within the delay, the registrar at any time."""
    owed.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)
    owed.participants.veto_successor(resident.address, sender=guardian.address)
    wait(DELAY)
    with boa.reverts("claim: no successor"):
        owed.channels.claim_for_successor(resident.address)
    owed.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY)
    owed.participants.withdraw_successor(resident.address, sender=registrar.address)
    with boa.reverts("claim: no successor"):
        owed.channels.claim_for_successor(resident.address)


def test_freeze_binds_the_credit_also_before_a_successor(owed: World) -> None:
    """What a court has frozen waits for the court."""
    owed.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)
    owed.participants.freeze(resident.address, b"\x01" * 32, 5, now() + 2 * DELAY, sender=court.address)
    wait(DELAY)
    with boa.reverts("claim: frozen"):
        owed.channels.claim_for_successor(resident.address)
