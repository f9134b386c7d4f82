"""CityChannels and OfflineBonds for accounts of P-256 keys: every message in every scheme, carried by a stranger."""

from collections.abc import Callable

import boa
import pytest

from alatau.channels.messages import Lock, channels_domain
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Party
from tests.contracts.city_channels.claim_orders import order
from tests.contracts.city_channels.offline_evidence import evidence, payment, signed_voucher
from tests.contracts.city_channels.phone_parties import MONEY, SCHEMES, admitted, chip, device_of, passkey
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    NO_CLAIM,
    Till,
    agreement,
    claim_of,
    consent,
    let_window_pass,
    open_till,
    own,
    request,
)
from tests.contracts.world import World, hub, merchant, neighbour, resident, stranger

SECRET = b"\x53" * 32


def closing(world: World, till: Till, payer: Party) -> None:
    """The window opens at the payer's request, carried by a stranger."""
    world.channels.close(till.key, request(till, payer), NO_CLAIM, sender=stranger.address)


@pytest.mark.parametrize("payer", SCHEMES, ids=["chip", "passkey"])
def test_a_life_without_a_transaction(world: World, payer: Party) -> None:
    """Request, voucher, the hub's voucher with the phone's receipt, settlement, claim: strangers carry all of it."""
    till = open_till(world, hub_amount=1_000, a=admitted(world, payer))
    closing(world, till, payer)
    for claim in (claim_of(till, payer, 3, 700, receipt_by=hub), claim_of(till, hub, 2, 150, receipt_by=payer)):
        world.channels.submit(till.key, claim, sender=stranger.address)
    let_window_pass()
    world.channels.settle(till.key, [], [], sender=stranger.address)
    world.channels.claim(payer.address, sender=stranger.address)
    assert world.token.balanceOf(payer.address) == MONEY - 700 + 150


@pytest.mark.parametrize("payer", SCHEMES, ids=["chip", "passkey"])
def test_agreement_withdrawal_and_order(world: World, payer: Party) -> None:
    """The rest of what a party signs."""
    till = open_till(world, a=admitted(world, payer))
    key, total, end, consented = consent(till, payer, 300, by=hub)
    asked = consent(till, payer, 300, by=payer)[3]
    world.channels.withdraw_for(key, payer.address, total, end, asked, consented, sender=stranger.address)
    assert world.token.balanceOf(payer.address) == MONEY - DEPOSIT + 300
    divided = agreement(till, 5_000, DEPOSIT - 5_300, signers=(payer, hub))
    world.channels.close_cooperatively(*divided, sender=stranger.address)
    world.channels.claim_to(*order(1_234, by=payer, account=payer), sender=stranger.address)
    assert world.token.balanceOf(neighbour.address) == 1_234
    assert world.channels.credit(payer.address) == 5_000 - 1_234


def test_a_withdrawal_needs_both(world: World) -> None:
    """Neither the party alone, nor the other alone, nor one for the other; each total once."""
    till = open_till(world, a=admitted(world, chip), hub_amount=500)
    key, total, end, consented = consent(till, chip, 300, by=hub)
    asked = consent(till, chip, 300, by=chip)[3]
    for first, second in ((b"", consented), (asked, b""), (asked, asked), (consented, consented), (consented, asked)):
        with boa.reverts("channels: bad signature"):
            world.channels.withdraw_for(key, chip.address, total, end, first, second)
    with boa.reverts("channels: bad signature"):
        world.channels.withdraw_for(key, hub.address, total, end, asked, consented)
    world.channels.withdraw_for(key, chip.address, total, end, asked, consented)
    with boa.reverts("channels: withdrawn already"):
        world.channels.withdraw_for(key, chip.address, total, end, asked, consented)
    outsider = consent(till, resident, 300, by=resident)[3]
    with boa.reverts("channels: not a party"):
        world.channels.withdraw_for(key, resident.address, total, end, outsider, consented)


@pytest.mark.parametrize("payer", SCHEMES, ids=["chip", "passkey"])
def test_offline_evidence(world: World, payer: Party) -> None:
    """Vouchers and payment by the phone; the bond pays the merchant. The payer's other voucher may be its device's."""
    till = open_till(world, a=admitted(world, payer))
    world.token.approve(world.bonds.address, 1_000, sender=payer.address)
    world.bonds.post_bond(till.key, 1_000, sender=payer.address)
    device = device_of(payer, till, 450)
    shown = {
        "voucher": signed_voucher(till, 5, 500, by=payer),
        "payment": payment(till, 5, 500, 200, by=payer),
    }
    over = device_of(payer, till, 449)
    for bad in (
        signed_voucher(till, 5, 450, by=over),
        signed_voucher(till, 5, 450, by=chip if payer is passkey else passkey),
    ):
        with boa.reverts("bond: bad voucher"):
            world.bonds.pay_from_bond(*evidence(till, **shown, other=bad))
    by_device = payment(till, 5, 500, 200, by=device)
    with boa.reverts("channels: bad signature"):
        world.bonds.pay_from_bond(
            *evidence(till, voucher=shown["voucher"], payment=by_device, other=signed_voucher(till, 5, 450, by=device))
        )
    world.bonds.pay_from_bond(
        *evidence(till, **shown, other=signed_voucher(till, 5, 450, by=device)), sender=stranger.address
    )
    assert world.bonds.credit(merchant.address) == 200


@pytest.mark.parametrize("payer", SCHEMES, ids=["chip", "passkey"])
def test_a_device_signs_vouchers_up_to_its_cap(world: World, payer: Party) -> None:
    """Pending payments count as paid."""
    till = open_till(world, a=admitted(world, payer))
    closing(world, till, payer)
    device = device_of(payer, till, 1_000)
    locks = (Lock(keccak256(SECRET), 301, boa.env.evm.patch.block_number + 5),)
    for transferred, pending in ((1_001, ()), (700, locks)):
        with boa.reverts("channels: bad signature"):
            claim = claim_of(till, payer, 1, transferred, locks=pending, signed_by=device)
            world.channels.submit(till.key, claim, sender=hub.address)
    for nonce, transferred, pending in ((1, 699, locks), (2, 1_000, ())):
        claim = claim_of(till, payer, nonce, transferred, locks=pending, signed_by=device)
        world.channels.submit(till.key, claim, sender=hub.address)
    assert world.channels.channel(till.id).sent_ab == 1_000


def refused_devices(till: Till, other: Till) -> dict[str, Party]:
    """Devices that may not sign in the till, by why."""
    chain, contract = till.domain.chain_id, till.domain.contract
    return {
        "another channel": device_of(passkey, till, 1_000, channel=other.id),
        "another chain": device_of(passkey, till, 1_000, domain=channels_domain(chain + 1, contract)),
        "another contract": device_of(passkey, till, 1_000, domain=channels_domain(chain, b"\x07" * 20)),
        "another owner": device_of(chip, till, 1_000),
    }


@pytest.mark.parametrize("why", ["another channel", "another chain", "another contract", "another owner"])
def test_what_was_lent_elsewhere_does_not_count(world: World, why: str) -> None:
    """A delegation is bound to chain, contract, channel and payer."""
    admitted(world, passkey)
    till, other = open_till(world, a=passkey), open_till(world, salt=1, a=passkey)
    closing(world, till, passkey)
    device = refused_devices(till, other)[why]
    with boa.reverts("channels: bad signature"):
        world.channels.submit(till.key, claim_of(till, passkey, 1, 5, signed_by=device), sender=hub.address)


def by_device(act: Callable[[World, Till, Party], object]) -> Callable[[World], None]:
    """Try an act with a device's signature where the passkey's is wanted."""

    def attempt(world: World) -> None:
        till = open_till(world, hub_amount=1_000, a=admitted(world, passkey))
        device = device_of(passkey, till, 2**112)
        act(world, till, device)

    return attempt


def _receipt(world: World, till: Till, device: Party) -> None:
    closing(world, till, passkey)
    world.channels.submit(till.key, claim_of(till, hub, 1, 5, receipt_by=device))


ATTEMPTS = {
    "receipt": by_device(_receipt),
    "request": by_device(
        lambda world, till, device: world.channels.close(till.key, request(till, passkey, signed_by=device), NO_CLAIM)
    ),
    "agreement": by_device(
        lambda world, till, device: world.channels.close_cooperatively(
            *agreement(till, 0, 11_000, signers=(device, hub))
        )
    ),
    "consent": by_device(
        lambda world, till, device: world.channels.withdraw(*consent(till, hub, 11_000, by=device), sender=hub.address)
    ),
    "order": by_device(lambda world, till, device: world.channels.claim_to(*order(1, by=device, account=passkey))),
}


@pytest.mark.parametrize("what", ATTEMPTS)
def test_a_device_signs_nothing_but_vouchers(world: World, what: str) -> None:
    """However high its cap: a receipt could undo all that was received, and the rest has no cap."""
    with boa.reverts(
        "channels: bad receipt"
        if what == "receipt"
        else "channels: bad signature" + (" of a" if what == "agreement" else "")
    ):
        ATTEMPTS[what](world)


def test_accounts_of_both_curves_meet(world: World) -> None:
    """A phone's channel beside a secp256k1 resident's; neither signs for the other."""
    theirs, phones = open_till(world), open_till(world, a=admitted(world, chip))
    world.channels.close(theirs.key, own(resident), NO_CLAIM, sender=resident.address)
    closing(world, phones, chip)
    for till, payer, by in ((theirs, resident, chip), (phones, chip, resident), (phones, chip, passkey)):
        with boa.reverts("channels: bad signature"):
            world.channels.submit(till.key, claim_of(till, payer, 1, 5, signed_by=by), sender=hub.address)
