"""What a party remembers besides its channel: invoices that it made and payments that it began."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import Lock


class OutgoingPhase(Enum):
    """How far a payment of one's own has come."""

    OFFERED = 1
    """The voucher with its lock is signed; the outcome is not known. Ask again, never pay anew."""
    PAID = 2
    """The secret is here: it proves the payment."""
    CANCELLED = 3
    """It came to nothing; the lock is dropped."""
    REFUSED = 4
    """The hub has said why not; the lock is dropped."""
    TAKEN = 5
    """The hub has the voucher and has locked to the merchant; the merchant has not answered yet."""


OPEN_PHASES: Final = (OutgoingPhase.OFFERED, OutgoingPhase.TAKEN)
"""The outcome is not known."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A payment of one's own; with its secret it is the receipt."""

    signed: SignedInvoice
    invoice_hash: bytes
    lock: Lock
    time: int
    """Seconds since 1970."""
    phase: OutgoingPhase = OutgoingPhase.OFFERED
    secret: bytes | None = None
    refunded: int = 0
    """Token units."""
    note: str = ""
    """Why it was refused."""


class IncomingPhase(Enum):
    """How far an invoice of one's own has come."""

    ISSUED = 1
    LOCKED = 2
    """The hub has locked its amount; the secret has been given away."""
    PAID = 3
    """The hub's voucher has its amount for good. Only now goods change hands."""
    EXPIRED = 4
    """The lock ran out before the secret reached hub or chain: nothing was paid."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An invoice of one's own."""

    signed: SignedInvoice
    invoice_hash: bytes
    secret: bytes
    phase: IncomingPhase = IncomingPhase.ISSUED
    paid_time: int = 0
    """Seconds since 1970; 0 until it is paid."""
    refunded: int = 0
    """Token units that were paid back."""
    refunds: tuple[tuple[int, int], ...] = ()
    """When, in seconds since 1970, and how much was paid back each time."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a payer shows: the merchant's invoice and the secret behind its hash."""

    signed: SignedInvoice
    secret: bytes
