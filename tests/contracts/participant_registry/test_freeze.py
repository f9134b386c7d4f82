"""ParticipantRegistry.freeze and release: a court's hold on money."""

import boa

from tests.contracts.world import (
    NO_HASH,
    World,
    compliance,
    court,
    neighbour,
    now,
    resident,
    wait,
)

ORDER = b"\x0c" * 32


def test_frozen_part_stays_the_rest_moves(world: World) -> None:
    """Of 100,000 with 70,000 frozen, 30,000 may be spent; receiving goes on."""
    world.token.transfer(neighbour.address, 10, sender=resident.address)
    world.participants.freeze(resident.address, ORDER, 70_000, now() + 1_000, sender=court.address)
    with boa.reverts("token: frozen"):
        world.token.transfer(neighbour.address, 29_991, sender=resident.address)
    world.token.transfer(neighbour.address, 29_990, sender=resident.address)
    world.token.transfer(resident.address, 1, sender=neighbour.address)
    assert world.token.balanceOf(resident.address) == 70_001


def test_freeze_ends_at_its_second(world: World) -> None:
    """Without anybody's act."""
    world.participants.freeze(resident.address, ORDER, 2**255, now() + 1_000, sender=court.address)
    wait(999)
    with boa.reverts("token: frozen"):
        world.token.transfer(neighbour.address, 1, sender=resident.address)
    assert world.participants.freeze_order(resident.address) == ORDER
    wait(1)
    world.token.transfer(neighbour.address, 1, sender=resident.address)
    assert world.participants.freeze_order(resident.address) == NO_HASH


def test_release_frees_at_once(world: World) -> None:
    """The court lifts what it imposed."""
    world.participants.freeze(resident.address, ORDER, 2**255, 2**64 - 1, sender=court.address)
    world.participants.release(resident.address, sender=court.address)
    world.token.transfer(neighbour.address, 100_000, sender=resident.address)
    with boa.reverts("freeze: none"):
        world.participants.release(resident.address, sender=court.address)


def test_bad_orders_are_refused(world: World) -> None:
    """An order has a hash, an amount and an end, and comes from a court."""
    for arguments, reason in (
        ((NO_HASH, 5, now() + 9), "freeze: no order"),
        ((ORDER, 0, now() + 9), "freeze: no amount"),
        ((ORDER, 5, now()), "freeze: expired"),
        ((ORDER, 5, 2**64), "freeze: expired"),
    ):
        with boa.reverts(reason):
            world.participants.freeze(resident.address, *arguments, sender=court.address)
    with boa.reverts("only the court"):
        world.participants.freeze(resident.address, ORDER, 5, now() + 9, sender=compliance.address)
    with boa.reverts("only the court"):
        world.participants.release(resident.address, sender=compliance.address)
