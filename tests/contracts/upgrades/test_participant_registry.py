"""ParticipantRegistry.hand_over: everybody who asks the old registry hears the new one, and money stays where it is."""

from typing import Any

import boa
import pytest

from alatau.artifacts.genesis import Role
from tests.contracts.actors import approvals
from tests.contracts.city_channels.tills import agreement, open_till
from tests.contracts.participant_registry.changes import Action as RegistryAction
from tests.contracts.participant_registry.changes import approved as approved_in_registry
from tests.contracts.settlement_token.changes import Action as TokenAction
from tests.contracts.settlement_token.changes import approved as approved_in_token
from tests.contracts.upgrades.participant_successors import successor_of
from tests.contracts.world import (
    DELAY,
    ZERO,
    World,
    banker,
    chair,
    compliance,
    court,
    decide,
    deploy,
    guardian,
    hub,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
    terms,
    wait,
)

ORDER = b"\x0d" * 32
FOREVER = 2**64 - 1
PEOPLE = (resident, neighbour, merchant, hub, registrar, stranger)


def hand_over(world: World, new: Any) -> None:
    """As the runbook says: what decides is approved before, then the token and the registry go over together."""
    arguments = (new.address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    world.participants.approve_decision(identity, approvals(identity, chair, banker))
    pointer = approved_in_token(world, TokenAction.SET_REGISTRY, new.address)
    wait(2 * DELAY)
    world.token.execute_change(pointer)
    world.participants.hand_over(*arguments, sender=registrar.address)


def answers(registry: Any) -> list[Any]:
    """All that others ask a registry, of everybody."""
    return [
        (
            registry.status(one.address),
            registry.standing(one.address),
            registry.licensed(one.address, 8),
            registry.role_of(one.address),
            registry.court_orders_of(one.address),
            registry.successor_of(one.address),
        )
        for one in PEOPLE
    ]


def test_all_who_ask_the_old_one_hear_the_new_one(world: World) -> None:
    """Freezes, roles, licences and successors of accounts as they are in the new registry."""
    old, new = world.participants, successor_of(world)
    new.freeze(neighbour.address, ORDER, 700, FOREVER, sender=court.address)
    new.name_successor(merchant.address, resident.address, sender=registrar.address)
    hand_over(world, new)
    assert old.successor() == new.address
    assert answers(old) == answers(new)
    told = dict(zip(PEOPLE, answers(old), strict=True))
    assert told[neighbour][1].frozen == 700
    assert [order.order_hash for order in told[neighbour][4]] == [ORDER]
    assert told[merchant][5] == resident.address
    assert (told[hub][2], told[registrar][3], told[stranger][0]) == (True, Role.REGISTRAR, 0)


def test_the_old_one_takes_nothing_any_more(world: World) -> None:
    """What is written there nobody would read: each office is refused, and the council."""
    old, new = world.participants, successor_of(world)
    old.freeze(neighbour.address, ORDER, 700, FOREVER, sender=court.address)
    unfinished = approved_in_registry(world, RegistryAction.GRANT_ROLE, stranger.address, Role.COURT)
    hand_over(world, new)
    for call in (
        lambda: old.register(stranger.address, 1, 1, 0, sender=registrar.address),
        lambda: old.deregister(resident.address, sender=registrar.address),
        lambda: old.name_successor(merchant.address, resident.address, sender=registrar.address),
        lambda: old.license(hub.address, 0, 0, False, 0, sender=licensor.address),
        lambda: old.lower_tier_cap(1, 5, sender=licensor.address),
        lambda: old.suspend(resident.address, sender=compliance.address),
        lambda: old.freeze(resident.address, ORDER, 1, now() + 5, sender=court.address),
        lambda: old.release(neighbour.address, b"\x0c" * 32, sender=court.address),
        lambda: old.execute_change(unfinished),
    ):
        with boa.reverts("handover: another contract is in office"):
            call()


def test_money_and_channels_go_on_under_the_new_one(world: World) -> None:
    """An open channel is closed and paid out, a suspension in the new registry binds the token at once."""
    new = successor_of(world)
    till = open_till(world, hub_amount=500)
    hand_over(world, new)
    world.channels.close_cooperatively(*agreement(till, 9_500, 1_000))
    world.channels.claim(resident.address)
    world.token.transfer(neighbour.address, 40, sender=resident.address)

    new.suspend(resident.address, sender=compliance.address)
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(neighbour.address, 1, sender=resident.address)
    new.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    world.token.approve(world.channels.address, 5, sender=neighbour.address)
    with boa.reverts("channels: hub not licensed"):
        world.channels.open(hub.address, bytes(32), 5, sender=neighbour.address)

    new.deregister(merchant.address, sender=registrar.address)
    new.name_successor(merchant.address, neighbour.address, sender=registrar.address)
    wait(DELAY)
    assert world.participants.successor_of(merchant.address) == neighbour.address
    world.channels.claim(hub.address)
    assert world.channels.held() == world.token.balanceOf(world.channels.address) == 0


def test_a_registry_that_knows_nobody_is_refused(world: World) -> None:
    """After it no transaction would be admitted, not even one that undoes it."""
    body = world.fund_council.address
    empty = deploy("ParticipantRegistry", body, DELAY, [], [], [world.token.address], [])
    arguments = (empty.address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=3 * DELAY)
    with boa.reverts("handover: it does not know the caller"):
        world.participants.hand_over(*arguments, sender=registrar.address)
    assert world.participants.successor() == ZERO


@pytest.mark.parametrize("suspended", [False, True])
def test_who_hands_over_is_in_good_standing_in_the_new_one(world: World, *, suspended: bool) -> None:
    """A word is not enough: it must admit him."""
    new = successor_of(world)
    arguments = (new.address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=3 * DELAY)
    if not suspended:
        world.participants.hand_over(*arguments, sender=resident.address)
        return
    new.suspend(resident.address, sender=compliance.address)
    with boa.reverts("handover: it does not know the caller"):
        world.participants.hand_over(*arguments, sender=resident.address)


def test_the_guardian_may_veto_and_be_overridden(world: World) -> None:
    """As every decision: above the veto stands the larger majority."""
    arguments = (successor_of(world).address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    world.participants.veto_decision(identity, sender=guardian.address)
    with boa.reverts("decision: not approved"):
        world.participants.hand_over(*arguments, sender=registrar.address)
    assert world.participants.override_id(identity) != identity
