"""A token that re-enters while a courier carries it: neither the courier nor a vault inside of a call lets it in."""

from typing import Any

import boa
import pytest

from tests.contracts.reserve_vault.intents import Action, Provenance, approved, approved_change
from tests.contracts.upgrades.couriers import CONTRACT, CUSTODIAN, grant, successor_of
from tests.contracts.well_formed_calls import call_of, well_formed_calls
from tests.contracts.world import LARGE_DELAY, NO_HASH, ZERO, World, custodian, deploy, deploy_mock, licensor, wait

CARRY = "carry(bytes32)"
RELEASE = "execute_release(bytes32)"
UNCHANGING = ("large_delay", "DOMAIN_SEPARATOR", "eip712Domain")
"""Of a vault: what no call changes may be read at any time."""


class Move:
    """A vault that holds 1,000 of a hostile token: 300 and 200 released to a courier, 100 more ripe to be."""

    def __init__(self, world: World) -> None:
        self.old, self.new = world.vault, successor_of(world)
        self.token = deploy_mock("HostileToken")
        self.token.mint(custodian.address, 1_000)
        self.token.approve(self.old.address, 1_000, sender=custodian.address)
        self.old.deposit(self.token.address, 1_000, Provenance.MINED, NO_HASH, sender=custodian.address)
        self.old.execute_change(approved_change(world, Action.SET_LIMITS, self.token.address, 1_000, 1_000, 1))
        self.courier = deploy("ReserveCourier", self.old.address, self.new.address, ZERO)
        for contract in (self.new, self.courier):
            world.participants.admit_institution(contract.address, CONTRACT, sender=licensor.address)
        self.old.execute_change(approved_change(world, Action.ALLOW_DESTINATION, self.courier.address))
        grant(self.new, world, self.courier.address, CUSTODIAN)
        self.first, self.second, self.ripe = (self._approved(world, amount) for amount in (300, 200, 100))
        wait(LARGE_DELAY)
        self.old.execute_release(self.first)
        self.old.execute_release(self.second)

    def _approved(self, world: World, amount: int) -> bytes:
        return approved(
            world,
            delay=0,
            asset=self.token.address,
            to=self.courier.address,
            amount=amount,
            provenance=Provenance.MINED,
        )

    def hostile(self, target: Any, call: bytes) -> None:
        """From now on the token calls this whenever it moves."""
        self.token.set_mode(3, target.address, call)

    def refused(self) -> bool:
        """The token called, and was not let in."""
        return bool(self.token.reentered()) and not self.token.succeeded()

    def balances(self) -> tuple[int, int, int]:
        """What the old vault, the courier and the new vault have of the token."""
        old, courier, new = (self.token.balanceOf(each.address) for each in (self.old, self.courier, self.new))
        return old, courier, new


@pytest.fixture
def move(world: World) -> Move:
    """Made anew for each test."""
    return Move(world)


def test_the_courier_is_closed_while_it_carries(move: Move) -> None:
    """Another release that is ready to be carried, the same one, and what it says of either."""
    calls = [call_of(CARRY, move.second), call_of(CARRY, move.first), call_of("carried(bytes32)", move.first)]
    for call in calls:
        with boa.env.anchor():
            move.hostile(move.courier, call)
            move.courier.carry(move.first)
            assert move.refused()
            assert move.balances() == (500, 200, 300)
            assert not move.courier.carried(move.second)
    move.courier.carry(move.second)
    assert move.balances() == (500, 300, 200)


def test_the_new_vault_is_closed_while_it_books(move: Move) -> None:
    """Every function of it, views too."""
    calls = {s: c for s, c in well_formed_calls("ReserveVault").items() if s.split("(")[0] not in UNCHANGING}
    assert len(calls) > 40
    for signature, call in calls.items():
        with boa.env.anchor():
            move.hostile(move.new, call)
            move.courier.carry(move.first)
            assert move.refused(), f"{signature} was let in"
            assert move.new.held(move.token.address) == 300


def test_a_release_is_not_carried_before_it_has_arrived(move: Move) -> None:
    """The old vault says nothing of a release that it is paying; afterwards it is carried, once."""
    move.hostile(move.courier, call_of(CARRY, move.ripe))
    move.old.execute_release(move.ripe)
    assert move.refused()
    assert move.balances() == (400, 600, 0)
    move.hostile(move.courier, call_of(CARRY, move.ripe))
    move.courier.carry(move.ripe)
    assert move.refused()
    assert move.balances() == (400, 500, 100)


def test_the_old_vault_releases_meanwhile_and_no_books_part(move: Move) -> None:
    """It is not in the middle of anything: its own release goes through, to the courier, and waits there."""
    move.hostile(move.old, call_of(RELEASE, move.ripe))
    move.courier.carry(move.first)
    assert move.token.succeeded()
    assert move.balances() == (400, 300, 300)
    assert (move.old.held(move.token.address), move.new.held(move.token.address)) == (400, 300)
