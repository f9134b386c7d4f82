"""Paying without a network: what a till checks, and what proves that money was signed away twice."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from alatau.channels.errors import ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import SignedVoucher, Voucher, channels_domain, sign_voucher, voucher_hash
from alatau.channels.offline import (
    CERTIFICATE_SECONDS_MAX,
    OfflineCertificate,
    OfflinePayment,
    bonds_domain,
    certificate_digest,
    check_payment,
    conflicts,
    payment_digest,
)
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

RESIDENT, HUB, OTHER = PrivateKey(b"\x01" * 32), PrivateKey(b"\x02" * 32), PrivateKey(b"\x03" * 32)
MERCHANT = b"\x0d" * 20
CHANNELS, BONDS = channels_domain(7773, b"\x07" * 20), bonds_domain(7773, b"\x09" * 20)
ID = b"\x11" * 32
NOW = 1_000_000


def paid(**changes: Any) -> dict[str, Any]:
    """A payment of 200 at a till, with some part changed."""
    certificate = OfflineCertificate(ID, RESIDENT.address, base=300, limit=1_000, expires=NOW + 3_600)
    voucher = Voucher(ID, RESIDENT.address, 5, 700)
    certificate = changes.get("certificate", certificate)
    voucher = changes.get("voucher", voucher)
    payment = changes.get("payment", OfflinePayment(voucher, MERCHANT, 200))
    arguments = {
        "certificate": certificate,
        "certified": HUB.sign(certificate_digest(BONDS, certificate)),
        "signed": sign_voucher(CHANNELS, voucher, RESIDENT.sign),
        "payment": payment,
        "signature": RESIDENT.sign(payment_digest(BONDS, payment)),
        "now": NOW,
    }
    return arguments | {name: value for name, value in changes.items() if name in arguments}


def check(**changes: Any) -> None:
    """The till's check."""
    check_payment(CHANNELS, BONDS, HUB.address, **paid(**changes))


def test_good_payment_is_taken() -> None:
    """Everything fits, up to the last second and the last unit."""
    check()
    check(now=NOW + 3_600)
    check(voucher=Voucher(ID, RESIDENT.address, 5, 1_000))
    check(voucher=Voucher(ID, RESIDENT.address, 5, 500))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"now": NOW + 3_601}, "expired"),
        ({"now": NOW + 3_600 - CERTIFICATE_SECONDS_MAX - 1}, "expired"),
        ({"voucher": Voucher(ID, RESIDENT.address, 5, 1_001)}, "cover"),
        ({"voucher": Voucher(ID, RESIDENT.address, 5, 499)}, "cover"),
        ({"voucher": Voucher(bytes(32), RESIDENT.address, 5, 700)}, "another channel"),
        ({"voucher": Voucher(ID, OTHER.address, 5, 700)}, "another channel"),
        ({"payment": OfflinePayment(Voucher(ID, RESIDENT.address, 6, 700), MERCHANT, 200)}, "part"),
        ({"payment": OfflinePayment(Voucher(ID, RESIDENT.address, 5, 700), MERCHANT, 0)}, "part"),
    ],
)
def test_payment_that_is_not_covered_is_refused(changes: dict[str, Any], reason: str) -> None:
    """Too late, too much, or of something else."""
    with pytest.raises(InvalidVoucherError, match=reason):
        check(**changes)


@pytest.mark.parametrize("name", ["certified", "signed", "signature"])
def test_forged_parts_are_told(name: str) -> None:
    """Each of the three signatures."""
    forged: object = OTHER.sign(b"\x01" * 32)
    if name == "signed":
        forged = SignedVoucher(Voucher(ID, RESIDENT.address, 5, 700), OTHER.sign(b"\x01" * 32))
    with pytest.raises(ForgedMessageError):
        check(**{name: forged})


@pytest.mark.parametrize(
    ("nonce", "transferred", "conflict"),
    [
        (5, 700, False),
        (5, 701, True),
        (5, 0, True),
        (6, 700, False),
        (6, 699, True),
        (7, 900, False),
        (4, 500, False),
        (4, 501, True),
        (1, 0, False),
    ],
)
def test_honest_vouchers_form_one_line(nonce: int, transferred: int, conflict: bool) -> None:
    """A higher nonce pays no less, a lower one no more than what was there before the payment."""
    payment = OfflinePayment(Voucher(ID, RESIDENT.address, 5, 700), MERCHANT, 200)
    assert conflicts(payment, Voucher(ID, RESIDENT.address, nonce, transferred)) is conflict


def test_digests_are_the_ones_a_wallet_signs() -> None:
    """In the bonds' own domain, as plain EIP-712."""
    domain = {
        "name": "Alatau OfflineBonds",
        "version": "1",
        "chainId": 7773,
        "verifyingContract": "0x" + "09" * 20,
    }

    def digest(kind: str, fields: str, message: dict[str, object]) -> bytes:
        members = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
        signable = encode_typed_data(domain, {kind: members}, message)
        return keccak256(b"\x19\x01" + signable.header + signable.body)

    parts = paid()
    certificate, payment = parts["certificate"], parts["payment"]
    assert certificate_digest(BONDS, certificate) == digest(
        "OfflineCertificate",
        "bytes32 channelId,address payer,uint256 base,uint256 limit,uint256 expires",
        {"channelId": ID, "payer": RESIDENT.address, "base": 300, "limit": 1_000, "expires": NOW + 3_600},
    )
    assert payment_digest(BONDS, payment) == digest(
        "OfflinePayment",
        "bytes32 channelId,bytes32 voucherHash,address merchant,uint256 amount",
        {"channelId": ID, "voucherHash": voucher_hash(payment.voucher), "merchant": MERCHANT, "amount": 200},
    )
    assert payment_digest(BONDS, replace(payment, amount=201)) != payment_digest(BONDS, payment)
