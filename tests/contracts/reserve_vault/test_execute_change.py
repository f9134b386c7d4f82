"""ReserveVault.execute_change and pause: what lowers risk is instant, what raises it waits."""

import boa
import pytest

from tests.contracts.reserve_vault.intents import (
    TOKEN,
    Action,
    approve_only,
    approved,
    approved_change,
    deposit,
    endorse,
)
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    court,
    custodian,
    decide,
    deploy,
    deputy,
    director,
    governor,
    guardian,
    issuer,
    neighbour,
    now,
    proposer,
    prosecutor,
    resident,
    stranger,
    terms,
    treasury,
    wait,
)

WEEK = 7 * 86_400


@pytest.mark.parametrize(
    ("action", "subject", "value", "capacity", "leak"),
    [
        (Action.ALLOW_DESTINATION, resident.address, 0, 0, 0),
        (Action.SET_LIMITS, TOKEN, 100_000, 1_000_001, 10),
        (Action.SET_LIMITS, TOKEN, 100_000, 1_000_000, 11),
        (Action.SET_LIMITS, TOKEN, 100_001, 1_000_000, 10),
        (Action.GRANT_ROLE, stranger.address, 1, 0, 0),
        (Action.LIFT_PAUSE, ZERO, 0, 0, 0),
        (Action.WITHDRAW_ROLE, court.address, 0, 0, 0),
        (Action.WITHDRAW_ROLE, prosecutor.address, 0, 0, 0),
        (Action.SET_OVERSIGHT, stranger.address, 0, 0, 0),
        (Action.SET_POSITIONS, ZERO, 0, 0, 0),
    ],
)
def test_more_risk_is_endorsed_and_waits(
    world: World, action: Action, subject: str, value: int, capacity: int, leak: int
) -> None:
    """The board alone approves nothing of it; with the oversight, the delay passes first."""
    change = (action, subject, value, capacity, leak, terms(world.reserve_council))
    identity = world.vault.propose_change(change, sender=governor.address)
    with boa.reverts("decision: not endorsed"):
        approve_only(world, identity, governor, deputy)
    endorse(world, identity)
    approve_only(world, identity, governor, deputy)
    wait(DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.vault.execute_change(identity)


@pytest.mark.parametrize("by", ["board", "oversight"])
@pytest.mark.parametrize(
    ("action", "subject", "value", "capacity", "leak"),
    [
        (Action.FORBID_DESTINATION, treasury.address, 0, 0, 0),
        (Action.SET_LIMITS, TOKEN, 99_999, 999_999, 9),
        (Action.WITHDRAW_ROLE, proposer.address, 0, 0, 0),
        (Action.PROLONG_PAUSE, ZERO, 86_400, 0, 0),
    ],
)
def test_less_risk_is_instant(
    world: World, by: str, action: Action, subject: str, value: int, capacity: int, leak: int
) -> None:
    """Agreed by either council, and done."""
    change = (action, subject, value, capacity, leak, terms(world.reserve_council))
    identity = world.vault.propose_change(change, sender=chair.address)
    with boa.reverts("decision: not approved"):
        world.vault.execute_change(identity)
    if by == "board":
        approve_only(world, identity, governor, deputy)
    else:
        endorse(world, identity)
    world.vault.execute_change(identity)
    with boa.reverts("decision: not approved"):
        world.vault.execute_change(identity)


def test_the_oversight_alone_raises_nothing(world: World) -> None:
    """Its endorsement is no approval."""
    change = (Action.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council))
    identity = world.vault.propose_change(change, sender=chair.address)
    endorse(world, identity)
    wait(DELAY)
    with boa.reverts("decision: not approved"):
        world.vault.execute_change(identity)


def test_an_endorsement_dies_with_the_oversights_policy(world: World) -> None:
    """As approvals do with the board's."""
    identity = approved_change(world, Action.ALLOW_DESTINATION, resident.address, delay=0)
    members = sorted((chair.address, banker.address), key=lambda a: int(a, 16))
    change = (members, 2, guardian.address, terms(world.fund_council))
    membership = world.fund_council.propose_membership(*change, sender=chair.address)
    decide(world.fund_council, membership, chair, banker)
    world.fund_council.change_membership(*change)
    wait(DELAY)
    with boa.reverts("change: raises after all"):
        world.vault.execute_change(identity)


def test_nobody_counts_in_both_councils(world: World) -> None:
    """Who sits in both endorses or approves, but not both."""
    members = sorted((chair.address, banker.address, governor.address), key=lambda a: int(a, 16))
    change = (members, 2, guardian.address, terms(world.fund_council))
    membership = world.fund_council.propose_membership(*change, sender=chair.address)
    decide(world.fund_council, membership, chair, banker)
    world.fund_council.change_membership(*change)
    wanted = (Action.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council))
    identity = world.vault.propose_change(wanted, sender=governor.address)
    endorse(world, identity, chair, governor)
    with boa.reverts("approver: has endorsed"):
        approve_only(world, identity, governor, deputy)
    approve_only(world, identity, deputy, director)


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
        (stranger.address, 3, "role: unknown"),
        (stranger.address, 0, "role: unknown"),
        (ZERO, 1, "role: unknown"),
        (governor.address, 1, "role: sits in a council"),
        (chair.address, 2, "role: sits in a council"),
        (guardian.address, 4, "role: sits in a council"),
    ):
        identity = approved_change(world, Action.GRANT_ROLE, subject, value)
        with boa.reverts(reason):
            world.vault.execute_change(identity)
    identity = approved_change(world, Action.WITHDRAW_ROLE, stranger.address, delay=0)
    with boa.reverts("role: none"):
        world.vault.execute_change(identity)


def test_pause_lapses_and_is_prolonged_by_a_council(world: World) -> None:
    """The guardian stops releases for a week and not again for another; a council prolongs it."""
    with boa.reverts("only the guardian"):
        world.vault.pause(sender=governor.address)
    world.vault.pause(sender=guardian.address)
    wait(WEEK - 1)
    assert world.vault.paused()
    with boa.reverts("vault: paused lately"):
        world.vault.pause(sender=guardian.address)
    wait(1)
    assert not world.vault.paused()
    wait(WEEK - 1)
    with boa.reverts("vault: paused lately"):
        world.vault.pause(sender=guardian.address)
    wait(1)
    world.vault.pause(sender=guardian.address)
    world.vault.execute_change(approved_change(world, Action.PROLONG_PAUSE, ZERO, 365 * 86_400, delay=0))
    assert world.vault.paused_until() == now() + 90 * 86_400  # at most
    world.vault.execute_change(approved_change(world, Action.LIFT_PAUSE))
    assert not world.vault.paused()


@pytest.mark.parametrize("nowhere", ["zero", "vault", "board", "oversight"])
def test_no_release_into_nothing(world: World, nowhere: str) -> None:
    """Not to the vault itself, nor to what governs it: the money would be in no book."""
    subject = {"zero": ZERO, "vault": world.vault.address, "board": world.reserve_council.address}.get(
        nowhere, world.fund_council.address
    )
    identity = approved_change(world, Action.ALLOW_DESTINATION, subject)
    with boa.reverts("vault: no destination"):
        world.vault.execute_change(identity)


def test_positions_that_do_not_answer_are_refused(world: World) -> None:
    """An account without code would end releases."""
    for subject in (stranger.address, world.token.address):
        identity = approved_change(world, Action.SET_POSITIONS, subject)
        with boa.reverts():
            world.vault.execute_change(identity)
    assert world.vault.positions() == world.positions.address


def test_oversight_is_another_council(world: World) -> None:
    """Neither the board itself nor an account that decides nothing, on either way."""
    for subject, reason in (
        (stranger.address, "no council"),
        (world.reserve_council.address, "oversight: is the council"),
    ):
        identity = approved_change(world, Action.SET_OVERSIGHT, subject)
        with boa.reverts(reason):
            world.vault.execute_change(identity)
    body, decision = world.fund_council.address, terms(world.reserve_council)
    succession = world.vault.propose_body(body, decision, sender=governor.address)
    endorse(world, succession)
    decide(world.vault, succession, governor, deputy)
    with boa.reverts("oversight: is the council"):
        world.vault.replace_body(body, decision)


def test_strangers_propose_nothing(world: World) -> None:
    """What is proposed stays for ever: only who has a part in the vault makes it grow."""
    for outsider in (stranger, resident, issuer):
        with boa.reverts("vault: no part in it"):
            change = (Action.LIFT_PAUSE, ZERO, 0, 0, 0, terms(world.reserve_council))
            world.vault.propose_change(change, sender=outsider.address)
        with boa.reverts("vault: no part in it"):
            body = world.fund_council.address
            world.vault.propose_body(body, terms(world.reserve_council), sender=outsider.address)


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
    body = deploy_council()
    succession = world.vault.propose_body(body, decision, sender=governor.address)
    with boa.reverts("decision: not endorsed"):
        approve_only(world, succession, governor, deputy)
    endorse(world, succession)
    decide(world.vault, succession, governor, deputy)
    with boa.reverts("vault: not a release"):
        world.vault.execute_release(succession)
    world.vault.replace_body(body, decision)
    assert world.vault.body() == body


@pytest.mark.parametrize("action", [0, 3, 511])
def test_unknown_actions_are_refused(world: World, action: int) -> None:
    """There are nine, and one at a time: its word is signed."""
    with boa.reverts("change: unknown action"):
        world.vault.propose_change((action, ZERO, 0, 0, 0, terms(world.reserve_council)), sender=governor.address)


def test_a_body_that_cannot_decide_is_refused(world: World) -> None:
    """An account without code, or a contract that is no council: it would end every decision."""
    for body, reason in ((stranger.address, "no council"), (world.token.address, None)):
        decision = terms(world.reserve_council)
        succession = world.vault.propose_body(body, decision, sender=guardian.address)
        endorse(world, succession)
        decide(world.vault, succession, governor, deputy)
        with boa.reverts() if reason is None else boa.reverts(reason):
            world.vault.replace_body(body, decision)
    assert world.vault.body() == world.reserve_council.address


def deploy_council() -> str:
    """Another council, of the resident and the neighbour."""
    members = sorted((resident.address, neighbour.address), key=lambda a: int(a, 16))
    return str(deploy("Council", "Successors", members, 2, guardian.address, DELAY, SILENCE, ZERO).address)
