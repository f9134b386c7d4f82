"""A token that re-enters the vault: from every function that moves it into every function, nothing happens."""

from collections.abc import Callable

import boa
import pytest

from tests.contracts.reserve_vault.intents import CASE, Action, Provenance, approved, approved_change, order_return
from tests.contracts.well_formed_calls import call_of, well_formed_calls
from tests.contracts.world import (
    LARGE_DELAY,
    NO_HASH,
    World,
    court,
    custodian,
    deploy_mock,
    neighbour,
    resident,
    treasury,
    wait,
)

CALLS = well_formed_calls("ReserveVault")
UNCHANGING = ("large_delay", "DOMAIN_SEPARATOR", "eip712Domain")
"""What no call changes may be read at any time."""
RELEASE, RETURN = "execute_release(bytes32)", "execute_return(bytes32,address)"


class Reserve:
    """1,000 of a hostile token in the vault, 200 of it in a case to be returned, and two ripe releases of 100."""

    def __init__(self, world: World) -> None:
        self.vault, self.token = world.vault, deploy_mock("HostileToken")
        self.vault.execute_change(approved_change(world, Action.SET_LIMITS, self.token.address, 1_000, 1_000, 1))
        for owner, amount, provenance, case_id in (
            (custodian, 800, Provenance.MINED, NO_HASH),
            (court, 200, Provenance.CONFISCATED, CASE),
        ):
            self.token.mint(owner.address, amount + 10)
            self.token.approve(self.vault.address, amount + 10, sender=owner.address)
            self.vault.deposit(self.token.address, amount, provenance, case_id, sender=owner.address)
        order_return(world, neighbour)
        self.first, self.second = (
            approved(world, delay=0, asset=self.token.address, amount=100, provenance=Provenance.MINED)
            for _ in range(2)
        )
        wait(LARGE_DELAY)

    def ready(self) -> dict[str, bytes]:
        """Calls that would go through if the vault were not inside of another."""
        return {
            "the same release": call_of(RELEASE, self.first),
            "another release": call_of(RELEASE, self.second),
            "the return": call_of(RETURN, CASE, self.token.address),
            "the journal's head": CALLS["journal_head()"],
        }

    def books(self) -> tuple[int, ...]:
        """What the vault says and what the token says."""
        vault, token = self.vault, self.token
        return (
            vault.held(token.address),
            vault.case_amount(CASE, token.address),
            *(token.balanceOf(owner.address) for owner in (vault, treasury, neighbour, custodian)),
        )


ACTS: dict[str, Callable[[Reserve], object]] = {
    "deposit": lambda reserve: reserve.vault.deposit(
        reserve.token.address, 10, Provenance.MINED, NO_HASH, sender=custodian.address
    ),
    "execute_release": lambda reserve: reserve.vault.execute_release(reserve.first),
    "execute_return": lambda reserve: reserve.vault.execute_return(CASE, reserve.token.address),
}
"""All that move tokens."""
AFTER = {
    "deposit": (1_010, 200, 1_010, 0, 0, 0),
    "execute_release": (900, 200, 900, 100, 0, 10),
    "execute_return": (800, 0, 800, 0, 200, 10),
}
"""The books once the act has happened, and nothing else."""


@pytest.fixture
def reserve(world: World) -> Reserve:
    """Made anew for each test."""
    return Reserve(world)


@pytest.mark.parametrize("act", ACTS)
def test_every_pair_is_closed(reserve: Reserve, act: str) -> None:
    """Whatever the token calls while it moves is refused, and the money moves once."""
    inner = {name: call for name, call in CALLS.items() if name.split("(")[0] not in UNCHANGING} | reserve.ready()
    assert len(inner) > 40
    for name, call in inner.items():
        with boa.env.anchor():
            reserve.token.set_mode(3, reserve.vault.address, call)
            ACTS[act](reserve)
            assert reserve.token.reentered()
            assert not reserve.token.succeeded(), f"{name} was let in"
            assert reserve.books() == AFTER[act]


def test_the_same_calls_are_let_in_from_outside(reserve: Reserve) -> None:
    """The probe can succeed: each of the ready ones goes through when nobody is inside."""
    for name, call in reserve.ready().items():
        with boa.env.anchor():
            reserve.token.set_mode(3, reserve.vault.address, call)
            reserve.token.mint(resident.address, 1)
            assert reserve.token.succeeded(), name
