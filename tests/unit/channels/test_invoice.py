"""What a merchant asks to be paid."""

from dataclasses import replace

import pytest

from alatau.channels.errors import ForgedMessageError, InvalidInvoiceError
from alatau.channels.invoice import (
    DETAILS_BYTES_MAX,
    LIFE_SECONDS_MAX,
    Details,
    Invoice,
    SignedInvoice,
    check_invoice,
    invoice_digest,
    read_details,
    write_details,
)
from alatau.channels.messages import AMOUNT_MAX, channels_domain
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

MERCHANT = PrivateKey(b"\x01" * 32)
STRANGER = PrivateKey(b"\x02" * 32)
DOMAIN = channels_domain(7773, b"\x07" * 20)
NOW = 1_000_000
DETAILS = Details("RN-17", "000123", "8842", "https://ofd.example/t/123", "table 4")


def signed(**fields: object) -> SignedInvoice:
    """An invoice of the merchant's, with some fields of the test's own."""
    invoice = Invoice(MERCHANT.address, b"\x0b" * 20, 1_500, keccak256(b"s" * 32), NOW, NOW + 600, b"")
    invoice = replace(invoice, **fields)  # type: ignore[arg-type]
    return SignedInvoice(invoice, MERCHANT.sign(invoice_digest(DOMAIN, invoice)))


def test_a_signed_invoice_is_good_until_its_last_second() -> None:
    """It may be paid at any time of its life."""
    for now in (NOW, NOW + 600):
        check_invoice(DOMAIN, signed(), now)
    with pytest.raises(InvalidInvoiceError, match="expired"):
        check_invoice(DOMAIN, signed(), NOW + 601)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"amount": 0}, "out of range"),
        ({"amount": AMOUNT_MAX + 1}, "out of range"),
        ({"details": b" " * (DETAILS_BYTES_MAX + 1)}, "at most"),
        ({"expires": NOW}, "lives"),
        ({"expires": NOW + LIFE_SECONDS_MAX + 1}, "lives"),
    ],
)
def test_a_field_out_of_range_is_refused(fields: dict[str, object], error: str) -> None:
    """Before any signature is looked at."""
    with pytest.raises(InvalidInvoiceError, match=error):
        check_invoice(DOMAIN, signed(**fields), NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 1_501},
        {"hub": b"\x0c" * 20},
        {"merchant": STRANGER.address},
        {"secret_hash": keccak256(b"t" * 32)},
        {"issued": NOW - 1},
        {"expires": NOW + 599},
        {"details": b"{}"},
    ],
)
def test_every_field_is_signed(fields: dict[str, object]) -> None:
    """Whoever changes one has no signature for it."""
    good = signed()
    forged = SignedInvoice(replace(good.invoice, **fields), good.signature)  # type: ignore[arg-type]
    with pytest.raises(ForgedMessageError):
        check_invoice(DOMAIN, forged, NOW)


def test_details_come_back_and_unknown_names_are_ignored() -> None:
    """A register may write more than we know."""
    assert read_details(write_details(DETAILS)) == DETAILS
    assert read_details(b'{"reference":"table 4","loyalty":{"points":3},"operator":7}') == Details(reference="table 4")
    assert write_details(Details()) == b""
    assert read_details(b"") == Details()


@pytest.mark.parametrize("data", [b"[]", b"{", b"\xff", b"[" * 1000])
def test_details_that_are_no_json_object_are_refused(data: bytes) -> None:
    """A receipt shows nothing that it cannot read."""
    with pytest.raises(InvalidInvoiceError):
        read_details(data)


def test_details_have_a_bound() -> None:
    """A QR code has one."""
    with pytest.raises(InvalidInvoiceError, match="at most"):
        write_details(Details(reference="x" * DETAILS_BYTES_MAX))


def test_a_hash_of_another_length_is_refused() -> None:
    """No signature can be over it."""
    short = SignedInvoice(replace(signed().invoice, secret_hash=b"short"), b"\x01" * 65)
    with pytest.raises(InvalidInvoiceError, match="32 bytes"):
        check_invoice(DOMAIN, short, NOW)
