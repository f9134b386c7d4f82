"""SettlementToken.propose_recovery and execute_recovery: a court and the council together move what is frozen."""

import boa
import pytest

from alatau.artifacts import addresses
from tests.contracts.actors import approvals
from tests.contracts.settlement_token.recoveries import ORDER, approved, freeze, recovery
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    ZERO,
    World,
    banker,
    chair,
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

SYSTEM = [address.hex() for _, address in addresses.GENESIS_CONTRACTS.values()]


def test_court_and_council_move_the_frozen_amount_in_all(world: World) -> None:
    """In parts, up to the order's amount, after the delay, also during a pause; what was moved is frozen no more."""
    freeze(world)
    world.token.pause(sender=guardian.address)
    first = approved(world, 300, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.token.execute_recovery(first)
    wait(1)
    world.token.execute_recovery(first)
    with boa.reverts("token: beyond the order"):
        world.token.propose_recovery(recovery(world, 201), sender=court.address)
    world.token.execute_recovery(approved(world, 200))
    assert (world.token.balanceOf(neighbour.address), world.token.balanceOf(resident.address)) == (500, 99_500)
    with boa.reverts("token: beyond the order"):
        world.token.propose_recovery(recovery(world, 1), sender=court.address)


def test_neither_office_moves_money_alone(world: World) -> None:
    """The court cannot execute, the council cannot propose, and the guardian can say no."""
    freeze(world)
    for other in (chair, compliance, guardian, stranger):
        with boa.reverts("only the court"):
            world.token.propose_recovery(recovery(world, 1), sender=other.address)
    identity = world.token.propose_recovery(recovery(world, 1), sender=court.address)
    with boa.reverts("decision: not approved"):
        world.token.execute_recovery(identity, sender=court.address)
    with boa.reverts("council: too few approvals"):
        world.token.approve_decision(identity, approvals(identity, chair))
    with boa.reverts("council: not a member"):
        world.token.approve_decision(identity, approvals(identity, chair, court))
    world.token.veto_decision(identity, sender=guardian.address)
    with boa.reverts("council: too few approvals"):
        world.token.approve_decision(identity, approvals(identity, chair, banker))


def test_the_order_must_hold_until_the_end(world: World) -> None:
    """No order, another order, one that was lifted or carried out since: nothing moves."""
    for order, reason in ((NO_HASH, "token: no order"), (ORDER, "token: not frozen by this order")):
        with boa.reverts(reason):
            world.token.propose_recovery(recovery(world, 1, order=order), sender=court.address)
    freeze(world)
    identity, twice = approved(world, 500), approved(world, 500)
    with boa.env.anchor():
        world.participants.release(resident.address, ORDER, sender=court.address)
        with boa.reverts("token: not frozen by this order"):
            world.token.execute_recovery(identity)
    world.token.execute_recovery(identity)
    with boa.reverts("token: beyond the order"):
        world.token.execute_recovery(twice)
    world.participants.freeze(resident.address, ORDER, 5, now() + 50, sender=court.address)
    wait(50)
    with boa.reverts("token: not frozen by this order"):
        world.token.propose_recovery(recovery(world, 1), sender=court.address)


@pytest.mark.parametrize("address", SYSTEM)
def test_no_court_touches_the_networks_contracts(world: World, address: str) -> None:
    """Their books and balances would part: neither from them nor to them."""
    target = "0x" + address
    freeze(world)
    for changes in ({"source": target}, {"receiver": target}):
        with boa.reverts("token: books of a contract"):
            world.token.propose_recovery(recovery(world, 1, **changes), sender=court.address)


@pytest.mark.parametrize("pick", ["vault", "channels"])
def test_no_office_stops_what_holds_money(world: World, pick: str) -> None:
    """Neither a freeze nor a suspension: claims go on, and nothing is taken. Nor does an office act on nobody."""
    held = getattr(world, pick).address
    for account, reason in ((held, "registry: a contract"), (ZERO, "registry: no account")):
        with boa.reverts(reason):
            world.participants.freeze(account, ORDER, 1, 2**64 - 1, sender=court.address)
        with boa.reverts(reason):
            world.participants.suspend(account, sender=compliance.address)
    assert world.participants.standing(held).may_send


def test_no_office_stops_another(world: World) -> None:
    """A suspended guardian would veto nothing, a suspended court freeze nothing."""
    for official, reason in (
        (guardian, "registry: guards the council"),
        (chair, "registry: sits in the council"),
        (court, "registry: holds an office"),
        (registrar, "registry: holds an office"),
    ):
        with boa.reverts(reason):
            world.participants.suspend(official.address, sender=compliance.address)


def test_only_to_participants_and_only_what_is_there(world: World) -> None:
    """An order may name more than there is."""
    freeze(world, 2**255)
    for changes, reason in (
        ({"receiver": stranger.address}, "token: receiver not admitted"),
        ({"receiver": resident.address}, "token: no recovery"),
    ):
        with boa.reverts(reason):
            world.token.propose_recovery(recovery(world, 1, **changes), sender=court.address)
    with boa.reverts("token: no recovery"):
        world.token.propose_recovery(recovery(world, 0), sender=court.address)
    identity = approved(world, 100_001)
    with boa.reverts("token: balance"):
        world.token.execute_recovery(identity)
    with boa.reverts("decision: not approved"):
        world.token.execute_recovery(NO_HASH)
