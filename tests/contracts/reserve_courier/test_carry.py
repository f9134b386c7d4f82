"""ReserveCourier.carry: what it says, the smallest release, and tokens of every manner.

That everything arrives with its provenance is in ``tests/contracts/upgrades/test_reserve_vault.py``.
"""

from typing import Any

import boa

from tests.contracts.reserve_vault.intents import TOKEN, Action, Provenance, approved, approved_change, deposit
from tests.contracts.upgrades.couriers import CONTRACT, CUSTODIAN, Move
from tests.contracts.upgrades.token_exchange import replaced_token
from tests.contracts.world import LARGE_DELAY, NO_HASH, ZERO, World, custodian, deploy, deploy_mock, licensor


def mined(world: World, token: Any) -> None:
    """The custodian deposits 1,000 of a token, which may be released."""
    token.mint(custodian.address, 1_000)
    token.approve(world.vault.address, 1_000, sender=custodian.address)
    world.vault.deposit(token.address, 1_000, Provenance.MINED, NO_HASH, sender=custodian.address)
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, token.address, 1_000, 1_000, 1))


def told(courier: Any) -> list[tuple[bytes, str, int]]:
    """What the last call said was carried."""
    events = [event for event in courier.get_logs() if type(event).__name__ == "Carried"]
    return [(event.id, event.asset.lower(), event.amount) for event in events]


def test_a_carried_release_is_told(world: World) -> None:
    """Tokens, down to a single unit, and the native asset."""
    deposit(world)
    boa.env.set_balance(custodian.address, 10**18)
    world.vault.deposit_native(Provenance.FX_ALLOCATION, NO_HASH, value=10**18, sender=custodian.address)
    move = Move(world)
    tokens = move.release(move.courier, amount=1)
    native = move.release(move.courier, asset=ZERO, amount=10**18, provenance=Provenance.FX_ALLOCATION)
    move.courier.carry(tokens)
    assert told(move.courier) == [(tokens, TOKEN, 1)]
    move.courier.carry(native)
    assert told(move.courier) == [(native, ZERO, 10**18)]


def test_a_token_that_returns_nothing_is_carried(world: World) -> None:
    """It has agreed."""
    move, token = Move(world), deploy_mock("SilentToken")
    mined(world, token)
    move.courier.carry(move.release(move.courier, asset=token.address, amount=400, provenance=Provenance.MINED))
    assert move.new.held(token.address) == token.balanceOf(move.new.address) == 400


def test_a_token_that_refuses_an_allowance_waits(world: World) -> None:
    """Even if an allowance of before would do: nothing is carried until the token agrees."""
    move, token = Move(world), deploy_mock("HostileToken")
    mined(world, token)
    identity = move.release(move.courier, asset=token.address, amount=400, provenance=Provenance.MINED)
    token.approve(move.new.address, 400, sender=move.courier.address)
    token.set_mode(6, ZERO, b"")
    with boa.reverts("courier: token refused"):
        move.courier.carry(identity)
    token.set_mode(0, ZERO, b"")
    move.courier.carry(identity)
    assert move.new.held(token.address) == 400


def test_only_the_replaced_token_is_exchanged(world: World) -> None:
    """Another token passes through a courier that has an exchange as it is."""
    _, exchange = replaced_token(world)
    courier = deploy("ReserveCourier", world.vault.address, world.vault.address, exchange.address)
    token = deploy_mock("HostileToken")
    world.participants.admit_institution(courier.address, CONTRACT, sender=licensor.address)
    world.vault.execute_change(approved_change(world, Action.ALLOW_DESTINATION, courier.address))
    world.vault.execute_change(approved_change(world, Action.GRANT_ROLE, courier.address, CUSTODIAN))
    mined(world, token)
    identity = approved(
        world,
        delay=LARGE_DELAY,
        asset=token.address,
        to=courier.address,
        amount=400,
        provenance=Provenance.MINED,
    )
    world.vault.execute_release(identity)
    assert world.vault.held(token.address) == 600
    courier.carry(identity)
    assert world.vault.held(token.address) == token.balanceOf(world.vault.address) == 1_000
