"""Decisions of the council about the registry, as the tests propose them."""

from enum import IntEnum

from tests.contracts.world import DELAY, World, banker, chair, decide, terms


class Action(IntEnum):
    """Kinds of change, as in the contract."""

    GRANT_ROLE = 1
    WITHDRAW_ROLE = 2
    ADD_LISTENER = 3
    REMOVE_LISTENER = 4


class Cap(IntEnum):
    """Whose cap, as in the contract."""

    TIER = 1
    CAPITAL_CLASS = 2


def approved_cap(world: World, whose: Cap, number: int, cap: int, delay: int = DELAY) -> bytes:
    """The same for a cap."""
    change = (whose, number, cap, terms(world.fund_council))
    identity: bytes = world.participants.propose_cap(change, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=delay)
    return identity


def approved(world: World, action: Action, subject: str, value: int = 0, delay: int = DELAY) -> bytes:
    """Propose, approve and let ripen; gives the decision's id."""
    change = (action, subject, value, terms(world.fund_council))
    identity: bytes = world.participants.propose_change(change, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=delay)
    return identity
