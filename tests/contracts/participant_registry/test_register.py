"""ParticipantRegistry.register, register_many and deregister: the registrar's work."""

import boa
import pytest

from alatau.chain.permission import ParticipantKind as Kind
from alatau.chain.permission import may_transact, status_word, tier_of
from tests.contracts.actors import actor
from tests.contracts.world import (
    ZERO,
    World,
    compliance,
    court,
    hub,
    licensor,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
)


def test_registrar_registers_residents_and_merchants(world: World) -> None:
    """The word is the one that genesis would have written."""
    world.participants.register(stranger.address, Kind.MERCHANT, 2, 0, sender=registrar.address)
    assert world.participants.status(stranger.address) == status_word(Kind.MERCHANT, tier=2)


def test_many_at_once(world: World) -> None:
    """A district moves in."""
    families = [actor(f"family {n}") for n in range(40)]
    world.participants.register_many([f.address for f in families], Kind.RESIDENT, 1, 0, sender=registrar.address)
    assert all(may_transact(world.participants.status(f.address), now()) for f in families)


@pytest.mark.parametrize("outsider", [licensor, compliance, court, resident, stranger], ids=lambda a: a.role)
def test_nobody_else_registers(world: World, outsider: object) -> None:
    """Not even another office."""
    sender = outsider.address  # type: ignore[attr-defined]
    with boa.reverts("only the registrar"):
        world.participants.register(stranger.address, 1, 1, 0, sender=sender)
    with boa.reverts("only the registrar"):
        world.participants.register_many([stranger.address], 1, 1, 0, sender=sender)
    with boa.reverts("only the registrar"):
        world.participants.deregister(neighbour.address, sender=sender)


def test_bad_registrations_are_refused(world: World) -> None:
    """Institutions are the licensor's; tiers fit a byte; an end lies ahead."""
    cases = [
        ((ZERO, 1, 1, 0), "registry: no account"),
        ((stranger.address, 3, 1, 0), "registry: not a resident or merchant"),
        ((stranger.address, 0, 1, 0), "registry: not a resident or merchant"),
        ((stranger.address, 1, 256, 0), "registry: out of range"),
        ((stranger.address, 1, 1, now()), "registry: expired"),
        ((stranger.address, 1, 1, 2**64), "registry: expired"),
        ((hub.address, 1, 1, 0), "registry: an institution"),
    ]
    for arguments, reason in cases:
        with boa.reverts(reason):
            world.participants.register(*arguments, sender=registrar.address)


def test_registration_leaves_other_offices_work_alone(world: World) -> None:
    """A renewal lifts neither a suspension nor a freeze, nor takes a licence."""
    world.participants.suspend(resident.address, sender=compliance.address)
    world.participants.freeze(resident.address, b"\x0c" * 32, 70, now() + 99, sender=court.address)
    world.participants.license(resident.address, 1, 0, False, 0, sender=licensor.address)
    world.participants.register(resident.address, Kind.RESIDENT, 2, 0, sender=registrar.address)
    standing = world.participants.standing(resident.address)
    assert (standing.may_send, standing.frozen) == (False, 70)
    world.participants.reinstate(resident.address, sender=compliance.address)
    assert world.participants.licensed(resident.address, 1)
    assert tier_of(world.participants.status(resident.address)) == 2


def test_end_of_registration_is_instant(world: World) -> None:
    """Who moves away transacts no more; money follows at once."""
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.participants.deregister(neighbour.address, sender=registrar.address)
    with boa.reverts("token: receiver not admitted"):
        world.token.transfer(neighbour.address, 5, sender=resident.address)
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(resident.address, 5, sender=neighbour.address)
    with boa.reverts("registry: an institution"):
        world.participants.deregister(hub.address, sender=registrar.address)
