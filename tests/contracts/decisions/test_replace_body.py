"""decisions.replace_body: another council decides, and what the old one decided dies with its term."""

from typing import Any

import boa
import pytest
from eth.exceptions import Revert

from tests.contracts.actors import Actor, approvals, override_digest
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    deploy_mock,
    guardian,
    lawyer,
    stranger,
    terms,
    wait,
)


def council_of(*members: Actor, threshold: int = 2) -> Any:
    """Another council, with the same policy version as the first."""
    addresses = [m.address for m in sorted(members, key=lambda m: m.raw)]
    return deploy("Council", "Successor", addresses, threshold, guardian.address, DELAY, SILENCE, ZERO)


def succeed(contract: Any, old: Any, new: Any) -> None:
    """Put a new body in office."""
    succession = (new.address, terms(old))
    decide(contract, contract.propose_body(*succession, sender=chair.address), chair, banker)
    contract.replace_body(*succession)


@pytest.mark.parametrize("approved", [False, True], ids=["proposed", "approved"])
def test_decisions_of_the_old_body_die(world: World, *, approved: bool) -> None:
    """Though members and policy version are the same, and also when the old body comes back."""
    pausing, old = world.channel_pause, world.fund_council
    new = council_of(chair, banker, lawyer)
    assert new.policy_version() == old.policy_version()
    decision = terms(old, lasts=30 * DELAY)
    identity = pausing.propose_unpause(decision, sender=chair.address)
    if approved:
        decide(pausing, identity, chair, banker)
    succeed(pausing, old, new)
    for _ in range(2):
        if approved:
            with boa.reverts("decision: body replaced"):
                pausing.unpause(decision)
        else:
            with boa.reverts("decision: body replaced"):
                pausing.approve_decision(identity, approvals(identity, chair, banker))
        if pausing.body() == new.address:
            succeed(pausing, new, old)


def test_a_veto_is_not_overridden_by_a_body_out_of_office(world: World) -> None:
    """Its three quarters decide nothing any more."""
    pausing = world.channel_pause
    identity = pausing.propose_unpause(terms(world.fund_council), sender=chair.address)
    pausing.veto_decision(identity, sender=guardian.address)
    succeed(pausing, world.fund_council, council_of(chair, banker, lawyer))
    with boa.reverts("decision: body replaced"):
        pausing.approve_decision(
            identity, approvals(override_digest(pausing, "Alatau ChannelPause", identity), chair, banker, lawyer)
        )


@pytest.mark.parametrize("pick", ["validators", "participants", "token", "channel_pause"])
def test_a_body_that_cannot_decide_is_never_seated(world: World, pick: str) -> None:
    """No code, no council, nobody to say no, or one that says yes to nothing: refused when it is proposed."""
    contract = getattr(world, pick)
    for candidate, reason in (
        (stranger.address, "no council"),
        (ZERO, "no council"),
        (world.token.address, None),
        (_yes_man(), "no council"),
    ):
        with boa.reverts() if reason is None else boa.reverts(reason):
            contract.propose_body(candidate, terms(world.fund_council), sender=chair.address)


def test_a_body_that_broke_since_is_not_seated(world: World) -> None:
    """It is asked again when the succession is carried out."""
    body = deploy_mock("MoodyCouncil")
    succession = (body.address, terms(world.fund_council))
    decide(world.channel_pause, world.channel_pause.propose_body(*succession, sender=chair.address), chair, banker)
    body.set_mode(1)
    with boa.reverts("no council"):
        world.channel_pause.replace_body(*succession)
    body.set_mode(0)
    world.channel_pause.replace_body(*succession)


def test_a_delay_leaves_time_to_approve(world: World) -> None:
    """Thirty days at most, so that nothing is decided that could never be approved."""
    members = [chair.address]
    for delay in (0, 30 * 86_400 + 1):
        with pytest.raises(Revert, match="delay out of range"):
            deploy("Council", "Slow", members, 1, guardian.address, delay, SILENCE, ZERO)
    slow = deploy("Council", "Slow", members, 1, guardian.address, 30 * 86_400, SILENCE, ZERO)
    change = (members, 1, stranger.address, terms(slow, lasts=30 * 86_400 - 1))
    with boa.reverts("decision: never ripe"):
        slow.propose_membership(*change, sender=chair.address)
    wait(1)
    slow.propose_membership(members, 1, stranger.address, terms(slow, lasts=30 * 86_400), sender=chair.address)


def _yes_man() -> str:
    body = deploy_mock("MoodyCouncil")
    body.set_mode(1)
    return str(body.address)
