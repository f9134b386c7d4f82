"""Couriers between two vaults, as the tests of a moving reserve set them up."""

from dataclasses import replace
from typing import Any

from tests.contracts.reserve_vault.intents import TOKEN, Action, approved, approved_change
from tests.contracts.world import (
    DELAY,
    LARGE_DELAY,
    ZERO,
    World,
    auditor,
    court,
    custodian,
    deploy,
    licensor,
    proposer,
    prosecutor,
    treasury,
)

PROPOSER, CUSTODIAN, COURT, AUDITOR, PROSECUTOR = 1, 2, 4, 8, 16
CONTRACT = 4


def successor_of(world: World, *couriers: tuple[str, int]) -> Any:
    """A vault of the same councils and people, that holds nothing."""
    people = {proposer: PROPOSER, custodian: CUSTODIAN, court: COURT, auditor: AUDITOR, prosecutor: PROSECUTOR}
    roles = [(one.address, role) for one, role in people.items()] + list(couriers)
    assets = [(TOKEN, 1_000_000, 10, 100_000), (ZERO, 10**20, 10**15, 10**19)]
    return deploy(
        "ReserveVault",
        world.reserve_council.address,
        world.fund_council.address,
        DELAY,
        LARGE_DELAY,
        roles,
        [treasury.address],
        assets,
        world.positions.address,
    )


def grant(vault: Any, world: World, holder: str, role: int) -> None:
    """Both councils grant a role in another vault."""
    scratch = in_place_of(world, vault)
    vault.execute_change(approved_change(scratch, Action.GRANT_ROLE, holder, role))


class Move:
    """The reserve of the old vault on its way: couriers allowed there, granted roles here, registered as contracts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.new = successor_of(world)
        self.courier = deploy("ReserveCourier", world.vault.address, self.new.address, ZERO)
        self.bailiff = deploy("ReserveCourier", world.vault.address, self.new.address, ZERO)
        for contract in (self.new, self.courier, self.bailiff):
            world.participants.admit_institution(contract.address, CONTRACT, sender=licensor.address)
        for carrier, role in ((self.courier, CUSTODIAN), (self.bailiff, COURT)):
            world.vault.execute_change(approved_change(world, Action.ALLOW_DESTINATION, carrier.address))
            grant(self.new, world, carrier.address, role)

    def release(self, carrier: Any, **changes: Any) -> bytes:
        """Release to a courier, executed."""
        identity = approved(self.world, delay=LARGE_DELAY, to=carrier.address, **changes)
        self.world.vault.execute_release(identity)
        return identity


def in_place_of(world: World, vault: Any) -> World:
    """The world with another vault, for what tests propose in the vault."""
    return replace(world, vault=vault)
