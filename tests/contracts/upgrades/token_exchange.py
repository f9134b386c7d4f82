"""A second settlement token, and where the first one becomes it."""

from dataclasses import replace
from typing import Any

from alatau.artifacts.genesis import NO_THRESHOLD
from tests.contracts.settlement_token.changes import NO_LIMITS, Action, approved
from tests.contracts.world import DELAY, ZERO, World, deploy, licensor

CONTRACT = 4


def replaced_token(world: World) -> tuple[Any, Any]:
    """The new token and the exchange, which is its only issuer, for as much as the old one owes."""
    new = deploy(
        "SettlementToken",
        "Digital Tenge 2",
        "KZTD",
        2,
        world.fund_council.address,
        DELAY,
        world.participants.address,
        [],
        [],
        ZERO,
        [NO_LIMITS] * 2,
        NO_THRESHOLD,
        ZERO,
    )
    exchange = deploy("TokenExchange", world.token.address, new.address)
    world.participants.admit_institution(exchange.address, CONTRACT, sender=licensor.address)
    allowance = approved(replace(world, token=new), Action.SET_ALLOWANCE, exchange.address, world.token.totalSupply())
    new.execute_change(allowance)
    return new, exchange
