"""ValidatorRegistry.hand_over: another registry says who decides, with the same validators, and the old one ends."""

from typing import Any

import boa
import pytest
from eth_abi.abi import encode

from tests.contracts.actors import approvals
from tests.contracts.upgrades.validator_successors import approved_handover, successor_of
from tests.contracts.validator_registry.changes import Action, approved, change, subject_of
from tests.contracts.world import (
    DELAY,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    guardian,
    operators,
    stranger,
    terms,
    wait,
)

Row = tuple[Any, ...]


def test_a_successor_takes_over_and_the_old_one_ends(world: World) -> None:
    """Observers and validators are there, the council changes the set in the new one, and the old one takes nothing."""
    old, new = world.validators, successor_of(world)
    unfinished = approved(world, Action.SET_POWER, subject_of(operators[1].address, power=90))
    version = old.set_version()
    old.hand_over(*approved_handover(world, new), sender=stranger.address)
    assert (old.successor(), new.successor()) == (new.address, ZERO)
    assert old.set_version() == version + 1
    assert (new.validators(), new.observers()) == (old.validators(), old.observers())

    with boa.reverts("handover: another contract is in office"):
        old.execute_change(unfinished)
    with boa.reverts("handover: another contract is in office"):
        old.set_endpoint("moved.example:7001", sender=operators[0].address)
    with boa.reverts("handover: another contract is in office"):
        old.propose_handover(successor_of(world).address, terms(world.fund_council), sender=chair.address)

    subject = change(world, Action.SET_POWER, subject_of(operators[1].address, power=90))
    identity = new.propose_change(subject, sender=chair.address)
    decide(new, identity, chair, banker)
    new.execute_change(identity)
    assert new.total_power() == 390


def test_it_waits_three_delays_and_the_guardian_may_veto(world: World) -> None:
    """A new registry is seen before it rules."""
    old = world.validators
    arguments = (successor_of(world).address, terms(world.fund_council))
    identity = old.propose_handover(*arguments, sender=chair.address)
    with boa.reverts("decision: not approved"):
        old.hand_over(*arguments)
    old.approve_decision(identity, approvals(identity, chair, banker))
    wait(3 * DELAY - 1)
    with boa.reverts("decision: not ripe"):
        old.hand_over(*arguments)
    wait(1)
    with boa.env.anchor():
        old.hand_over(*arguments)
    old.veto_decision(identity, sender=guardian.address)
    with boa.reverts("decision: not approved"):
        old.hand_over(*arguments)


@pytest.mark.parametrize(
    "changes",
    [{"power": 101}, {"endpoint": "elsewhere.example:7001"}, {"voting_key": stranger.address}, {"name": "Treasury"}],
)
def test_a_successor_with_other_validators_is_refused(world: World, changes: dict[str, Any]) -> None:
    """Also if they differ in nothing but an endpoint: no set changes by a handover."""
    arguments = approved_handover(world, successor_of(world, **changes))
    with boa.reverts("handover: other validators"):
        world.validators.hand_over(*arguments)
    assert world.validators.successor() == ZERO


def test_a_set_that_moved_meanwhile_is_mended_in_the_successor(world: World) -> None:
    """The approved decision waits for it: an operator moves his node in the new registry, too."""
    new = successor_of(world)
    arguments = approved_handover(world, new)
    world.validators.set_endpoint("moved.example:7001", sender=operators[0].address)
    with boa.reverts("handover: other validators"):
        world.validators.hand_over(*arguments)
    new.set_endpoint("moved.example:7001", sender=operators[0].address)
    world.validators.hand_over(*arguments)


def test_no_two_thirds_change_in_one_height(world: World) -> None:
    """What the old registry changed in a height, the new one cannot add to."""
    arguments = approved_handover(world, successor_of(world))
    change_of_old = approved(world, Action.SET_POWER, subject_of(operators[1].address, power=100), delay=DELAY)
    world.validators.execute_change(change_of_old)
    with boa.reverts("handover: the set changed in this height"):
        world.validators.hand_over(*arguments)
    wait(blocks=1)
    world.validators.hand_over(*arguments)


def test_who_cannot_be_a_successor(world: World) -> None:
    """Nobody, itself, one of another council, one that has handed over; and only a member proposes."""
    old = world.validators
    good = successor_of(world)
    of_others = successor_of(world, council=world.reserve_council)
    for candidate, reason in (
        (ZERO, "handover: no contract"),
        (stranger.address, "handover: no contract"),
        (old.address, "handover: no contract"),
        (of_others.address, "handover: another council"),
    ):
        with boa.reverts(reason):
            old.propose_handover(candidate, terms(world.fund_council), sender=chair.address)
    with boa.reverts("only a member"):
        old.propose_handover(good.address, terms(world.fund_council), sender=stranger.address)

    # The circle: the new one would hand back to the old one.
    old.hand_over(*approved_handover(world, good))
    with boa.reverts("handover: handed over itself"):
        good.propose_handover(old.address, terms(world.fund_council), sender=chair.address)


def test_a_successor_that_handed_over_meanwhile_is_refused(world: World) -> None:
    """It is asked again when the handover is carried out."""
    first, second = successor_of(world), successor_of(world)
    arguments = approved_handover(world, first)
    onward = (second.address, terms(world.fund_council, lasts=20 * DELAY))
    identity = first.propose_handover(*onward, sender=chair.address)
    decide(first, identity, chair, banker, delay=3 * DELAY)
    first.hand_over(*onward)
    with boa.reverts("handover: handed over itself"):
        world.validators.hand_over(*arguments)


def test_a_large_registry_is_handed_over(world: World) -> None:
    """With the longest texts, as many validators as a transaction deploys (EIP-3860): the answer has its bound."""
    texts = ("h" * 122 + ":65535", 100, "n" * 64)
    rows: list[Row] = []
    for number in range(1, 39):
        one = number.to_bytes(20, "big").hex()
        rows.append((f"0x{one}", f"0x{'11' * 10}{one[20:]}", number.to_bytes(32, "big"), *texts))
    body, council = world.fund_council.address, world.fund_council
    old = deploy("ValidatorRegistry", body, DELAY, rows, [])
    new = deploy("ValidatorRegistry", body, DELAY, rows, [])
    other = deploy("ValidatorRegistry", body, DELAY, [*rows[:-1], (*rows[-1][:-1], "m" * 64)], [])
    assert len(encode(["(address,address,bytes32,string,uint256,string)[]"], [rows])) == 64 + 38 * 15 * 32
    for candidate, reason in ((other, "handover: other validators"), (new, None)):
        arguments = (candidate.address, terms(council))
        decide(old, old.propose_handover(*arguments, sender=chair.address), chair, banker, delay=3 * DELAY)
        if reason is None:
            old.hand_over(*arguments)
            continue
        with boa.reverts(reason):
            old.hand_over(*arguments)
