"""ParticipantRegistry.license, admit_institution and lower_tier_cap: the licensor's work."""

import boa

from alatau.chain.permission import Licence, may_deploy
from tests.contracts.participant_registry.changes import Cap, approved_cap
from tests.contracts.world import (
    TIER_1_CAP,
    World,
    hub,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
)


def test_institution_is_admitted_once(world: World) -> None:
    """Institutions and contracts come from the licensor; a resident does not become one."""
    world.participants.admit_institution(stranger.address, 3, sender=licensor.address)
    assert world.participants.standing(stranger.address).may_receive
    for account in (stranger, resident):
        with boa.reverts("registry: registered already"):
            world.participants.admit_institution(account.address, 3, sender=licensor.address)
    with boa.reverts("registry: not an institution"):
        world.participants.admit_institution(neighbour.address, 2, sender=licensor.address)
    with boa.reverts("only the licensor"):
        world.participants.admit_institution(neighbour.address, 3, sender=registrar.address)


def test_licences_are_set_as_a_whole(world: World) -> None:
    """What is not named is withdrawn."""
    world.participants.license(hub.address, Licence.EXCHANGE, 0, True, 0, sender=licensor.address)
    assert world.participants.licensed(hub.address, Licence.EXCHANGE)
    assert not world.participants.licensed(hub.address, Licence.PAYMENT_HUB)
    assert may_deploy(world.participants.status(hub.address), now())
    world.participants.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    assert not world.participants.licensed(hub.address, Licence.EXCHANGE)
    assert not may_deploy(world.participants.status(hub.address), now())


def test_bad_licences_are_refused(world: World) -> None:
    """Fields fit their bits, ends lie ahead, and only the licensor writes them."""
    for arguments, reason in (
        ((256, 0, False, 0), "registry: out of range"),
        ((1, 256, False, 0), "registry: out of range"),
        ((1, 0, False, now()), "registry: expired"),
    ):
        with boa.reverts(reason):
            world.participants.license(hub.address, *arguments, sender=licensor.address)
    with boa.reverts("only the licensor"):
        world.participants.license(hub.address, 1, 0, False, 0, sender=hub.address)


def test_lower_cap_binds_at_once(world: World) -> None:
    """A tier's cap is asked for anew by every account after a change; zero lets nobody gain anything."""
    world.token.transfer(merchant.address, 500, sender=resident.address)
    world.participants.lower_tier_cap(2, 600, sender=licensor.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.transfer(merchant.address, 101, sender=resident.address)
    world.token.transfer(merchant.address, 100, sender=resident.address)
    world.participants.lower_tier_cap(2, 0, sender=licensor.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.transfer(merchant.address, 1, sender=resident.address)
    world.token.transfer(resident.address, 600, sender=merchant.address)


def test_licensor_only_lowers(world: World) -> None:
    """Raising is the council's, after the delay; a tier that nobody has set cannot be lowered."""
    for tier, cap in ((1, TIER_1_CAP), (1, TIER_1_CAP + 1), (0, 0), (9, 0)):
        with boa.reverts("cap: not lower"):
            world.participants.lower_tier_cap(tier, cap, sender=licensor.address)
    with boa.reverts("only the licensor"):
        world.participants.lower_tier_cap(1, 5, sender=registrar.address)


def test_capital_bounds_what_a_licence_holder_holds(world: World) -> None:
    """By its class, at once; class 0 binds nothing, and a class that nobody has set cannot be given."""
    license_ = world.participants.license
    with boa.reverts("registry: class without cap"):
        license_(hub.address, Licence.PAYMENT_HUB, 3, False, 0, sender=licensor.address)
    held = world.token.balanceOf(hub.address)
    world.participants.execute_cap(approved_cap(world, Cap.CAPITAL_CLASS, 3, held + 10))
    world.token.transfer(hub.address, 1, sender=resident.address)
    license_(hub.address, Licence.PAYMENT_HUB, 3, False, 0, sender=licensor.address)
    with boa.reverts("token: above the receiver's cap"):
        world.token.transfer(hub.address, 10, sender=resident.address)
    world.token.transfer(hub.address, 9, sender=resident.address)
    license_(hub.address, Licence.PAYMENT_HUB, 0, False, 0, sender=licensor.address)
    world.token.transfer(hub.address, 1, sender=resident.address)
