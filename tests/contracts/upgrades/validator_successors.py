"""A second validator registry, and the decision that puts it in office."""

from typing import Any

from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    decide,
    deploy,
    terms,
)


def successor_of(world: World, council: Any = None, **changes: Any) -> Any:
    """A registry filled with what the one in office says, save for ``changes`` of its first validator."""
    names = ("operator", "voting_key", "tls_key_hash", "endpoint", "power", "name")
    rows = [dict(zip(names, row, strict=True)) for row in world.validators.validators()]
    rows[0] |= changes
    body = council or world.fund_council
    observers = [tuple(row) for row in world.validators.observers()]
    return deploy("ValidatorRegistry", body.address, DELAY, [tuple(row.values()) for row in rows], observers)


def approved_handover(world: World, successor: Any) -> tuple[Any, ...]:
    """A handover that is approved and ripe: its arguments."""
    arguments = (successor.address, terms(world.fund_council))
    identity = world.validators.propose_handover(*arguments, sender=chair.address)
    decide(world.validators, identity, chair, banker, delay=3 * DELAY)
    return arguments
