"""An invoice as text: what a QR code holds, and what is sent by message. ``alatau:`` and base64url of its protobuf."""

import base64
import binascii
from typing import Final

from google.protobuf.message import DecodeError

from alatau.channels.errors import InvalidInvoiceError
from alatau.channels.invoice import SignedInvoice
from alatau.pb.channel.v1 import channel_pb2
from alatau.wire.bounds import WireError
from alatau.wire.channel import read_invoice, write_invoice

SCHEME: Final = "alatau:"
TEXT_MAX: Final = 4_096
"""Characters: an invoice with details of a kilobyte has 1,800."""


def invoice_text(signed: SignedInvoice) -> str:
    """For a QR code."""
    data = write_invoice(signed).SerializeToString()
    return SCHEME + base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_invoice_text(text: str) -> SignedInvoice:
    """What was scanned. Raises ``InvalidInvoiceError``; its signature is not checked yet."""
    stripped = text.strip()
    if not stripped.startswith(SCHEME) or len(stripped) > TEXT_MAX:
        raise InvalidInvoiceError(f"this is no invoice: it does not begin with {SCHEME!r}, or is too long")
    body = stripped.removeprefix(SCHEME)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return read_invoice(channel_pb2.Invoice.FromString(data))
    except (binascii.Error, DecodeError, WireError) as error:
        raise InvalidInvoiceError(f"this invoice is damaged: {error}") from error
