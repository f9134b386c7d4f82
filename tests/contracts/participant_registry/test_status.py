"""ParticipantRegistry.status: the one slot that the node reads, bit for bit."""

import boa
import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.chain.permission import (
    STATUS_SLOT,
    Licence,
    ParticipantKind,
    frozen_until,
    kind_of,
    licences_of,
    may_deploy,
    may_transact,
    slot_of,
    tier_of,
)
from tests.contracts.actors import Actor
from tests.contracts.world import World, compliance, court, hub, licensor, now, registrar, resident, stranger


def word_of(account: Actor) -> int:
    """The word as the node finds it in storage."""
    return boa.env.get_storage("0x" + addresses.PARTICIPANT_REGISTRY.hex(), slot_of(account.raw))


def test_compiled_layout_keeps_status_first() -> None:
    """The slot is part of the node's rules: the compiler must not move it."""
    layout = load("ParticipantRegistry").layout["storage_layout"]
    assert layout["status_words"]["_status"]["slot"] == STATUS_SLOT == 0


def test_node_and_contract_agree_on_a_resident(world: World) -> None:
    """What genesis wrote is what the node reads."""
    word = word_of(resident)
    assert word == world.participants.status(resident.address)
    assert (kind_of(word), tier_of(word), may_transact(word, now())) == (ParticipantKind.RESIDENT, 1, True)
    assert not may_transact(word_of(stranger), now())


def test_node_and_contract_agree_on_expiry(world: World) -> None:
    """A registration ends at its second, for both."""
    end = now() + 100
    world.participants.register(stranger.address, 2, 2, end, sender=registrar.address)
    word = word_of(stranger)
    assert may_transact(word, end - 1)
    assert not may_transact(word, end)
    assert (kind_of(word), tier_of(word)) == (ParticipantKind.MERCHANT, 2)
    boa.env.timestamp = end - 1
    assert world.participants.standing(stranger.address).may_send
    boa.env.timestamp = end
    assert not world.participants.standing(stranger.address).may_send


def test_node_and_contract_agree_on_suspension(world: World) -> None:
    """Suspension overrides everything."""
    world.participants.suspend(hub.address, sender=compliance.address)
    assert not may_transact(word_of(hub), now())
    assert licences_of(word_of(hub), now()) == Licence.NONE
    assert not world.participants.licensed(hub.address, Licence.PAYMENT_HUB)


def test_node_and_contract_agree_on_licences(world: World) -> None:
    """Licences and the right to deploy end together, at their second."""
    end = now() + 50
    world.participants.license(
        hub.address, Licence.CUSTODY | Licence.PAYMENT_HUB, 0, True, end, sender=licensor.address
    )
    for second, valid in ((end - 1, True), (end, False)):
        word = word_of(hub)
        boa.env.timestamp = second
        assert may_deploy(word, second) is valid
        assert bool(licences_of(word, second)) is valid
        assert world.participants.licensed(hub.address, Licence.CUSTODY) is valid
        assert may_transact(word, second)


def test_freeze_binds_money_not_the_sender(world: World) -> None:
    """A frozen account still transacts: nobody misses a deadline for it."""
    end = now() + 500
    world.participants.freeze(resident.address, b"\x0c" * 32, 70, end, sender=court.address)
    word = word_of(resident)
    assert (frozen_until(word), may_transact(word, now())) == (end, True)
    assert world.participants.standing(resident.address).frozen == 70


@pytest.mark.parametrize("licence", [0, 16])
def test_unknown_licences_are_held_by_nobody(world: World, licence: int) -> None:
    """Asking for nothing is not a licence."""
    assert not world.participants.licensed(hub.address, licence)
