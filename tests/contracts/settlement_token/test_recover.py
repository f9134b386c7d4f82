"""SettlementToken.recover: a court moves what it has frozen."""

import boa

from tests.contracts.world import (
    NO_HASH,
    World,
    compliance,
    court,
    guardian,
    neighbour,
    now,
    resident,
    stranger,
    wait,
)

ORDER = b"\x0c" * 32


def test_court_moves_the_frozen_amount_in_all(world: World) -> None:
    """In parts, up to the order's amount, also during a pause."""
    world.participants.freeze(resident.address, ORDER, 500, now() + 50, sender=court.address)
    world.token.pause(sender=guardian.address)
    world.token.recover(resident.address, neighbour.address, 300, ORDER, sender=court.address)
    with boa.reverts("token: beyond the order"):
        world.token.recover(resident.address, neighbour.address, 201, ORDER, sender=court.address)
    world.token.recover(resident.address, neighbour.address, 200, ORDER, sender=court.address)
    assert world.token.balanceOf(neighbour.address) == 500
    assert world.token.balanceOf(resident.address) == 99_500


def test_recovery_needs_the_order_in_force(world: World) -> None:
    """No order, another order, an order that ended: nothing moves."""
    with boa.reverts("token: no order"):
        world.token.recover(resident.address, neighbour.address, 1, NO_HASH, sender=court.address)
    with boa.reverts("token: not frozen by this order"):
        world.token.recover(resident.address, neighbour.address, 1, ORDER, sender=court.address)
    world.participants.freeze(resident.address, ORDER, 500, now() + 50, sender=court.address)
    with boa.reverts("token: not frozen by this order"):
        world.token.recover(resident.address, neighbour.address, 1, b"\x01" * 32, sender=court.address)
    wait(50)
    with boa.reverts("token: not frozen by this order"):
        world.token.recover(resident.address, neighbour.address, 1, ORDER, sender=court.address)


def test_only_courts_recover(world: World) -> None:
    """And only to participants, and only what is there."""
    world.participants.freeze(resident.address, ORDER, 2**255, now() + 50, sender=court.address)
    with boa.reverts("only the court"):
        world.token.recover(resident.address, neighbour.address, 1, ORDER, sender=compliance.address)
    with boa.reverts("token: receiver not admitted"):
        world.token.recover(resident.address, stranger.address, 1, ORDER, sender=court.address)
    with boa.reverts("token: balance"):
        world.token.recover(resident.address, neighbour.address, 100_001, ORDER, sender=court.address)
