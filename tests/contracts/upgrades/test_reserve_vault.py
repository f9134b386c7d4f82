"""A reserve moves to another vault by releases that couriers carry on: tokens, native assets, forfeited cases."""

import boa
import pytest
from eth.exceptions import Revert

from tests.contracts.reserve_vault.intents import (
    CASE,
    TOKEN,
    Action,
    Provenance,
    approved,
    approved_change,
    confiscate,
    deposit,
    forfeit,
    order_return,
)
from tests.contracts.upgrades.couriers import CONTRACT, COURT, CUSTODIAN, Move, grant, in_place_of
from tests.contracts.upgrades.token_exchange import replaced_token
from tests.contracts.world import (
    DELAY,
    LARGE_DELAY,
    NO_HASH,
    ZERO,
    World,
    custodian,
    deploy,
    licensor,
    merchant,
    stranger,
    treasury,
    wait,
)

HELD, NATIVE_HELD = 900_000, 5 * 10**18
OTHER_CASE = b"\xcb" * 32


@pytest.fixture
def filled(world: World) -> World:
    """A vault with money of two provenances, coins, and two cases."""
    deposit(world, HELD - 200_000)
    deposit(world, 200_000, Provenance.MINED)
    boa.env.set_balance(custodian.address, NATIVE_HELD)
    world.vault.deposit_native(Provenance.FX_ALLOCATION, NO_HASH, value=NATIVE_HELD, sender=custodian.address)
    confiscate(world)
    confiscate(world, 30_000, OTHER_CASE)
    return world


def test_everything_arrives_with_its_provenance(filled: World) -> None:
    """Tokens of two provenances, native assets and a forfeited case; anyone carries, and nobody holds it meanwhile."""
    world, move = filled, Move(filled)
    forfeit(world)
    ids = [
        move.release(move.courier, amount=700_000),
        move.release(move.courier, amount=200_000, provenance=Provenance.MINED),
        move.release(move.courier, asset=ZERO, amount=NATIVE_HELD, provenance=Provenance.FX_ALLOCATION),
    ]
    case = move.release(move.bailiff, amount=50_000, provenance=Provenance.CONFISCATED, case_id=CASE)
    for identity in ids:
        move.courier.carry(identity, sender=stranger.address)
    move.bailiff.carry(case, sender=stranger.address)
    new = move.new
    assert new.held(TOKEN) == world.token.balanceOf(new.address) == HELD + 50_000
    assert new.held(ZERO) == boa.env.get_balance(new.address) == NATIVE_HELD
    assert [new.ledger(TOKEN, p) for p in Provenance] == [50_000, 200_000, 0, 700_000]
    assert new.ledger(ZERO, Provenance.FX_ALLOCATION) == NATIVE_HELD
    assert new.case_amount(CASE, TOKEN) == 50_000
    assert world.token.balanceOf(move.courier.address) == world.token.balanceOf(move.bailiff.address) == 0
    assert boa.env.get_balance(move.courier.address) == 0
    assert world.vault.held(TOKEN) == 30_000  # the case that is not decided stays until it is


def test_cases_end_where_they_stand(filled: World) -> None:
    """An undecided case is returned by the old vault; a carried one is locked, and its verdict is given anew."""
    world, move = filled, Move(filled)
    forfeit(world)
    move.bailiff.carry(move.release(move.bailiff, amount=50_000, provenance=Provenance.CONFISCATED, case_id=CASE))
    order_return(world, merchant, OTHER_CASE)
    wait(DELAY)
    world.vault.execute_return(OTHER_CASE, TOKEN)
    assert world.token.balanceOf(merchant.address) == 30_000
    assert world.vault.held(TOKEN) == HELD

    new = in_place_of(world, move.new)
    with boa.reverts("case: no final verdict"):
        approved(new, amount=50_000, provenance=Provenance.CONFISCATED, case_id=CASE)
    forfeit(new)
    move.new.execute_release(approved(new, amount=50_000, provenance=Provenance.CONFISCATED, case_id=CASE))
    assert world.token.balanceOf(treasury.address) == 50_000


def test_open_releases_end_in_the_old_vault(filled: World) -> None:
    """One that was approved before is paid while the money is there; after the move it finds none."""
    world, move = filled, Move(filled)
    first, second = (approved(world, amount=40_000, delay=0) for _ in range(2))
    wait(LARGE_DELAY)
    world.vault.execute_release(first)
    move.courier.carry(move.release(move.courier, amount=660_000))
    with boa.reverts("vault: provenance holds less"):
        world.vault.execute_release(second)
    assert move.new.held(TOKEN) == 660_000
    assert world.token.balanceOf(treasury.address) == 40_000


def test_what_was_not_released_is_not_carried(filled: World) -> None:
    """Neither a proposal, nor an approved release, nor one to somebody else, nor anything twice."""
    world, move = filled, Move(filled)
    waiting = approved(world, delay=LARGE_DELAY, amount=1_000, to=move.courier.address)
    elsewhere = approved(world, delay=LARGE_DELAY, amount=1_000)
    world.vault.execute_release(elsewhere)
    for identity in (waiting, elsewhere, NO_HASH):
        with boa.reverts("courier: not released to it"):
            move.courier.carry(identity)
    world.vault.execute_release(waiting)
    with boa.reverts("courier: not released to it"):
        move.bailiff.carry(waiting)
    move.courier.carry(waiting)
    with boa.reverts("courier: carried already"):
        move.courier.carry(waiting)
    boa.env.set_balance(stranger.address, 5)
    with pytest.raises(Revert, match="courier: not from the vault"):
        boa.env.raw_call(move.courier.address, sender=stranger.address, value=5)


def test_a_courier_without_its_role_waits_for_it(filled: World) -> None:
    """What is under way is not lost: the two councils grant the role again, also the other one."""
    world, move = filled, Move(filled)
    forfeit(world)
    wrong = move.release(move.courier, amount=50_000, provenance=Provenance.CONFISCATED, case_id=CASE)
    with boa.reverts("role: not yours"):
        move.courier.carry(wrong)
    scratch = in_place_of(world, move.new)
    move.new.execute_change(approved_change(scratch, Action.WITHDRAW_ROLE, move.courier.address, delay=0))
    grant(move.new, world, move.courier.address, COURT)
    move.courier.carry(wrong)
    assert move.new.case_amount(CASE, TOKEN) == 50_000


def test_a_token_is_exchanged_on_the_way_into_the_same_vault(filled: World) -> None:
    """The vault's money of a replaced token comes back as the new one, with its provenance."""
    world = filled
    new_token, exchange = replaced_token(world)
    courier = deploy("ReserveCourier", world.vault.address, world.vault.address, exchange.address)
    world.participants.admit_institution(courier.address, CONTRACT, sender=licensor.address)
    world.vault.execute_change(approved_change(world, Action.ALLOW_DESTINATION, courier.address))
    world.vault.execute_change(approved_change(world, Action.GRANT_ROLE, courier.address, CUSTODIAN))
    supply = world.token.totalSupply()
    identity = approved(world, delay=LARGE_DELAY, to=courier.address, amount=700_000)
    world.vault.execute_release(identity)
    courier.carry(identity)
    assert world.vault.held(new_token.address) == new_token.balanceOf(world.vault.address) == 700_000
    assert world.vault.ledger(new_token.address, Provenance.NATIONAL_FUND) == 700_000
    assert world.token.totalSupply() + new_token.totalSupply() == supply
