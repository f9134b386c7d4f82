"""Recoveries of what a court froze, as the tests propose them."""

from typing import Any

from tests.contracts.actors import Actor
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    court,
    decide,
    neighbour,
    resident,
    terms,
)

ORDER = b"\x0c" * 32


def freeze(world: World, amount: int = 500, order: bytes = ORDER, account: Actor = resident) -> None:
    """A court order until released."""
    world.participants.freeze(account.address, order, amount, 2**64 - 1, sender=court.address)


def recovery(world: World, amount: int, **changes: Any) -> tuple[Any, ...]:
    """From the resident to the neighbour, by the order."""
    fields = {"source": resident.address, "receiver": neighbour.address, "amount": amount, "order": ORDER} | changes
    return (*fields.values(), terms(world.fund_council, lasts=10 * DELAY))


def approved(world: World, amount: int, delay: int = DELAY, **changes: Any) -> bytes:
    """Proposed by the court, approved by the council, ripe."""
    identity: bytes = world.recoveries.propose_recovery(recovery(world, amount, **changes), sender=court.address)
    decide(world.recoveries, identity, chair, banker, delay=delay)
    return identity
