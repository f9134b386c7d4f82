"""What a tower checks before it keeps anything, and what it signs."""

from dataclasses import replace

import pytest

from alatau.channels.errors import ChannelError, ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import AMOUNT_MAX, Lock, Parties, Voucher, channel_id, receipt_digest, sign_voucher
from alatau.channels.protection import (
    RECOVERY_SECONDS_MAX,
    Protection,
    TowerReceipt,
    check_close_request,
    check_protection,
    check_recovery,
    is_from_tower,
    payee_of,
    recovery_digest,
    tower_receipt_digest,
)
from alatau.crypto.secp256k1 import PrivateKey
from tests.support.channels import DOMAIN, HUB, OWNER, close_request, parties, protection
from tests.support.passkeys import SITE
from tests.support.phones import ChipKey, Passkey, lent

STRANGER = PrivateKey(b"\x43" * 32)
TOWER = PrivateKey(b"\x44" * 32)


def test_what_both_signed_is_good() -> None:
    """In both directions, with and without locks."""
    for good in (
        protection(1, 0),
        protection(2**64 - 1, AMOUNT_MAX, payer=HUB),
        protection(3, 5, locks=[Lock(bytes(32), 1, 10)]),
    ):
        check_protection(DOMAIN, good)


def test_phones_are_protected_like_others() -> None:
    """A chip's key, a passkey of the network's site, a device that was lent a sum; a receipt by any but the last."""
    chip, passkey = ChipKey("tower: chip"), Passkey("tower: passkey")
    domain = replace(DOMAIN, rp_id_hash=SITE)
    for key in (chip, passkey):
        ends = Parties(key.address, HUB.address, bytes(32))
        identity = channel_id(domain, ends)
        device = lent(domain, identity, key, ChipKey("tower: till"), 50)
        voucher = Voucher(identity, key.address, 3, 50)
        back = Voucher(identity, HUB.address, 1, 7)
        for paid, payer, payee in ((voucher, key, HUB), (voucher, device, HUB), (back, HUB, key)):
            receipt = payee.sign(receipt_digest(domain, paid))
            check_protection(domain, Protection(ends, sign_voucher(domain, paid, payer.sign), receipt))
        receipt = device.sign(receipt_digest(domain, back))
        with pytest.raises(ForgedMessageError):
            check_protection(domain, Protection(ends, sign_voucher(domain, back, HUB.sign), receipt))
        digest = recovery_digest(domain, identity, 1_000)
        check_recovery(domain, ends, 1_000, key.sign(digest), 1_000)
    with pytest.raises(ForgedMessageError):
        check_recovery(DOMAIN, ends, 1_000, passkey.sign(digest), 1_000)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (protection(1, 5, signer=STRANGER), ForgedMessageError),
        (protection(1, 5, receiver=STRANGER), ForgedMessageError),
        (protection(1, 5, receiver=OWNER), ForgedMessageError),
        (replace(protection(1, 5), receipt=protection(2, 5).receipt), ForgedMessageError),
        (replace(protection(1, 5), parties=parties(1)), InvalidVoucherError),
        (protection(0, 5), InvalidVoucherError),
        (protection(2**64, 5), InvalidVoucherError),
        (protection(1, AMOUNT_MAX + 1), InvalidVoucherError),
        (protection(1, 5, locks=[Lock(bytes(32), 0, 10)]), InvalidVoucherError),
        (protection(1, 5, locks=[Lock(bytes(31), 1, 10)]), InvalidVoucherError),
        (protection(1, 5, payer=STRANGER), InvalidVoucherError),
    ],
)
def test_what_the_contract_would_not_take_is_refused(wrong: object, kind: type[ChannelError]) -> None:
    """Forged by either side, of another channel, or out of range."""
    with pytest.raises(kind):
        check_protection(DOMAIN, wrong)  # type: ignore[arg-type]


def test_a_request_to_close_is_its_partys() -> None:
    """Either party's; not a stranger's, not one that somebody else signed, not of another channel."""
    check_close_request(DOMAIN, close_request(9))
    check_close_request(DOMAIN, close_request(9, party=HUB))
    with pytest.raises(ForgedMessageError):
        check_close_request(DOMAIN, close_request(9, signer=HUB))
    with pytest.raises(InvalidVoucherError):
        check_close_request(DOMAIN, close_request(9, party=STRANGER))
    with pytest.raises(InvalidVoucherError):
        check_close_request(DOMAIN, replace(close_request(9), parties=parties(1)))


def test_a_party_asks_for_its_vouchers_now() -> None:
    """Either party, within a minute; a request that was overheard is worth nothing later."""
    ends, time = parties(), 1_000
    digest = recovery_digest(DOMAIN, channel_id(DOMAIN, ends), time)
    for key in (OWNER, HUB):
        check_recovery(DOMAIN, ends, time, key.sign(digest), time + RECOVERY_SECONDS_MAX)
    with pytest.raises(ForgedMessageError):
        check_recovery(DOMAIN, ends, time, STRANGER.sign(digest), time)
    with pytest.raises(ForgedMessageError):
        check_recovery(DOMAIN, parties(1), time, OWNER.sign(digest), time)
    for now in (time + RECOVERY_SECONDS_MAX + 1, time - RECOVERY_SECONDS_MAX - 1):
        with pytest.raises(InvalidVoucherError):
            check_recovery(DOMAIN, ends, time, OWNER.sign(digest), now)


def test_a_towers_word_is_its_own() -> None:
    """A receipt binds the tower to a nonce of a direction, and to no other."""
    identity = channel_id(DOMAIN, parties())
    signature = TOWER.sign(tower_receipt_digest(DOMAIN, identity, OWNER.address, 7))
    receipt = TowerReceipt(identity, OWNER.address, 7, signature)
    assert is_from_tower(DOMAIN, receipt, TOWER.address)
    assert not is_from_tower(DOMAIN, receipt, STRANGER.address)
    assert not is_from_tower(DOMAIN, replace(receipt, nonce=8), TOWER.address)
    assert not is_from_tower(DOMAIN, replace(receipt, payer=HUB.address), TOWER.address)


def test_the_payee_is_the_other() -> None:
    """And a stranger has none."""
    assert payee_of(parties(), OWNER.address) == HUB.address
    assert payee_of(parties(), HUB.address) == OWNER.address
    with pytest.raises(InvalidVoucherError):
        payee_of(parties(), STRANGER.address)
