"""Entries of a hub's journal: what happened, when, and the postings by which debits and credits stay equal.

A hub makes them by the functions of :mod:`alatau.books.bookings`. An entry that does not balance is a defect of its
maker and is asserted; :mod:`alatau.books.json_import` looks before it makes one from bytes of others.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from alatau.books.accounts import Account

AMOUNT_MAX: Final = 2**112 - 1
"""Largest amount of a posting, in token units: the contract's bound."""
REFERENCE_BYTES: Final = 32


class EntryKind(Enum):
    """What happened; the values stand in exports."""

    PAYMENT = "payment"
    """An owner paid another, and the hub its fee: final."""
    OFFLINE_PAYMENT = "offline-payment"
    """As a payment, made without a network and brought to the hub later."""
    REFUND = "refund"
    """The payee of a payment gave back all or a part of it."""
    FEE = "fee"
    """An owner paid the hub for something else than a payment."""
    DEPOSIT = "deposit"
    """Money came from the chain into a channel, the owner's or the hub's."""
    WITHDRAWAL = "withdrawal"
    """Money went from a channel, or from the hub's credit, to the chain."""
    CLOSE_PAYOUT = "close-payout"
    """A channel ended on chain: what it held was credited to both."""
    REBALANCE = "rebalance"
    """The hub moved its own money from one channel, or its credit, to another."""
    HOLD = "hold"
    """A lock was signed: the owner cannot spend its amount twice."""
    RELEASE = "release"
    """The lock is gone, because its payment became final (an entry of its own) or was cancelled."""
    ADJUSTMENT = "adjustment"
    """The chain judged otherwise than the books: what the owner has is corrected before the payout."""


PAID_KINDS: Final = frozenset({EntryKind.PAYMENT, EntryKind.OFFLINE_PAYMENT, EntryKind.REFUND, EntryKind.FEE})
"""What DayBook.vy counts: in these, what owners are debited is what owners are credited and the hub's fees."""

HOLD_KINDS: Final = frozenset({EntryKind.HOLD, EntryKind.RELEASE})
"""What changes what an owner can spend, but not what it has."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was booked."""

    day: int
    """The zone's day number, days since 1970 (:func:`alatau.books.calendar.moment`)."""
    time: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount on one side of an account; the other side is 0."""

    account: Account
    debit: int = 0
    """Token units: less is owed, or more is held."""
    credit: int = 0
    """Token units: more is owed, or less is held."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, booked once."""

    at: Moment
    kind: EntryKind
    reference: bytes
    """32 bytes: the payment's id, or the hash of the transaction; :mod:`alatau.books.ledger` takes it once a kind."""
    postings: tuple[Posting, ...]
    invoice_hash: bytes = b""
    """32 bytes, or nothing."""

    def __post_init__(self) -> None:
        debits = credits_ = 0
        for posting in self.postings:
            assert (posting.debit == 0) != (posting.credit == 0), "a posting is a debit or a credit"
            assert 0 < posting.debit + posting.credit <= AMOUNT_MAX, "an amount is out of range"
            debits += posting.debit
            credits_ += posting.credit
        assert debits == credits_ > 0, "debits are credits"
        assert len(self.reference) == REFERENCE_BYTES, "a reference has 32 bytes"
        assert len(self.invoice_hash) in {0, REFERENCE_BYTES}, "a hash has 32 bytes"
