"""Council.approve_restoration and restore_membership: a higher body restores one that cannot decide any more."""

from typing import Any

import boa
import pytest

from tests.contracts.actors import Actor, approvals
from tests.contracts.council.restorations import Change, lose_keys, restoration
from tests.contracts.world import (
    DELAY,
    SILENCE,
    World,
    banker,
    chair,
    decide,
    deploy,
    deputy,
    governor,
    guardian,
    stranger,
    terms,
    wait,
)


def approve(world: World, change: Change, *signers: Actor) -> None:
    """Brought to the council with the signatures of the board."""
    identity = world.fund_council.restoration_id(*change)
    world.fund_council.approve_restoration(*change, approvals(identity, *signers), sender=stranger.address)


def test_a_lost_council_gets_new_members(world: World) -> None:
    """Two of the board approve; it waits three delays, and happens once."""
    lose_keys(world)
    change, council = restoration(world), world.fund_council
    with boa.reverts("decision: not approved"):
        council.restore_membership(*change)
    approve(world, change, governor, deputy)
    with boa.reverts("council: approved already"):
        approve(world, change, governor, deputy)
    wait(3 * DELAY - 1)
    with boa.reverts("decision: not ripe"):
        council.restore_membership(*change)
    wait(1)
    council.restore_membership(*change, sender=stranger.address)
    assert (council.members(), council.policy_version(), council.can_decide()) == (change[0], 2, True)
    with boa.reverts("council: can decide"):
        council.restore_membership(*change)


def test_a_council_that_decides_is_never_touched(world: World) -> None:
    """Two keys of three are enough to be left alone, before and after the approval."""
    with boa.reverts("council: can decide"):
        approve(world, restoration(world), governor, deputy)
    lose_keys(world)
    change = restoration(world)
    approve(world, change, governor, deputy)
    wait(3 * DELAY)
    world.fund_council.check_in(sender=chair.address)
    with boa.env.anchor():
        world.fund_council.restore_membership(*change)
    world.fund_council.check_in(sender=banker.address)
    with boa.reverts("council: can decide"):
        world.fund_council.restore_membership(*change)


def test_only_the_higher_body_restores(world: World) -> None:
    """Its majority, under its policy of now; the lost council's own keys approve nothing here."""
    lose_keys(world)
    change = restoration(world)
    for signers, reason in (
        ((chair, banker), "council: not a member"),
        ((governor,), "council: too few approvals"),
        ((), "council: too few approvals"),
    ):
        with boa.reverts(reason):
            approve(world, change, *signers)
    version, *rest = change[3]
    with boa.reverts("decision: policy changed"):
        approve(world, (*change[:3], (version + 1, *rest)), governor, deputy)
    with boa.reverts("decision: never ripe"):
        approve(world, (*change[:3], terms(world.reserve_council, lasts=3 * DELAY - 1)), governor, deputy)


def test_a_restoration_dies_with_its_time_and_with_the_policy(world: World) -> None:
    """As every decision does."""
    lose_keys(world)
    change, board = restoration(world), world.reserve_council
    approve(world, change, governor, deputy)
    with boa.env.anchor():
        wait(30 * DELAY + 1)
        with boa.reverts("decision: expired"):
            world.fund_council.restore_membership(*change)
    addresses = sorted([governor.address, deputy.address], key=lambda a: int(a, 16))
    smaller = (addresses, 2, guardian.address, terms(board))
    decide(board, board.propose_membership(*smaller, sender=governor.address), governor, deputy, delay=3 * DELAY)
    board.change_membership(*smaller)
    with boa.reverts("decision: policy changed"):
        world.fund_council.restore_membership(*change)


@pytest.mark.parametrize(
    ("members", "threshold", "reason"),
    [([], 0, "council: threshold is zero"), ([stranger.address], 2, "council: threshold above members")],
)
def test_impossible_compositions_are_refused(world: World, members: list[str], threshold: int, reason: str) -> None:
    """As for a change of membership."""
    lose_keys(world)
    with boa.reverts(reason):
        approve(world, (members, threshold, guardian.address, terms(world.reserve_council)), governor, deputy)


def test_a_council_without_a_higher_body_stays_as_it_is(world: World) -> None:
    """Nobody restores it."""
    alone: Any = deploy("Council", "Alone", [chair.address], 1, guardian.address, DELAY, SILENCE, "0x" + "00" * 20)
    lose_keys(world)
    with boa.reverts("council: no higher body"):
        alone.approve_restoration(*restoration(world), [])
