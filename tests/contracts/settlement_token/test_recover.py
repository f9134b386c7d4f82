"""CourtRecoveries, and SettlementToken.recover: a court and the council together move what is frozen."""

import boa
import pytest

from alatau.artifacts import addresses
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import approvals
from tests.contracts.settlement_token.changes import Action
from tests.contracts.settlement_token.changes import approved as approved_change
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
    decide,
    deploy,
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
        world.recoveries.execute_recovery(first)
    wait(1)
    world.recoveries.execute_recovery(first)
    with boa.reverts("recovery: beyond the order"):
        world.recoveries.propose_recovery(recovery(world, 201), sender=court.address)
    world.recoveries.execute_recovery(approved(world, 200))
    assert (world.token.balanceOf(neighbour.address), world.token.balanceOf(resident.address)) == (500, 99_500)
    with boa.reverts("recovery: beyond the order"):
        world.recoveries.propose_recovery(recovery(world, 1), sender=court.address)


def test_neither_office_moves_money_alone(world: World) -> None:
    """The court cannot execute, the council cannot propose, and the guardian can say no."""
    freeze(world)
    for other in (chair, compliance, guardian, stranger):
        with boa.reverts("only the court"):
            world.recoveries.propose_recovery(recovery(world, 1), sender=other.address)
    identity = world.recoveries.propose_recovery(recovery(world, 1), sender=court.address)
    with boa.reverts("decision: not approved"):
        world.recoveries.execute_recovery(identity, sender=court.address)
    with boa.reverts("council: too few approvals"):
        world.recoveries.approve_decision(identity, approvals(identity, chair))
    with boa.reverts("council: not a member"):
        world.recoveries.approve_decision(identity, approvals(identity, chair, court))
    world.recoveries.veto_decision(identity, sender=guardian.address)
    with boa.reverts("council: too few approvals"):
        world.recoveries.approve_decision(identity, approvals(identity, chair, banker))


def test_the_order_must_hold_until_the_end(world: World) -> None:
    """No order, another order, one that was lifted or carried out since: nothing moves."""
    for order, reason in ((NO_HASH, "recovery: no order"), (ORDER, "recovery: not frozen by this order")):
        with boa.reverts(reason):
            world.recoveries.propose_recovery(recovery(world, 1, order=order), sender=court.address)
    freeze(world)
    identity, twice = approved(world, 500), approved(world, 500)
    with boa.env.anchor():
        world.participants.release(resident.address, ORDER, sender=court.address)
        with boa.reverts("recovery: not frozen by this order"):
            world.recoveries.execute_recovery(identity)
    world.recoveries.execute_recovery(identity)
    with boa.reverts("recovery: beyond the order"):
        world.recoveries.execute_recovery(twice)
    world.participants.freeze(resident.address, ORDER, 5, now() + 50, sender=court.address)
    wait(50)
    with boa.reverts("recovery: not frozen by this order"):
        world.recoveries.propose_recovery(recovery(world, 1), sender=court.address)


@pytest.mark.parametrize("address", SYSTEM)
def test_no_court_touches_the_networks_contracts(world: World, address: str) -> None:
    """Their books and balances would part: neither from them nor to them."""
    target = "0x" + address
    freeze(world)
    for changes in ({"source": target}, {"receiver": target}):
        with boa.reverts("recovery: books of a contract"):
            world.recoveries.propose_recovery(recovery(world, 1, **changes), sender=court.address)


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
        ({"receiver": stranger.address}, "recovery: receiver not admitted"),
        ({"receiver": resident.address}, "recovery: nothing to move"),
    ):
        with boa.reverts(reason):
            world.recoveries.propose_recovery(recovery(world, 1, **changes), sender=court.address)
    with boa.reverts("recovery: nothing to move"):
        world.recoveries.propose_recovery(recovery(world, 0), sender=court.address)
    identity = approved(world, 100_001)
    with boa.reverts("token: balance"):
        world.recoveries.execute_recovery(identity)
    with boa.reverts("decision: not approved"):
        world.recoveries.execute_recovery(NO_HASH)


def test_nobody_else_has_the_token_move_frozen_money(world: World) -> None:
    """Not the court, not the council, not both: only the contract in which they decide."""
    freeze(world)
    for person in (court, chair, guardian, resident, stranger):
        with boa.reverts("only CourtRecoveries"):
            world.token.recover(resident.address, neighbour.address, 1, ORDER, sender=person.address)


def test_a_recovery_is_told_by_both_contracts(world: World) -> None:
    """Where it is proposed and where the money is."""
    freeze(world)
    identity = world.recoveries.propose_recovery(recovery(world, 7), sender=court.address)
    (proposed,) = [e for e in world.recoveries.get_logs() if type(e).__name__ == "RecoveryProposed"]
    told = (proposed.id, proposed.source, proposed.receiver, proposed.amount, proposed.order_hash)
    assert told == (identity, resident.address, neighbour.address, 7, ORDER)
    assert world.recoveries.recovery(identity).amount == 7
    decide(world.recoveries, identity, chair, banker)
    world.recoveries.execute_recovery(identity)
    topics = [topics[0] for _, _, topics, _ in world.recoveries._computation.get_raw_log_entries()]
    for event in ("Recovered(address,address,bytes32,uint256)", "Transfer(address,address,uint256)"):
        assert int.from_bytes(keccak256(event.encode())) in topics


def test_the_council_appoints_another_contract_for_recoveries(world: World) -> None:
    """After the delay; from then on the old one moves nothing, also what it had decided."""
    freeze(world)
    identity = approved(world, 5)
    successor = deploy("CourtRecoveries", world.token.address, world.fund_council.address, DELAY)
    change = approved_change(world, Action.SET_RECOVERIES, successor.address, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.token.execute_change(change)
    wait(1)
    world.token.execute_change(change)
    assert world.token.court_recoveries() == successor.address
    with boa.reverts("only CourtRecoveries"):
        world.recoveries.execute_recovery(identity)
    again = successor.propose_recovery(recovery(world, 5), sender=court.address)
    decide(successor, again, chair, banker)
    successor.execute_recovery(again)
    assert world.token.balanceOf(neighbour.address) == 5
