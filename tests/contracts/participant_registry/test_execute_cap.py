"""ParticipantRegistry.propose_cap and execute_cap: lower at once, higher after the delay."""

import boa
import pytest

from tests.contracts.participant_registry.changes import Action, Cap, approved, approved_cap
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    TIER_1_CAP,
    World,
    chair,
    custodian,
    hub,
    licensor,
    neighbour,
    registrar,
    stranger,
    terms,
    wait,
)


def test_higher_cap_waits(world: World) -> None:
    """The whole delay, and then it binds those whom the token remembers."""
    world.token.transfer(neighbour.address, TIER_1_CAP, sender=custodian.address)
    identity = approved_cap(world, Cap.TIER, 1, TIER_1_CAP + 5, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.participants.execute_cap(identity)
    wait(1)
    world.participants.execute_cap(identity)
    assert world.participants.tier_cap(1) == TIER_1_CAP + 5
    world.token.transfer(neighbour.address, 5, sender=custodian.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.transfer(neighbour.address, 1, sender=custodian.address)


@pytest.mark.parametrize("cap", [TIER_1_CAP, TIER_1_CAP - 1, 0])
def test_lower_cap_does_not_wait(world: World, cap: int) -> None:
    """For the council's approval only."""
    world.participants.execute_cap(approved_cap(world, Cap.TIER, 1, cap, delay=0))
    assert world.participants.tier_cap(1) == cap


def test_lowering_that_became_a_raise_is_refused(world: World) -> None:
    """Somebody lowered further meanwhile."""
    identity = approved_cap(world, Cap.TIER, 1, 900, delay=0)
    world.participants.lower_tier_cap(1, 800, sender=licensor.address)
    with boa.reverts("cap: raises after all"):
        world.participants.execute_cap(identity)


def test_tiers_must_have_a_cap_before_they_have_members(world: World) -> None:
    """Neither tier 0 nor a tier that nobody has set."""
    register = world.participants.register
    out = "registry: out of range"
    for tier, reason in ((0, out), (254, out), (3, "registry: tier without cap")):
        with boa.reverts(reason):
            register(stranger.address, 1, tier, 0, sender=registrar.address)
    world.participants.execute_cap(approved_cap(world, Cap.TIER, 3, 50))
    register(stranger.address, 1, 3, 0, sender=registrar.address)
    world.token.transfer(stranger.address, 50, sender=custodian.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.transfer(stranger.address, 1, sender=custodian.address)


@pytest.mark.parametrize(
    ("whose", "number", "reason"),
    [
        (0, 1, "cap: unknown action"),
        (3, 1, "cap: unknown action"),
        (1, 0, "cap: out of range"),
        (1, 254, "cap: out of range"),
        (2, 0, "cap: out of range"),
        (2, 256, "cap: out of range"),
    ],
)
def test_caps_of_nothing_are_refused(world: World, whose: int, number: int, reason: str) -> None:
    """Tiers are 1 to 253, capital classes 1 to 255."""
    with boa.reverts(reason):
        world.participants.propose_cap((whose, number, 5, terms(world.fund_council)), sender=chair.address)


def test_highest_numbers_are_in_range(world: World) -> None:
    """The edges from within."""
    for whose, number in ((Cap.TIER, 253), (Cap.CAPITAL_CLASS, 255)):
        world.participants.execute_cap(approved_cap(world, whose, number, 7))
    assert (world.participants.tier_cap(253), world.participants.class_cap(255)) == (7, 7)


def test_only_members_propose_and_only_decisions_are_carried_out(world: World) -> None:
    """An id of another kind is none of caps."""
    with boa.reverts("only a member"):
        world.participants.propose_cap((1, 1, 5, terms(world.fund_council)), sender=licensor.address)
    for identity in (NO_HASH, approved(world, Action.GRANT_ROLE, stranger.address, 1)):
        with boa.reverts("cap: not proposed here"):
            world.participants.execute_cap(identity)


def test_decisions_on_caps_are_kept_and_logged(world: World) -> None:
    """What was proposed is to be read, what was done is in the log."""
    identity = approved_cap(world, Cap.CAPITAL_CLASS, 4, 70)
    assert world.participants.cap_change(identity)[:3] == (2, 4, 70)
    world.participants.execute_cap(identity)
    changed = [e for e in world.participants.get_logs() if type(e).__name__ == "ClassCapChanged"]
    assert [(e.capital_class, e.cap) for e in changed] == [(4, 70)]
    assert world.participants.class_cap(4) == 70
    assert world.token.balanceOf(hub.address) > 70  # the hub is of no class
