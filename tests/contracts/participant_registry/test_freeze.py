"""ParticipantRegistry.freeze and release: a court's hold on money."""

import boa

from tests.contracts.settlement_token.recoveries import approved
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

ORDER, OTHER = b"\x0c" * 32, b"\x0d" * 32


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
    assert world.participants.court_orders_of(resident.address) == [(ORDER, 2**255, now() + 1)]
    wait(1)
    world.token.transfer(neighbour.address, 1, sender=resident.address)
    assert world.participants.court_orders_of(resident.address) == []


def test_release_frees_at_once(world: World) -> None:
    """The court lifts what it imposed."""
    world.participants.freeze(resident.address, ORDER, 2**255, 2**64 - 1, sender=court.address)
    world.participants.release(resident.address, ORDER, sender=court.address)
    world.token.transfer(neighbour.address, 100_000, sender=resident.address)
    with boa.reverts("freeze: none"):
        world.participants.release(resident.address, ORDER, sender=court.address)


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
        world.participants.release(resident.address, ORDER, sender=compliance.address)


def test_later_order_lifts_no_earlier_one(world: World) -> None:
    """Amounts add up, each order ends by itself, and each is released by its own hash."""
    registry, token = world.participants, world.token
    registry.freeze(resident.address, ORDER, 60_000, now() + 1_000, sender=court.address)
    registry.freeze(resident.address, OTHER, 30_000, now() + 500, sender=court.address)
    with boa.reverts("token: frozen"):
        token.transfer(neighbour.address, 10_001, sender=resident.address)
    token.transfer(neighbour.address, 10_000, sender=resident.address)
    with boa.env.anchor():
        registry.release(resident.address, ORDER, sender=court.address)
        assert registry.standing(resident.address).frozen == 30_000
        registry.release(resident.address, OTHER, sender=court.address)
        token.transfer(neighbour.address, 90_000, sender=resident.address)
    wait(500)
    assert registry.standing(resident.address).frozen == 60_000
    with boa.reverts("token: frozen"):
        token.transfer(neighbour.address, 30_001, sender=resident.address)
    with boa.env.anchor():
        wait(500)
        assert registry.standing(resident.address).frozen == 0
        token.transfer(neighbour.address, 90_000, sender=resident.address)
    with boa.reverts("freeze: none"):
        registry.release(resident.address, b"\x0e" * 32, sender=court.address)


def test_same_order_again_amends_it(world: World) -> None:
    """The court may say less or more by the order that it gave, and ends it no earlier than it says."""
    for amount in (60_000, 20_000):
        world.participants.freeze(resident.address, ORDER, amount, now() + amount, sender=court.address)
        assert world.participants.standing(resident.address).frozen == amount
    assert world.participants.court_orders_of(resident.address) == [(ORDER, 20_000, now() + 20_000)]


def test_orders_that_exceed_all_money_still_add_up(world: World) -> None:
    """The sum of two boundless orders is everything, not nothing."""
    for order in (ORDER, OTHER):
        world.participants.freeze(resident.address, order, 2**256 - 1, 2**64 - 1, sender=court.address)
    assert world.participants.standing(resident.address).frozen == 2**256 - 1


def test_eight_orders_run_and_a_ninth_waits_until_one_ends(world: World) -> None:
    """What has expired makes room by itself."""
    registry = world.participants
    for number in range(8):
        registry.freeze(resident.address, bytes((number + 1,)) * 32, 10, now() + 100 + number, sender=court.address)
    with boa.reverts("freeze: too many orders"):
        registry.freeze(resident.address, b"\x09" * 32, 10, now() + 500, sender=court.address)
    wait(100)
    registry.freeze(resident.address, b"\x09" * 32, 10, now() + 500, sender=court.address)
    assert registry.standing(resident.address).frozen == 80


def test_what_was_recovered_is_frozen_no_more(world: World) -> None:
    """Of two orders, one carried out in part: only the rest of both is held."""
    world.participants.freeze(resident.address, ORDER, 60_000, 2**64 - 1, sender=court.address)
    world.participants.freeze(resident.address, OTHER, 10_000, 2**64 - 1, sender=court.address)
    world.recoveries.execute_recovery(approved(world, 50_000))
    with boa.reverts("token: frozen"):
        world.token.transfer(neighbour.address, 30_001, sender=resident.address)
    with boa.reverts("token: frozen"):
        world.token.burn(30_001, sender=resident.address)
    world.token.transfer(neighbour.address, 30_000, sender=resident.address)
    assert world.token.balanceOf(resident.address) == 20_000
