"""CityChannels.open: a channel with a licensed hub."""

import boa
import pytest

from alatau.artifacts.artifact import load
from tests.contracts.city_channels.tills import DEPOSIT, agreement, open_till, till_of
from tests.contracts.world import (
    ZERO,
    World,
    compliance,
    deploy,
    deploy_mock,
    guardian,
    hub,
    licensor,
    merchant,
    resident,
)


def test_opening_puts_money_in(world: World) -> None:
    """The id is the one that wallets compute; the money is held."""
    till = open_till(world)
    assert world.channels.channel_id(till.key) == till.id
    assert world.channels.used(till.id)
    assert world.channels.held() == DEPOSIT == world.token.balanceOf(world.channels.address)


def test_channel_may_be_opened_empty(world: World) -> None:
    """A merchant pays nothing in."""
    till = till_of(a=merchant)
    world.channels.open(hub.address, till.parties.salt, 0, sender=merchant.address)
    assert world.channels.used(till.id)
    assert world.channels.held() == 0


def test_id_is_used_once_for_ever(world: World) -> None:
    """Not while open, and not after it was settled."""
    till = open_till(world)
    with boa.reverts("channels: id used"):
        world.channels.open(hub.address, till.parties.salt, 0, sender=resident.address)
    world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0))
    with boa.reverts("channels: id used"):
        world.channels.open(hub.address, till.parties.salt, 0, sender=resident.address)
    open_till(world, salt=1)


@pytest.mark.parametrize("partner", [merchant.address, ZERO], ids=["merchant", "nobody"])
def test_partner_is_a_licensed_hub(world: World, partner: str) -> None:
    """Nobody else takes deposits."""
    with boa.reverts("channels: hub not licensed"):
        world.channels.open(partner, bytes(32), 0, sender=resident.address)


@pytest.mark.parametrize("lose", ["licence", "standing"])
def test_hub_without_licence_opens_no_more(world: World, lose: str) -> None:
    """A withdrawn licence and a suspension count at once."""
    if lose == "licence":
        world.participants.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    else:
        world.participants.suspend(hub.address, sender=compliance.address)
    with boa.reverts("channels: hub not licensed"):
        world.channels.open(hub.address, bytes(32), 0, sender=resident.address)


def test_nobody_has_a_channel_with_himself(world: World) -> None:
    """Not even a hub."""
    with boa.reverts("channels: one party"):
        world.channels.open(hub.address, bytes(32), 0, sender=hub.address)


def test_pause_stops_opening(world: World) -> None:
    """No new money during a pause."""
    world.channel_pause.pause(sender=guardian.address)
    with boa.reverts("channels: paused"):
        world.channels.open(hub.address, bytes(32), 0, sender=resident.address)


@pytest.mark.parametrize("amount", [2**112, 2**255])
def test_amounts_fit_their_words(world: World, amount: int) -> None:
    """What does not fit 112 bits is refused, not cut."""
    with boa.reverts("channels: amount out of range"):
        world.channels.open(hub.address, bytes(32), amount, sender=resident.address)


@pytest.mark.parametrize("mode", [1, 2, 5], ids=["returns false", "takes a fee", "moves nothing"])
def test_dishonest_token_opens_nothing(world: World, mode: int) -> None:
    """What did not arrive whole is in no channel."""
    hostile = deploy_mock("HostileToken")
    channels = deploy("CityChannels", hostile.address, world.participants.address, world.channel_pause.address, 20, 600)
    hostile.mint(resident.address, 100)
    hostile.approve(channels.address, 100, sender=resident.address)
    hostile.set_mode(mode, ZERO, b"")
    with boa.reverts():
        channels.open(hub.address, bytes(32), 100, sender=resident.address)
    assert channels.held() == 0


def test_layout_is_frozen() -> None:
    """Where money and evidence lie: proofs and successors rely on it."""
    places = load("CityChannels").layout["storage_layout"]
    found = {name: entry["slot"] for module in places.values() for name, entry in module.items()}
    assert found == {
        "_held": 0,
        "_credit": 1,
        "claim_nonce": 2,
        "revealed_at": 3,
        "_channels": 4,
    }
