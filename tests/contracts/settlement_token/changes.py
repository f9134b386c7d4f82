"""Decisions of the council about the token, as the tests propose them."""

from enum import IntEnum
from typing import Any

from alatau.artifacts.genesis import NO_CAP
from tests.contracts.world import DELAY, ZERO, World, banker, chair, decide, terms


class Action(IntEnum):
    """Kinds of change, as in the contract."""

    SET_ALLOWANCE = 1
    UNPAUSE = 2
    SET_REGISTRY = 3
    SET_RESERVE = 4
    SET_LIMITS = 5
    SET_RECOVERIES = 6
    SET_TRAVEL_THRESHOLD = 7


NO_LIMITS = (NO_CAP, NO_CAP, NO_CAP)
"""What the members of a tier without limits may pay at once, in a day and in a month."""

Limits = tuple[int, int, int]


def change(
    world: World, action: int, subject: str = ZERO, value: int = 0, tier: int = 0, limits: Limits = (0, 0, 0)
) -> tuple[Any, ...]:
    """A change of the token as its contract takes it, with terms of its own."""
    return (action, subject, value, tier, *limits, terms(world.fund_council))


def approved(world: World, action: Action, subject: str, value: int = 0, delay: int = DELAY) -> bytes:
    """Propose, approve and let ripen; gives the decision's id."""
    identity: bytes = world.token.propose_change(change(world, action, subject, value), sender=chair.address)
    decide(world.token, identity, chair, banker, delay=delay)
    return identity


def approved_limits(world: World, tier: int, limits: Limits, delay: int = DELAY) -> bytes:
    """The same for the limits of a tier's payments."""
    proposed = change(world, Action.SET_LIMITS, tier=tier, limits=limits)
    identity: bytes = world.token.propose_change(proposed, sender=chair.address)
    decide(world.token, identity, chair, banker, delay=delay)
    return identity


def set_limits(world: World, tier: int, *limits: int) -> None:
    """Payments of a tier's members are limited from now on: at once, in a day, in a month."""
    payment, day, month = limits
    world.token.execute_change(approved_limits(world, tier, (payment, day, month)))
