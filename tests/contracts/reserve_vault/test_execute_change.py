"""ReserveVault.execute_change and pause: what lowers risk is instant, what raises it waits."""

import boa
import pytest

from tests.contracts.reserve_vault.intents import TOKEN, Action, approved, approved_change, deposit
from tests.contracts.world import (
    ZERO,
    World,
    custodian,
    decide,
    deputy,
    governor,
    guardian,
    proposer,
    resident,
    stranger,
    terms,
    treasury,
)


@pytest.mark.parametrize(
    ("action", "subject", "value", "capacity", "leak"),
    [
        (Action.ALLOW_DESTINATION, resident.address, 0, 0, 0),
        (Action.SET_LIMITS, TOKEN, 100_000, 1_000_001, 10),
        (Action.SET_LIMITS, TOKEN, 100_000, 1_000_000, 11),
        (Action.SET_LIMITS, TOKEN, 100_001, 1_000_000, 10),
        (Action.GRANT_ROLE, stranger.address, 1, 0, 0),
        (Action.LIFT_PAUSE, ZERO, 0, 0, 0),
    ],
)
def test_more_risk_waits(world: World, action: Action, subject: str, value: int, capacity: int, leak: int) -> None:
    """The delay passes first."""
    identity = approved_change(world, action, subject, value, capacity, leak, delay=0)
    with boa.reverts("decision: not ripe"):
        world.vault.execute_change(identity)


@pytest.mark.parametrize(
    ("action", "subject", "value", "capacity", "leak"),
    [
        (Action.FORBID_DESTINATION, treasury.address, 0, 0, 0),
        (Action.SET_LIMITS, TOKEN, 99_999, 999_999, 9),
        (Action.WITHDRAW_ROLE, proposer.address, 0, 0, 0),
    ],
)
def test_less_risk_is_instant(world: World, action: Action, subject: str, value: int, capacity: int, leak: int) -> None:
    """Approved and done."""
    world.vault.execute_change(approved_change(world, action, subject, value, capacity, leak, delay=0))


def test_lowering_that_became_raising_is_refused(world: World) -> None:
    """A delay is not dodged by waiting for lower limits."""
    higher = approved_change(world, Action.SET_LIMITS, TOKEN, 90_000, 900_000, 9, delay=0)
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, TOKEN, 1_000, 1_000, 1, delay=0))
    with boa.reverts("change: raises after all"):
        world.vault.execute_change(higher)


def test_new_limits_forget_no_spending(world: World) -> None:
    """A change of the limit does not empty the bucket."""
    deposit(world)
    world.vault.execute_release(approved(world))
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, TOKEN, 100_000, 50_000, 0, delay=0))
    assert world.vault.limits(TOKEN) == (50_000, 0, 10_000)


def test_allowed_destination_is_paid(world: World) -> None:
    """After the delay a new destination works."""
    deposit(world)
    world.vault.execute_change(approved_change(world, Action.ALLOW_DESTINATION, resident.address))
    world.vault.execute_release(approved(world, to=resident.address))
    assert world.token.balanceOf(resident.address) == 140_000


def test_roles_exclude_each_other(world: World) -> None:
    """Who keeps assets cannot propose releases."""
    for subject, value, reason in (
        (custodian.address, 1, "role: holder has one"),
        (stranger.address, 5, "role: unknown"),
        (stranger.address, 0, "role: unknown"),
        (ZERO, 1, "role: no holder"),
    ):
        identity = approved_change(world, Action.GRANT_ROLE, subject, value)
        with boa.reverts(reason):
            world.vault.execute_change(identity)
    identity = approved_change(world, Action.WITHDRAW_ROLE, stranger.address, delay=0)
    with boa.reverts("role: none"):
        world.vault.execute_change(identity)


def test_only_the_guardian_pauses(world: World) -> None:
    """Not even the board."""
    with boa.reverts("only the guardian"):
        world.vault.pause(sender=governor.address)
    world.vault.pause(sender=guardian.address)
    assert world.vault.paused()


def test_ids_of_other_decisions_do_not_fit(world: World) -> None:
    """A release is no change, a change no release, and a succession neither."""
    deposit(world)
    release_id = approved(world)
    change_id = approved_change(world, Action.FORBID_DESTINATION, treasury.address, delay=0)
    with boa.reverts("change: not proposed here"):
        world.vault.execute_change(release_id)
    with boa.reverts("vault: not a release"):
        world.vault.execute_release(change_id)
    decision = terms(world.reserve_council)
    succession = world.vault.propose_body(world.fund_council.address, decision)
    decide(world.vault, succession, governor, deputy)
    with boa.reverts("vault: not a release"):
        world.vault.execute_release(succession)
    world.vault.replace_body(world.fund_council.address, decision)
    assert world.vault.body() == world.fund_council.address


@pytest.mark.parametrize("action", [0, 7])
def test_unknown_actions_are_refused(world: World, action: int) -> None:
    """There are six."""
    with boa.reverts("change: unknown action"):
        world.vault.propose_change((action, ZERO, 0, 0, 0, terms(world.reserve_council)))


def test_a_body_that_cannot_decide_is_refused(world: World) -> None:
    """An account without code, or a contract that is no council, would end every decision for ever."""
    for body, reason in ((stranger.address, "no council"), (world.token.address, None)):
        decision = terms(world.reserve_council)
        decide(world.vault, world.vault.propose_body(body, decision), governor, deputy)
        with boa.reverts() if reason is None else boa.reverts(reason):
            world.vault.replace_body(body, decision)
    assert world.vault.body() == world.reserve_council.address
