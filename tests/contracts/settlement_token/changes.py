"""Decisions of the council about the token, as the tests propose them."""

from enum import IntEnum

from tests.contracts.world import DELAY, World, banker, chair, decide, terms


class Action(IntEnum):
    """Kinds of change, as in the contract."""

    SET_ALLOWANCE = 1
    UNPAUSE = 2
    SET_REGISTRY = 3
    SET_RESERVE = 4


def approved(world: World, action: Action, subject: str, value: int = 0, delay: int = DELAY) -> bytes:
    """Propose, approve and let ripen; gives the decision's id."""
    change = (action, subject, value, terms(world.fund_council))
    identity: bytes = world.token.propose_change(change, sender=chair.address)
    decide(world.token, identity, chair, banker, delay=delay)
    return identity
