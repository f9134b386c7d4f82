"""OfflineBonds: posted, given back after the notice, and paid to merchants whose payer signed money away twice."""

from typing import Any

import boa
import pytest

from alatau.channels.messages import Voucher
from alatau.channels.offline import (
    OfflinePayment,
    conflicts,
)
from tests.contracts.city_channels.offline_evidence import (
    DAY,
    NOTICE,
    certificate,
    evidence,
    payment,
    signed_voucher,
)
from tests.contracts.city_channels.tills import Till, open_till, till_of
from tests.contracts.world import (
    World,
    compliance,
    guardian,
    hub,
    merchant,
    neighbour,
    now,
    resident,
    stranger,
    wait,
)

BOND = 1_000


@pytest.fixture
def till(world: World) -> Till:
    """A channel of the resident with a bond."""
    opened = open_till(world)
    world.token.approve(world.bonds.address, BOND, sender=resident.address)
    world.bonds.post_bond(opened.key, BOND, sender=resident.address)
    return opened


def test_evidence_pays_the_merchant(world: World, till: Till) -> None:
    """Carried by anyone, once; what it pays is a credit to be claimed."""
    shown = evidence(till)
    world.bonds.pay_from_bond(*shown, sender=stranger.address)
    assert (world.bonds.credit(merchant.address), world.bonds.bond(till.id).amount) == (200, 800)
    with boa.reverts("bond: paid already"):
        world.bonds.pay_from_bond(*shown, sender=stranger.address)
    world.bonds.claim(merchant.address)
    assert (world.token.balanceOf(merchant.address), world.bonds.held()) == (200, 800)


@pytest.mark.parametrize(
    ("nonce", "transferred"),
    [(5, 450), (5, 501), (6, 499), (9, 100), (4, 301), (1, 9_999), (5, 500), (6, 500), (6, 900), (4, 300), (1, 0)],
)
def test_contract_and_till_agree_on_what_conflicts(world: World, till: Till, nonce: int, transferred: int) -> None:
    """An honest payer's vouchers form one line; everything else is evidence."""
    offline = OfflinePayment(Voucher(till.id, resident.raw, 5, 500), merchant.raw, 200)
    shown = evidence(till, other=signed_voucher(till, nonce, transferred))
    if conflicts(offline, Voucher(till.id, resident.raw, nonce, transferred)):
        world.bonds.pay_from_bond(*shown)
    else:
        with boa.reverts("bond: one voucher" if (nonce, transferred) == (5, 500) else "bond: no conflict"):
            world.bonds.pay_from_bond(*shown)


@pytest.mark.parametrize(
    ("part", "make", "reason"),
    [
        ("voucher", lambda till: signed_voucher(till, 5, 500, by=stranger), "bond: bad voucher"),
        ("other", lambda till: signed_voucher(till, 5, 450, by=hub), "bond: bad voucher"),
        ("payment", lambda till: payment(till, 5, 500, 200, by=merchant), "channels: bad signature"),
        ("payment", lambda till: (neighbour.address, *payment(till, 5, 500, 200)[1:]), "bond: no merchant"),
        ("payment", lambda till: payment(till, 5, 500, 200, to=neighbour), "bond: no merchant"),
        ("payment", lambda till: payment(till, 5, 500, 401), "bond: below the certificate"),
        ("payment", lambda till: payment(till, 5, 500, 501), "bond: more than the voucher"),
        ("payment", lambda till: payment(till, 5, 500, 0), "bond: above the certificate"),
        ("certificate", lambda till: certificate(till, by=stranger), "channels: bad signature"),
        ("certificate", lambda till: certificate(till, payer=neighbour), "channels: bad signature"),
        ("certificate", lambda till: certificate(till, limit=499), "bond: above the certificate"),
        ("certificate", lambda till: certificate(till, base=301), "bond: below the certificate"),
        ("certificate", lambda till: certificate(till, life=7 * DAY + 1), "bond: certificate lives too long"),
        ("certificate", lambda till: certificate(till, life=-14 * DAY - 1), "bond: too late"),
    ],
)
def test_evidence_that_is_not_whole_pays_nothing(world: World, till: Till, part: str, make: Any, reason: str) -> None:
    """Each signature, each bound."""
    with boa.reverts(reason):
        world.bonds.pay_from_bond(*evidence(till, **{part: make(till)}))


@pytest.mark.parametrize("life", [7 * DAY, -14 * DAY])
def test_evidence_counts_at_the_edges_of_its_time(world: World, till: Till, life: int) -> None:
    """The longest certificate, and the last second for bringing it."""
    world.bonds.pay_from_bond(*evidence(till, certificate=certificate(till, life=life)))


def test_signatures_are_bound_to_the_channel(world: World, till: Till) -> None:
    """Evidence of one channel takes no other channel's bond."""
    other = open_till(world, salt=1)
    with boa.reverts("channels: bad signature"):
        world.bonds.pay_from_bond(other.key, *evidence(till)[1:])


def test_bond_pays_what_it_has(world: World, till: Till) -> None:
    """In the order of evidence, and no more."""
    for nonce in range(5, 11):
        shown = evidence(
            till,
            voucher=signed_voucher(till, nonce, 500),
            payment=payment(till, nonce, 500, 200),
            other=signed_voucher(till, nonce, 450),
        )
        if nonce == 10:
            with boa.reverts("bond: none"):
                world.bonds.pay_from_bond(*shown)
        else:
            world.bonds.pay_from_bond(*shown)
    assert (world.bonds.credit(merchant.address), world.bonds.held()) == (BOND, BOND)


def test_bond_goes_back_after_the_notice(world: World, till: Till) -> None:
    """Not before, once, to the payer."""
    for other in (hub, stranger):
        with boa.reverts("bond: not the payer"):
            world.bonds.request_release(till.key, sender=other.address)
    with boa.reverts("bond: not due"):
        world.bonds.release(till.key)
    world.bonds.request_release(till.key, sender=resident.address)
    with boa.reverts("bond: asked already"):
        world.bonds.request_release(till.key, sender=resident.address)
    wait(NOTICE - 1)
    with boa.reverts("bond: not due"):
        world.bonds.release(till.key)
    wait(1)
    world.bonds.release(till.key, sender=stranger.address)
    assert world.bonds.credit(resident.address) == BOND
    with boa.reverts("bond: not due"):
        world.bonds.release(till.key)
    with boa.reverts("bond: none"):
        world.bonds.request_release(till.key, sender=resident.address)


def test_evidence_counts_during_the_notice_and_prolongs_it(world: World, till: Till) -> None:
    """Who asked for his bond while he cheated does not get the rest before the others had their time."""
    world.bonds.request_release(till.key, sender=resident.address)
    wait(20 * DAY)
    world.bonds.pay_from_bond(*evidence(till))
    wait(2 * DAY)
    with boa.reverts("bond: not due"):
        world.bonds.release(till.key)
    wait(NOTICE)
    world.bonds.release(till.key)
    assert world.bonds.credit(resident.address) == BOND - 200


def test_only_the_payer_posts_for_a_channel_that_there_is(world: World, till: Till) -> None:
    """Some of it, in range; more of it ends a notice."""
    with boa.reverts("bond: not the payer"):
        world.bonds.post_bond(till.key, 5, sender=hub.address)
    with boa.reverts("bond: no such channel"):
        world.bonds.post_bond(till_of(9).key, 5, sender=resident.address)
    for amount in (0, 2**112):
        with boa.reverts("bond: amount out of range"):
            world.bonds.post_bond(till.key, amount, sender=resident.address)
    world.bonds.request_release(till.key, sender=resident.address)
    world.token.approve(world.bonds.address, 5, sender=resident.address)
    world.bonds.post_bond(till.key, 5, sender=resident.address)
    assert tuple(world.bonds.bond(till.id)) == (BOND + 5, 0)


def test_pause_and_suspension_stop_no_evidence(world: World, till: Till) -> None:
    """New bonds only; a suspended payer's bond pays."""
    world.channel_pause.pause(sender=guardian.address)
    world.participants.suspend(resident.address, sender=compliance.address)
    with boa.reverts("bond: paused"):
        world.bonds.post_bond(till.key, 5, sender=resident.address)
    world.bonds.pay_from_bond(*evidence(till))
    world.bonds.claim(merchant.address)


def test_a_bond_may_be_as_large_as_its_word(world: World, till: Till) -> None:
    """Up to 2^112 - 1: then it is the token that says no."""
    with boa.reverts("token: allowance"):
        world.bonds.post_bond(till.key, 2**112 - 1, sender=resident.address)
    world.token.approve(world.bonds.address, 1, sender=resident.address)
    world.bonds.post_bond(till.key, 1, sender=resident.address)
    assert world.bonds.bond(till.id).amount == BOND + 1


def test_a_certificate_covers_up_to_its_edges(world: World, till: Till) -> None:
    """A voucher of just the limit, a payment of just the voucher, and from just the base."""
    for changes in (
        {"certificate": certificate(till, limit=500)},
        {"certificate": certificate(till, base=300)},
        {"certificate": certificate(till, base=0), "payment": payment(till, 5, 500, 500)},
    ):
        with boa.env.anchor():
            world.bonds.pay_from_bond(*evidence(till, **changes))
            assert world.bonds.credit(merchant.address) > 0


def test_evidence_without_a_notice_begins_none(world: World, till: Till) -> None:
    """Only a notice that runs is prolonged."""
    world.bonds.pay_from_bond(*evidence(till))
    assert tuple(world.bonds.bond(till.id)) == (BOND - 200, 0)
    world.bonds.request_release(till.key, sender=resident.address)
    began = now()
    assert tuple(world.bonds.bond(till.id)) == (BOND - 200, began + NOTICE)


def test_the_smallest_bond_and_payment_count(world: World) -> None:
    """One unit pays one unit, and what is left of it comes back."""
    till = open_till(world)
    world.token.approve(world.bonds.address, 1, sender=resident.address)
    world.bonds.post_bond(till.key, 1, sender=resident.address)
    world.bonds.pay_from_bond(*evidence(till, payment=payment(till, 5, 500, 1), other=signed_voucher(till, 5, 450)))
    assert (world.bonds.credit(merchant.address), world.bonds.bond(till.id).amount) == (1, 0)
    world.bonds.claim(merchant.address)
    second = open_till(world, salt=1)
    world.token.approve(world.bonds.address, 1, sender=resident.address)
    world.bonds.post_bond(second.key, 1, sender=resident.address)
    world.bonds.request_release(second.key, sender=resident.address)
    wait(NOTICE)
    world.bonds.release(second.key)
    assert world.bonds.credit(resident.address) == 1
