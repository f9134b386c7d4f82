"""CityChannels.deposit: either party adds money to an open channel."""

import boa

from tests.contracts.city_channels.tills import DEPOSIT, HUB_DEPOSIT, agreement, open_till, start_closing, till_of
from tests.contracts.world import World, guardian, hub, neighbour, resident


def test_both_parties_may_add(world: World) -> None:
    """Each to its own side."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    world.token.approve(world.channels.address, 500, sender=resident.address)
    world.channels.deposit(till.key, 500, sender=resident.address)
    seen = world.channels.channel(till.id)
    assert (seen.deposit_a, seen.deposit_b) == (DEPOSIT + 500, HUB_DEPOSIT)
    assert world.channels.held() == DEPOSIT + 500 + HUB_DEPOSIT


def test_others_do_not_add(world: World) -> None:
    """Whose would it be?"""
    till = open_till(world)
    with boa.reverts("channels: not a party"):
        world.channels.deposit(till.key, 0, sender=neighbour.address)


def test_only_open_channels_take_money(world: World) -> None:
    """Neither unknown, closing nor settled ones."""
    with boa.reverts("channels: not open"):
        world.channels.deposit(till_of().key, 0, sender=resident.address)
    till = open_till(world)
    start_closing(world, till)
    with boa.reverts("channels: not open"):
        world.channels.deposit(till.key, 0, sender=resident.address)
    world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0))
    with boa.reverts("channels: not open"):
        world.channels.deposit(till.key, 0, sender=hub.address)


def test_pause_stops_deposits(world: World) -> None:
    """No more money during a pause."""
    till = open_till(world)
    world.channel_pause.pause(sender=guardian.address)
    with boa.reverts("channels: paused"):
        world.channels.deposit(till.key, 0, sender=hub.address)


def test_sum_of_a_side_fits_its_bits(world: World) -> None:
    """One side never runs into the other's bits."""
    till = open_till(world)
    for party in (resident, hub):
        with boa.reverts("channels: amount out of range"):
            world.channels.deposit(till.key, 2**112, sender=party.address)
    with boa.reverts("channels: amount out of range"):
        world.channels.deposit(till.key, 2**112 - DEPOSIT, sender=resident.address)
