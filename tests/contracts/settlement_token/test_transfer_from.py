"""SettlementToken.approve and transferFrom: paying from who allowed it."""

import boa

from tests.contracts.world import ZERO, World, hub, neighbour, resident


def test_allowance_is_used_up(world: World) -> None:
    """To the unit."""
    world.token.approve(hub.address, 100, sender=resident.address)
    world.token.transferFrom(resident.address, neighbour.address, 60, sender=hub.address)
    assert world.token.allowance(resident.address, hub.address) == 40
    with boa.reverts("token: allowance"):
        world.token.transferFrom(resident.address, neighbour.address, 41, sender=hub.address)
    world.token.transferFrom(resident.address, neighbour.address, 40, sender=hub.address)
    assert world.token.balanceOf(neighbour.address) == 100


def test_unlimited_allowance_is_not(world: World) -> None:
    """2**256 - 1 stays what it is."""
    world.token.approve(hub.address, 2**256 - 1, sender=resident.address)
    world.token.transferFrom(resident.address, neighbour.address, 60, sender=hub.address)
    assert world.token.allowance(resident.address, hub.address) == 2**256 - 1


def test_nothing_moves_without_allowance(world: World) -> None:
    """Not even for the richest hub."""
    with boa.reverts("token: allowance"):
        world.token.transferFrom(resident.address, hub.address, 1, sender=hub.address)


def test_nobody_cannot_be_allowed(world: World) -> None:
    """The zero address spends nothing."""
    with boa.reverts("token: no spender"):
        world.token.approve(ZERO, 1, sender=resident.address)
