"""CityChannels.fund and rebalance: money moves between credits and channels inside the contract."""

import boa
import pytest

from tests.contracts.city_channels.tills import (
    DEPOSIT,
    agreement,
    consent,
    credited,
    open_till,
    start_closing,
    till_of,
)
from tests.contracts.world import World, compliance, court, guardian, hub, merchant, neighbour, now, resident


def test_credit_funds_a_channel_without_the_token(world: World) -> None:
    """A hub's credit becomes liquidity of a merchant's channel."""
    world.channels.close_cooperatively(*agreement(open_till(world), 4_000, 6_000))
    target = till_of(a=merchant)
    world.channels.open(hub.address, target.parties.salt, 0, sender=merchant.address)
    tokens = world.token.balanceOf(world.channels.address)
    world.channels.fund(target.key, 5_000, sender=hub.address)
    assert world.channels.channel(target.id).deposit_b == 5_000
    assert (credited(world), world.channels.held()) == ((4_000, 1_000), DEPOSIT)
    assert world.token.balanceOf(world.channels.address) == tokens
    for amount in (0, 1_001):
        with boa.reverts("channels: no credit"):
            world.channels.fund(target.key, amount, sender=hub.address)
    with boa.reverts("channels: not a party"):
        world.channels.fund(target.key, 1, sender=resident.address)


def test_hub_moves_money_between_its_channels(world: World) -> None:
    """With the consent of the one that it leaves; sums stay."""
    source, target = open_till(world, hub_amount=3_000), open_till(world, salt=1)
    total, deadline, given = consent(source, hub, 2_000, by=resident)[1:]
    world.channels.rebalance(source.key, total, deadline, given, target.key, sender=hub.address)
    assert world.channels.channel(source.id).withdrawn_b == 2_000
    assert world.channels.channel(target.id).deposit_b == 2_000
    assert world.channels.held() == 2 * DEPOSIT + 3_000
    with boa.reverts("channels: withdrawn already"):
        world.channels.rebalance(source.key, total, deadline, given, target.key, sender=hub.address)
    world.channels.close_cooperatively(*agreement(source, DEPOSIT, 1_000))
    world.channels.close_cooperatively(*agreement(target, DEPOSIT, 2_000))


def test_both_channels_are_open_and_the_callers(world: World) -> None:
    """Nothing leaves for a channel that closes, or of others."""
    source, target = open_till(world, hub_amount=3_000), open_till(world, salt=1)
    given = consent(source, hub, 2_000, by=resident)[1:]
    with boa.reverts("channels: not a party"):
        world.channels.rebalance(source.key, *given, target.key, sender=neighbour.address)
    start_closing(world, target)
    with boa.reverts("channels: not open"):
        world.channels.rebalance(source.key, *given, target.key, sender=hub.address)
    assert world.channels.channel(source.id).withdrawn_b == 0


@pytest.mark.parametrize("how", ["paused", "frozen", "suspended"])
def test_pause_freeze_and_suspension_stop_it(world: World, how: str) -> None:
    """Neither new liquidity in a pause, nor a way around a court."""
    source, target = open_till(world, hub_amount=3_000), open_till(world, salt=1)
    world.channels.close_cooperatively(*agreement(open_till(world, salt=2), 4_000, 6_000))
    given = consent(source, hub, 2_000, by=resident)[1:]
    reason = {"paused": "channels: paused", "frozen": "claim: frozen", "suspended": "claim: account not admitted"}[how]
    if how == "paused":
        world.channel_pause.pause(sender=guardian.address)
    elif how == "frozen":
        world.participants.freeze(hub.address, b"\x01" * 32, 5, now() + 999, sender=court.address)
    else:
        world.participants.suspend(hub.address, sender=compliance.address)
    with boa.reverts(reason):
        world.channels.rebalance(source.key, *given, target.key, sender=hub.address)
    with boa.reverts(reason):
        world.channels.fund(target.key, 5, sender=hub.address)
