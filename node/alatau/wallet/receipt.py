"""A receipt: the merchant's invoice and the secret behind its hash. Anybody can check it, without hub and chain.

As text it is ``alatau-paid:`` and base64url of the secret (32 bytes) and the invoice's protobuf.
"""

import base64
import binascii
from typing import Final

from google.protobuf.message import DecodeError

from alatau.channels.errors import ForgedMessageError, InvalidInvoiceError
from alatau.channels.invoice import invoice_digest
from alatau.channels.messages import Domain, signed_by
from alatau.channels.party.records import Receipt
from alatau.crypto.keccak import keccak256
from alatau.pb.channel.v1 import channel_pb2
from alatau.wallet.invoice_text import TEXT_MAX
from alatau.wire.bounds import WireError
from alatau.wire.channel import read_invoice, write_invoice

SCHEME: Final = "alatau-paid:"


def receipt_text(receipt: Receipt) -> str:
    """What a payer shows or sends."""
    data = receipt.secret + write_invoice(receipt.signed).SerializeToString()
    return SCHEME + base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_receipt_text(text: str) -> Receipt:
    """What was shown. Raises ``InvalidInvoiceError``; nothing is checked yet."""
    stripped = text.strip()
    if not stripped.startswith(SCHEME) or len(stripped) > TEXT_MAX:
        raise InvalidInvoiceError(f"this is no receipt: it does not begin with {SCHEME!r}, or is too long")
    body = stripped.removeprefix(SCHEME)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return Receipt(read_invoice(channel_pb2.Invoice.FromString(data[32:])), data[:32])
    except (binascii.Error, DecodeError, WireError) as error:
        raise InvalidInvoiceError(f"this receipt is damaged: {error}") from error


def check_receipt(domain: Domain, receipt: Receipt) -> None:
    """What it proves: this merchant asked for this amount, and gave away the secret that it gives only for the money.

    Raises:
        ForgedMessageError: the invoice is not its merchant's.
        InvalidInvoiceError: the secret is not the one behind the invoice's hash: it was not paid.
    """
    invoice = receipt.signed.invoice
    digest = invoice_digest(domain, invoice)
    if not signed_by(digest, receipt.signed.signature, invoice.merchant, domain.rp_id_hash):
        raise ForgedMessageError("the invoice is not signed by its merchant")
    if keccak256(receipt.secret) != invoice.secret_hash:
        raise InvalidInvoiceError("the secret is not the one that the invoice names: this is no proof of a payment")
