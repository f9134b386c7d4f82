"""Receipts that anybody can check."""

from dataclasses import replace

import pytest

from alatau.channels.errors import ForgedMessageError, InvalidInvoiceError
from alatau.channels.invoice import Invoice, SignedInvoice, invoice_digest
from alatau.channels.messages import channels_domain
from alatau.channels.party.records import Receipt
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.receipt import SCHEME, check_receipt, read_receipt_text, receipt_text

DOMAIN = channels_domain(7773, b"\x07" * 20)
MERCHANT = PrivateKey(b"\x11" * 32)
SECRET = b"\x22" * 32


def made() -> Receipt:
    """Of a payment of 300."""
    invoice = Invoice(MERCHANT.address, b"\x0b" * 20, 300, keccak256(SECRET), 1_000, 1_600, b'{"reference":"bread"}')
    return Receipt(SignedInvoice(invoice, MERCHANT.sign(invoice_digest(DOMAIN, invoice))), SECRET)


def test_a_receipt_goes_through_its_text() -> None:
    """And holds."""
    text = receipt_text(made())
    assert read_receipt_text(f" {text}\n") == made()
    check_receipt(DOMAIN, read_receipt_text(text))


def test_what_proves_nothing_is_refused() -> None:
    """Another secret, another amount, another chain."""
    with pytest.raises(InvalidInvoiceError, match="no proof of a payment"):
        check_receipt(DOMAIN, replace(made(), secret=bytes(32)))
    signed = made().signed
    with pytest.raises(ForgedMessageError):
        check_receipt(DOMAIN, replace(made(), signed=replace(signed, invoice=replace(signed.invoice, amount=301))))
    with pytest.raises(ForgedMessageError):
        check_receipt(channels_domain(7774, b"\x07" * 20), made())


@pytest.mark.parametrize("text", ["", "alatau:AAAA", SCHEME, SCHEME + "!!!!", SCHEME + "AAAA", SCHEME + "A" * 5_000])
def test_a_damaged_text_is_refused(text: str) -> None:
    """With what is wrong."""
    with pytest.raises(InvalidInvoiceError, match=r"no receipt|damaged"):
        read_receipt_text(text)
