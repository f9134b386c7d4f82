"""A payment on its way through the hub, and a refund of it."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias

from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import Lock

PaymentKey: TypeAlias = tuple[bytes, bytes]
"""Payer's account and hash of the invoice: whoever asks again is told of the same payment."""


class PaymentPhase(Enum):
    """How far a payment has come. It ends PAID or CANCELLED, one block after its lock expires at the latest."""

    LOCKED = 1
    """The payer has locked to the hub and the hub to the merchant."""
    REVEALED = 2
    """The merchant has given the secret away and is paid; the payer owes its amount for good. Final for both."""
    PAID = 3
    """The payer's voucher says so."""
    CANCELLED = 4
    """The merchant's lock ran out or was failed; the payer takes its own back."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Two locks under one secret."""

    payer: bytes
    """20 bytes."""
    invoice_hash: bytes
    """32 bytes."""
    signed: SignedInvoice
    payer_channel: bytes
    """32 bytes."""
    merchant_channel: bytes
    """32 bytes."""
    payer_lock: Lock
    """Of amount and fee; expires after the merchant's, so that the hub is never between the two."""
    merchant_lock: Lock
    time: int
    """Seconds since 1970 at which it was taken."""
    day: int
    """Days since 1970 in the hub's calendar."""
    month: int
    """Months since 1970 in the hub's calendar."""
    phase: PaymentPhase = PaymentPhase.LOCKED
    secret: bytes | None = None
    """32 bytes, from REVEALED on."""
    refunded: int = 0
    """Token units that the merchant has paid back."""

    @property
    def key(self) -> PaymentKey:
        """Under which it is known."""
        return self.payer, self.invoice_hash

    @property
    def amount(self) -> int:
        """What the merchant gets, token units."""
        return self.signed.invoice.amount

    @property
    def fee(self) -> int:
        """What the hub keeps, token units."""
        return self.payer_lock.amount - self.merchant_lock.amount


class LineKind(IntEnum):
    """Which way the money of a line of a statement went. Values as in ``alatau.channel.v1.PaymentLineKind``."""

    PAID = 1
    RECEIVED = 2
    REFUND_PAID = 3
    """To whoever had paid."""
    REFUND_RECEIVED = 4


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that a merchant paid back; given on to the payer in the same step."""

    payer_channel: bytes
    """32 bytes: the one that it went to."""
    merchant_channel: bytes
    """32 bytes."""
    payer: bytes
    invoice_hash: bytes
    nonce: int
    """Of the merchant's voucher that paid it: tells refunds of one payment apart."""
    amount: int
    time: int
    """Seconds since 1970."""
    day: int
    """Days since 1970 in the hub's calendar."""
