"""SettlementToken.transfer and transfer_with_purpose: money between participants in good standing."""

import boa
import pytest

from tests.contracts.world import (
    TIER_1_CAP,
    ZERO,
    World,
    compliance,
    custodian,
    guardian,
    hub,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
    wait,
)


def test_money_moves(world: World) -> None:
    """What one loses the other gains; the supply stays."""
    supply = world.token.totalSupply()
    assert world.token.transfer(neighbour.address, 250, sender=resident.address)
    (event,) = world.token.get_logs()
    assert (event.sender, event.receiver, event.amount) == (resident.address, neighbour.address, 250)
    assert world.token.balanceOf(resident.address) == 99_750
    assert world.token.balanceOf(neighbour.address) == 250
    assert world.token.totalSupply() == supply


@pytest.mark.parametrize("amount", [0, 100_000])
def test_nothing_and_everything_may_be_paid(world: World, amount: int) -> None:
    """The edges of a balance."""
    world.token.transfer(neighbour.address, amount, sender=resident.address)
    assert world.token.balanceOf(resident.address) == 100_000 - amount


@pytest.mark.parametrize("amount", [100_001, 2**128, 2**240, 2**256 - 1])
def test_more_than_the_balance_is_refused(world: World, amount: int) -> None:
    """Also amounts that would spill into the bits beside the balance."""
    with boa.reverts("token: balance"):
        world.token.transfer(neighbour.address, amount, sender=resident.address)


def test_paying_oneself_changes_nothing(world: World) -> None:
    """Neither remembered nor unremembered accounts gain by it."""
    for _ in range(2):
        world.token.transfer(resident.address, 100_000, sender=resident.address)
        assert world.token.balanceOf(resident.address) == 100_000
    with boa.reverts("token: balance"):
        world.token.transfer(resident.address, 100_001, sender=resident.address)


@pytest.mark.parametrize("receiver", [stranger.address, ZERO], ids=["stranger", "nobody"])
def test_money_stays_among_participants(world: World, receiver: str) -> None:
    """Who is not registered holds none."""
    with boa.reverts():
        world.token.transfer(receiver, 5, sender=resident.address)


def test_strangers_send_nothing(world: World) -> None:
    """Not even nothing."""
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(resident.address, 0, sender=stranger.address)


def test_cap_of_the_tier_binds_the_receiver(world: World) -> None:
    """A resident of tier 1 may hold up to the cap, to the unit; institutions have none."""
    world.token.transfer(neighbour.address, TIER_1_CAP, sender=custodian.address)
    for _ in range(2):
        with boa.reverts("token: above the receiver's cap"):
            world.token.transfer(neighbour.address, 1, sender=custodian.address)
    world.token.transfer(hub.address, 1_000_000, sender=custodian.address)


def test_registration_that_expires_is_never_remembered(world: World) -> None:
    """An account's last second is its last payment."""
    world.participants.register(neighbour.address, 1, 1, now() + 100, sender=registrar.address)
    world.token.transfer(neighbour.address, 50, sender=resident.address)
    wait(99)
    world.token.transfer(neighbour.address, 1, sender=resident.address)
    wait(1)
    with boa.reverts("token: receiver not admitted"):
        world.token.transfer(neighbour.address, 1, sender=resident.address)
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(resident.address, 1, sender=neighbour.address)


def test_pause_stops_remembered_accounts_too(world: World) -> None:
    """The guardian's pause is instant for everyone."""
    world.token.transfer(neighbour.address, 50, sender=resident.address)
    world.token.pause(sender=guardian.address)
    with boa.reverts("token: paused"):
        world.token.transfer(neighbour.address, 50, sender=resident.address)


def test_suspension_of_the_receiver_binds(world: World) -> None:
    """Nobody pays a suspect."""
    world.token.transfer(neighbour.address, 50, sender=resident.address)
    world.participants.suspend(neighbour.address, sender=compliance.address)
    with boa.reverts("token: receiver not admitted"):
        world.token.transfer(neighbour.address, 50, sender=resident.address)


def test_purpose_is_on_record(world: World) -> None:
    """A payment may say what for."""
    world.token.transfer_with_purpose(neighbour.address, 5, b"\x07" * 32, sender=resident.address)
    purpose = world.token.get_logs()[-1]
    assert (type(purpose).__name__, purpose.purpose, purpose.amount) == ("Purpose", b"\x07" * 32, 5)
