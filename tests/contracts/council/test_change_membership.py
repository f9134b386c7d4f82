"""Council.propose_membership and change_membership: how a body renews itself."""

from collections.abc import Sequence

import boa
import pytest
from eth.exceptions import Revert

from tests.contracts.actors import Actor, approvals
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    guardian,
    lawyer,
    stranger,
    terms,
    wait,
)


def ascending(actors: Sequence[Actor]) -> list[str]:
    """Addresses in the order that a council wants."""
    return [a.address for a in sorted(actors, key=lambda a: a.raw)]


def test_adding_a_member_takes_the_delay(world: World) -> None:
    """More power for more people is delayed; the policy version moves on."""
    council = world.fund_council
    change = (ascending([chair, banker, lawyer, stranger]), 3, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=banker.address)
    council.approve_decision(identity, approvals(identity, chair, banker))
    wait(DELAY - 1)
    with boa.reverts("decision: not ripe"):
        council.change_membership(*change)
    wait(1)
    council.change_membership(*change)
    assert (council.threshold(), council.policy_version(), council.is_member(stranger.address)) == (3, 2, True)


def test_two_of_three_cannot_expel_the_third_in_a_moment(world: World) -> None:
    """It takes the delay, in which the guardian may stop it; who is removed approves nothing any more."""
    council = world.fund_council
    change = (ascending([chair, banker]), 2, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=chair.address)
    decide(council, identity, chair, banker, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        council.change_membership(*change)
    wait(1)
    council.change_membership(*change)
    assert not council.is_member(lawyer.address)
    with boa.reverts("council: not a member"):
        council.verify(identity, approvals(identity, chair, lawyer))


def test_lowering_the_threshold_is_delayed(world: World) -> None:
    """The same members with fewer needed is more risk."""
    council = world.fund_council
    change = (ascending([chair, banker, lawyer]), 1, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=chair.address)
    decide(council, identity, chair, banker, delay=0)
    with boa.reverts("decision: not ripe"):
        council.change_membership(*change)


def test_change_happens_once(world: World) -> None:
    """An executed decision cannot be executed or proposed again."""
    council = world.fund_council
    change = (ascending([chair, banker]), 2, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=chair.address)
    decide(council, identity, chair, banker)
    council.change_membership(*change)
    with boa.reverts("decision: not approved"):
        council.change_membership(*change)
    with boa.reverts("decision: id used"):
        council.propose_membership(*change, sender=chair.address)


def test_competing_changes_die_with_the_policy(world: World) -> None:
    """Of two approved changes the second is void once the first took effect."""
    council = world.fund_council
    first = (ascending([chair, banker]), 2, guardian.address, terms(council))
    second = (ascending([chair, lawyer]), 2, guardian.address, terms(council))
    for change in (first, second):
        identity = council.propose_membership(*change, sender=chair.address)
        decide(council, identity, chair, banker)
    council.change_membership(*first)
    with boa.reverts("decision: policy changed"):
        council.change_membership(*second)


def test_guardian_vetoes(world: World) -> None:
    """A change that the guardian stopped stays stopped; nobody else vetoes."""
    council = world.fund_council
    change = (ascending([chair, stranger]), 2, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=chair.address)
    council.approve_decision(identity, approvals(identity, chair, banker))
    with boa.reverts("only the guardian"):
        council.veto_decision(identity, sender=chair.address)
    council.veto_decision(identity, sender=guardian.address)
    wait(DELAY)
    with boa.reverts("decision: not approved"):
        council.change_membership(*change)
    with boa.reverts("decision: nothing to veto"):
        council.veto_decision(identity, sender=guardian.address)


@pytest.mark.parametrize(
    ("members", "threshold", "reason"),
    [
        ([chair, banker], 0, "council: threshold is zero"),
        ([chair, banker], 3, "council: threshold above members"),
        ([], 0, "council: threshold is zero"),
        ([chair, guardian], 1, "council: guardian is a member"),
    ],
)
def test_impossible_councils_are_refused(world: World, members: list[Actor], threshold: int, reason: str) -> None:
    """No threshold of zero, none that cannot be met, no guardian in the council."""
    council = world.fund_council
    change = (ascending(members), threshold, guardian.address, terms(council))
    with boa.reverts(reason):
        council.propose_membership(*change, sender=chair.address)


def test_a_council_has_a_guardian(world: World) -> None:
    """Nobody to say no: neither by a change, nor from the start."""
    council = world.fund_council
    with boa.reverts("council: no guardian"):
        council.propose_membership(ascending([chair, banker]), 2, ZERO, terms(council), sender=chair.address)
    with pytest.raises(Revert, match="no guardian"):
        deploy("Council", "Headless", [chair.address], 1, ZERO, DELAY, SILENCE, ZERO)


def test_members_are_sorted_unique_and_real(world: World) -> None:
    """Neither unsorted, nor doubled, nor the zero address."""
    council = world.fund_council
    good = ascending([chair, banker])
    for members in (good[::-1], [good[0], good[0]], [ZERO, good[0]]):
        with boa.reverts("council: not sorted"):
            council.propose_membership(members, 1, guardian.address, terms(council), sender=chair.address)


def test_only_members_propose(world: World) -> None:
    """A stranger does not get his council on the table."""
    council = world.fund_council
    with boa.reverts("council: not a member"):
        council.propose_membership(ascending([stranger]), 1, guardian.address, terms(council), sender=stranger.address)


def test_approval_for_one_council_is_void_in_another(world: World) -> None:
    """The domain names the contract: the same act in another council has another digest."""
    members = ascending([chair, banker, lawyer])
    twin = deploy("Council", "Fund council", members, 2, guardian.address, DELAY, SILENCE, ZERO)
    change = (ascending([chair, banker]), 2, guardian.address, terms(world.fund_council))
    here = world.fund_council.propose_membership(*change, sender=chair.address)
    there = twin.propose_membership(*change, sender=chair.address)
    assert here != there
    with boa.reverts("council: bad signature"):
        twin.approve_decision(there, approvals(here, chair, banker))
