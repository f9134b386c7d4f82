"""What a merchant asks to be paid: signed, and small enough for a QR code, with the fiscal fields of its receipt.

The merchant draws a secret and names only its hash; whoever is paid gives the secret away, so that the secret beside
the invoice proves the payment. Details are JSON that the merchant's register writes; only their hash is signed, names
that nobody knows are ignored.
"""

import json
from dataclasses import dataclass
from typing import Final

from alatau.channels.errors import ForgedMessageError, InvalidInvoiceError
from alatau.channels.messages import AMOUNT_MAX, Domain, address_word, signed_by, uint_word
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest
from alatau.crypto.keccak import keccak256

DETAILS_BYTES_MAX: Final = 1024
"""So that an invoice fits into a QR code that a phone reads at arm's length."""

LIFE_SECONDS_MAX: Final = 7 * 86_400
"""A week: longer, and what was paid could no longer be told from what may be paid twice."""

_INVOICE_TYPE: Final = type_hash(
    "Invoice(address merchant,address hub,uint256 amount,bytes32 secretHash,uint256 issued,uint256 expires,"
    "bytes32 detailsHash)"
)


@dataclass(frozen=True, slots=True)
class Invoice:
    """A demand for payment."""

    merchant: bytes
    """20 bytes."""
    hub: bytes
    """20 bytes: where the merchant is paid."""
    amount: int
    """Token units."""
    secret_hash: bytes
    """keccak256 of the 32-byte secret."""
    issued: int
    """Seconds since 1970."""
    expires: int
    """Seconds since 1970: nobody pays it later."""
    details: bytes = b""
    """A JSON object in UTF-8, or nothing."""


@dataclass(frozen=True, slots=True)
class SignedInvoice:
    """An invoice with the merchant's signature."""

    invoice: Invoice
    signature: bytes
    """Of any scheme, over :func:`invoice_digest`."""


@dataclass(frozen=True, slots=True)
class Details:
    """What a receipt shows of an invoice. Empty where the register gave nothing."""

    register_number: str = ""
    """Of the cash register, as the tax office knows it."""
    receipt_number: str = ""
    fiscal_sign: str = ""
    operator: str = ""
    """Address at which the operator of fiscal data shows the receipt."""
    reference: str = ""
    """The merchant's own words."""
    name: str = ""
    """Of the shop, as it calls itself: nobody vouches for it."""


def invoice_digest(domain: Domain, invoice: Invoice) -> bytes:
    """What the merchant signs, and the invoice's hash. ``domain`` is that of the channels contract."""
    words = (
        address_word(invoice.merchant),
        address_word(invoice.hub),
        uint_word(invoice.amount),
        invoice.secret_hash,
        uint_word(invoice.issued),
        uint_word(invoice.expires),
        keccak256(invoice.details),
    )
    return typed_digest(domain.separator, struct_hash(_INVOICE_TYPE, *words))


def write_details(details: Details) -> bytes:
    """The JSON of what is not empty, at most ``DETAILS_BYTES_MAX`` bytes. Raises ``InvalidInvoiceError``."""
    fields = {name: getattr(details, name) for name in Details.__slots__ if getattr(details, name)}
    data = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() if fields else b""
    if len(data) > DETAILS_BYTES_MAX:
        raise InvalidInvoiceError(f"the details have {len(data)} bytes, at most {DETAILS_BYTES_MAX}")
    return data


def read_details(data: bytes) -> Details:
    """What is known of the details; unknown names are ignored. No JSON object raises ``InvalidInvoiceError``."""
    if not data:
        return Details()
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInvoiceError("the details are no JSON") from error
    if not isinstance(fields, dict):
        raise InvalidInvoiceError("the details are no JSON object")
    known = {name: fields[name] for name in Details.__slots__ if isinstance(fields.get(name), str)}
    return Details(**known)


def check_invoice(domain: Domain, signed: SignedInvoice, now: int) -> None:
    """What a payer, and the hub for it, check before money moves.

    Args:
        domain: that of the channels contract.
        signed: the invoice.
        now: seconds since 1970.

    Raises:
        InvalidInvoiceError: a field is out of range, or the invoice has expired. The merchant makes another.
        ForgedMessageError: it is not the merchant's.
    """
    invoice = signed.invoice
    if not 0 < invoice.amount <= AMOUNT_MAX:
        raise InvalidInvoiceError(f"the amount {invoice.amount} is out of range")
    if len(invoice.secret_hash) != 32:
        raise InvalidInvoiceError("a hash has 32 bytes")
    if len(invoice.details) > DETAILS_BYTES_MAX:
        raise InvalidInvoiceError(f"the details have {len(invoice.details)} bytes, at most {DETAILS_BYTES_MAX}")
    if not invoice.issued < invoice.expires <= invoice.issued + LIFE_SECONDS_MAX:
        raise InvalidInvoiceError(f"an invoice lives at most {LIFE_SECONDS_MAX} s")
    if invoice.expires < now:
        raise InvalidInvoiceError(f"the invoice expired at {invoice.expires}, now is {now}")
    if not signed_by(invoice_digest(domain, invoice), signed.signature, invoice.merchant, domain.rp_id_hash):
        raise ForgedMessageError("the invoice is not signed by its merchant")
