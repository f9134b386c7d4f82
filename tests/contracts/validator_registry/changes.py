"""Changes of the validator set, as the tests propose them."""

from enum import IntEnum
from typing import Any

from tests.contracts.actors import Actor
from tests.contracts.world import DELAY, NO_HASH, ZERO, banker, chair, decide, terms

ValidatorTuple = tuple[str, str, bytes, str, int, str]
"""operator, voting key, TLS key hash, endpoint, power, name."""


class Action(IntEnum):
    """Kinds of change, as in the contract."""

    ADMIT = 1
    REMOVE = 2
    ROTATE = 3
    SET_POWER = 4
    ADMIT_OBSERVER = 5
    REVOKE_OBSERVER = 6
    BIND_GENESIS = 7


def validator(operator: Actor, voter: Actor, number: int = 9, power: int = 100) -> ValidatorTuple:
    """A validator as the contract takes it."""
    return (operator.address, voter.address, bytes((number,)) * 32, "new.example:7001", power, operator.role)


def subject_of(operator: str = ZERO, tls_key_hash: bytes = NO_HASH, power: int = 0, name: str = "") -> ValidatorTuple:
    """A validator with what an action needs, and nothing else."""
    return (operator, ZERO, tls_key_hash, "", power, name)


def change(
    world: Any, action: Action, subject: ValidatorTuple
) -> tuple[int, ValidatorTuple, tuple[int, int, int, int]]:
    """A change with terms of now."""
    return (action, subject, terms(world.fund_council))


def approved(world: Any, action: Action, subject: ValidatorTuple, delay: int = DELAY) -> bytes:
    """Propose, approve and let ripen; gives the decision's id."""
    identity: bytes = world.validators.propose_change(change(world, action, subject), sender=chair.address)
    decide(world.validators, identity, chair, banker, delay=delay)
    return identity


def carry_out(world: Any, action: Action, subject: ValidatorTuple, delay: int = DELAY) -> None:
    """All of it."""
    world.validators.execute_change(approved(world, action, subject, delay))
