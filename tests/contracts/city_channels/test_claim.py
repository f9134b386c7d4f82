"""CityChannels.claim: credits are pulled, each by itself."""

import boa
import pytest

from alatau.crypto.keccak import keccak256
from tests.contracts.city_channels.tills import DEPOSIT, NO_CLAIM, agreement, open_till, own
from tests.contracts.world import (
    ZERO,
    World,
    compliance,
    deploy,
    deploy_mock,
    guardian,
    hub,
    licensor,
    neighbour,
    resident,
    stranger,
)


def test_claim_pays_once(world: World) -> None:
    """To whom it belongs, whoever asks."""
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, 9_000, 1_000))
    before = world.token.balanceOf(resident.address)
    world.channels.claim(resident.address, sender=stranger.address)
    assert world.token.balanceOf(resident.address) - before == 9_000
    assert world.channels.held() == 1_000
    with boa.reverts("channels: no credit"):
        world.channels.claim(resident.address)


def test_one_partys_trouble_is_not_the_others(world: World) -> None:
    """A suspended party's claim waits; the other is paid."""
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, 9_000, 1_000))
    world.participants.suspend(resident.address, sender=compliance.address)
    with boa.reverts("token: receiver not admitted"):
        world.channels.claim(resident.address)
    world.channels.claim(hub.address)
    world.participants.reinstate(resident.address, sender=compliance.address)
    world.channels.claim(resident.address)
    assert world.channels.held() == 0


def test_pause_of_the_channels_does_not_stop_claims(world: World) -> None:
    """Only the token's own pause does, and only for its time."""
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0))
    world.channel_pause.pause(sender=guardian.address)
    before = world.token.balanceOf(resident.address)
    world.channels.claim(resident.address)
    assert world.token.balanceOf(resident.address) - before == DEPOSIT
    assert world.channels.held() == 0


@pytest.mark.parametrize("view", [False, True], ids=["claims again", "reads"])
def test_token_that_re_enters_gets_nothing_twice(world: World, view: bool) -> None:
    """The lock holds for writes and reads alike, and the books are written first."""
    hostile = deploy_mock("HostileToken")
    channels = deploy("CityChannels", hostile.address, world.participants.address, world.channel_pause.address, 1, 1)
    for owner in (resident, neighbour):
        hostile.mint(owner.address, 100)
        hostile.approve(channels.address, 100, sender=owner.address)
        channels.open(hub.address, bytes(32), 100, sender=owner.address)
        key = (owner.address, hub.address, bytes(32))
        channels.close(key, own(owner), NO_CLAIM, sender=owner.address)
    boa.env.timestamp += 5
    boa.env.evm.patch.block_number += 5
    channels.settle_many([(owner.address, hub.address, bytes(32)) for owner in (resident, neighbour)])
    again = keccak256(b"held()")[:4] if view else keccak256(b"claim(address)")[:4] + bytes(12) + resident.raw
    hostile.set_mode(3, channels.address, again)
    channels.claim(resident.address)
    assert hostile.reentered()
    assert not hostile.succeeded()
    assert hostile.balanceOf(resident.address) == 100
    hostile.set_mode(0, ZERO, b"")
    channels.claim(neighbour.address)
    assert channels.held() == 0


def settled(world: World, payout: int = 9_000) -> None:
    """A credit of the resident."""
    world.channels.close_cooperatively(*agreement(open_till(world), payout, DEPOSIT - payout))


def test_credit_above_the_cap_is_claimed_in_parts(world: World) -> None:
    """What fits now, the rest later."""
    settled(world)
    world.participants.lower_tier_cap(1, world.token.balanceOf(resident.address) + 4_000, sender=licensor.address)
    with boa.reverts("token: above the receiver's cap"):
        world.channels.claim(resident.address)
    world.channels.claim(resident.address, 4_000)
    assert world.channels.credit(resident.address) == 5_000
    world.token.transfer(neighbour.address, 5_000, sender=resident.address)
    world.channels.claim(resident.address, 2**256 - 1)
    assert world.channels.credit(resident.address) == 0
    with boa.reverts("channels: no credit"):
        world.channels.claim(resident.address, 1)


def test_nothing_is_no_claim(world: World) -> None:
    """A claim of nothing is refused."""
    settled(world)
    with boa.reverts("channels: no credit"):
        world.channels.claim(resident.address, 0)
