"""Council members whose accounts are P-256 keys: approvals, overridden vetoes and signs of life by chip and passkey."""

from typing import Any

import boa
import pytest

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Party, approvals, override_digest
from tests.contracts.city_channels.phone_parties import chip, device_of, passkey
from tests.contracts.city_channels.tills import till_of
from tests.contracts.council.signs_of_life import sign_of_life
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    chair,
    deploy,
    guardian,
    now,
    stranger,
    terms,
    wait,
)

DIGEST = keccak256(b"a decision")
NAME = "Fund council"


@pytest.fixture
def council(world: World) -> Any:
    """Of a chip, a passkey and a chair with a key of the other curve; two decide. The world has the verifier."""
    assert world.verifier.rp_id_hash() != bytes(32)
    members = sorted((m.address for m in (chair, chip, passkey)), key=lambda a: int(a, 16))
    return deploy("Council", NAME, members, 2, guardian.address, DELAY, SILENCE, ZERO)


@pytest.mark.parametrize("signers", [(chip, passkey), (chair, chip), (chair, passkey), (chair, chip, passkey)])
def test_members_of_both_curves_decide(council: Any, signers: tuple[Party, ...]) -> None:
    """Any two of them."""
    assert council.verify(DIGEST, approvals(DIGEST, *signers)) == 1


def test_one_does_not_sign_for_another(council: Any) -> None:
    """Nor for another digest, nor in a form that the council has for others."""
    good = dict(approvals(DIGEST, chair, chip, passkey))
    elsewhere = dict(approvals(keccak256(b"another"), chip, passkey))
    compact = chair.key.sign(DIGEST)[:64]
    for signer, signature in (
        (chip, good[passkey.address]),
        (passkey, good[chip.address]),
        (chip, elsewhere[chip.address]),
        (passkey, elsewhere[passkey.address]),
        (chip, good[chair.address]),
        (chip, good[chip.address][:-1]),
        (chip, b""),
        (chair, good[chip.address]),
        (chair, compact),
    ):
        other = passkey if signer is not passkey else chip
        given = sorted(((signer.address, signature), (other.address, good[other.address])), key=lambda a: int(a[0], 16))
        with boa.reverts("council: bad signature"):
            council.verify(DIGEST, given)


def test_a_device_approves_nothing(council: Any) -> None:
    """What a member lent a device is for vouchers."""
    device = device_of(chip, till_of(1, chip), 2**112)
    given = dict(approvals(DIGEST, passkey)) | {chip.address: device.key.sign(DIGEST)}
    with boa.reverts("council: bad signature"):
        council.verify(DIGEST, sorted(given.items(), key=lambda a: int(a[0], 16)))


def test_a_change_of_the_council_and_its_veto(council: Any) -> None:
    """Approved by chip and passkey, vetoed, overridden by all three."""
    members = sorted((m.address for m in (chair, chip)), key=lambda a: int(a, 16))
    change = (members, 1, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=chair.address)
    with boa.env.anchor():
        council.approve_decision(identity, approvals(identity, chip, passkey), sender=stranger.address)
        wait(DELAY)
        council.change_membership(*change)
        assert council.threshold() == 1
    council.veto_decision(identity, sender=guardian.address)
    digest = override_digest(council, NAME, identity)
    council.approve_decision(identity, approvals(digest, chair, chip, passkey), sender=stranger.address)
    wait(3 * DELAY)
    council.change_membership(*change)
    assert council.members() == members


@pytest.mark.parametrize("member", [chip, passkey], ids=["chip", "passkey"])
def test_a_silent_member_checks_in_by_signature(council: Any, member: Party) -> None:
    """Carried by a stranger; a device's, or another's, is no sign of life."""
    wait(SILENCE)
    other = chip if member is passkey else passkey
    time = now()
    bad = (
        sign_of_life(council, other, time, named=member),
        device_of(member, till_of(1, member), 2**112).key.sign(DIGEST),
        b"",
    )
    for signature in bad:
        with boa.reverts("council: bad signature"):
            council.check_in_signed(member.address, time, signature)
    council.check_in_signed(member.address, time, sign_of_life(council, member, time), sender=stranger.address)
    assert council.seen(member.address) == time
    council.check_in(sender=chair.address)
    assert council.verify(DIGEST, approvals(DIGEST, chair, member)) == 1


def test_the_longest_signature(council: Any) -> None:
    """What the ABI has room for."""
    good = dict(approvals(DIGEST, chip, passkey))
    with boa.reverts():
        council.verify(DIGEST, sorted((good | {chip.address: bytes(513)}).items(), key=lambda a: int(a[0], 16)))
