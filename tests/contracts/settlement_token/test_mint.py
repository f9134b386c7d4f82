"""SettlementToken.mint and burn: issuing within an allowance, redeeming at any time."""

import boa
import pytest

from tests.contracts.world import (
    World,
    court,
    guardian,
    issuer,
    neighbour,
    now,
    resident,
    stranger,
)


def test_issuer_mints_within_its_allowance(world: World) -> None:
    """Down to nothing, and no further."""
    supply = world.token.totalSupply()
    world.token.mint(neighbour.address, 1_000, sender=issuer.address)
    assert world.token.balanceOf(neighbour.address) == 1_000
    assert world.token.totalSupply() == supply + 1_000
    assert world.token.issuer_allowance(issuer.address) == 9_999_000
    with boa.reverts("token: issuer allowance"):
        world.token.mint(neighbour.address, 9_999_001, sender=issuer.address)


@pytest.mark.parametrize("amount", [0, 1])
def test_others_mint_nothing(world: World, amount: int) -> None:
    """Not even nothing."""
    with boa.reverts("token: issuer allowance"):
        world.token.mint(resident.address, amount, sender=resident.address)


def test_money_is_issued_to_participants_within_their_cap(world: World) -> None:
    """The rules of receiving hold for new money too."""
    with boa.reverts("token: receiver not admitted"):
        world.token.mint(stranger.address, 1, sender=issuer.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.mint(neighbour.address, 1_000_001, sender=issuer.address)


def test_nothing_is_issued_during_a_pause(world: World) -> None:
    """A pause stops value."""
    world.token.pause(sender=guardian.address)
    with boa.reverts("token: paused"):
        world.token.mint(resident.address, 1, sender=issuer.address)


def test_holder_redeems_also_during_a_pause(world: World) -> None:
    """A pause does not stop recovery."""
    world.token.pause(sender=guardian.address)
    supply = world.token.totalSupply()
    world.token.burn(40_000, sender=resident.address)
    assert world.token.balanceOf(resident.address) == 60_000
    assert world.token.totalSupply() == supply - 40_000
    with boa.reverts("token: balance"):
        world.token.burn(60_001, sender=resident.address)


def test_frozen_money_is_not_burnt(world: World) -> None:
    """Evidence does not disappear."""
    world.participants.freeze(resident.address, b"\x01" * 32, 70_000, now() + 50, sender=court.address)
    with boa.reverts("token: frozen"):
        world.token.burn(30_001, sender=resident.address)
    world.token.burn(30_000, sender=resident.address)
