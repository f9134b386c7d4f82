"""ParticipantRegistry.name_successor, withdraw_successor, veto_successor: the registrar names, the guardian refuses."""

import boa

from tests.contracts.world import (
    DELAY,
    ZERO,
    World,
    compliance,
    guardian,
    hub,
    neighbour,
    registrar,
    resident,
    stranger,
    wait,
)


def test_successor_counts_after_the_delay(world: World) -> None:
    """Not a second before."""
    registry = world.participants
    registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY - 1)
    assert registry.successor_of(resident.address) == ZERO
    wait(1)
    assert registry.successor_of(resident.address) == neighbour.address


def test_another_successor_waits_again(world: World) -> None:
    """While it waits there is none."""
    registry = world.participants
    registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY)
    with boa.reverts("succession: named already"):
        registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    registry.name_successor(resident.address, stranger.address, sender=registrar.address)
    assert registry.successor_of(resident.address) == ZERO


def test_each_act_is_its_offices(world: World) -> None:
    """The registrar names and withdraws; the guardian vetoes, and only what waits."""
    registry = world.participants
    for other in (compliance, guardian, resident):
        with boa.reverts("only the registrar"):
            registry.name_successor(resident.address, neighbour.address, sender=other.address)
        with boa.reverts("only the registrar"):
            registry.withdraw_successor(resident.address, sender=other.address)
    with boa.reverts("only the guardian"):
        registry.veto_successor(resident.address, sender=registrar.address)
    with boa.reverts("succession: nothing to veto"):
        registry.veto_successor(resident.address, sender=guardian.address)
    registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY)
    with boa.reverts("succession: nothing to veto"):
        registry.veto_successor(resident.address, sender=guardian.address)


def test_successions_that_mean_nothing_are_refused(world: World) -> None:
    """Nobody, himself, an institution's."""
    registry = world.participants
    for successor in (ZERO, resident.address):
        with boa.reverts("succession: no successor"):
            registry.name_successor(resident.address, successor, sender=registrar.address)
    with boa.reverts("registry: an institution"):
        registry.name_successor(hub.address, neighbour.address, sender=registrar.address)
    with boa.reverts("succession: none"):
        registry.withdraw_successor(resident.address, sender=registrar.address)


def test_account_whose_keys_are_not_lost_refuses(world: World) -> None:
    """While the delay runs; nobody else's succession, and not once it is ripe."""
    registry = world.participants
    registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    with boa.reverts("only the guardian"):
        registry.veto_successor(resident.address, sender=neighbour.address)
    registry.veto_successor(resident.address, sender=resident.address)
    wait(DELAY)
    assert registry.successor_of(resident.address) == ZERO
    registry.name_successor(resident.address, neighbour.address, sender=registrar.address)
    wait(DELAY)
    with boa.reverts("succession: nothing to veto"):
        registry.veto_successor(resident.address, sender=resident.address)
