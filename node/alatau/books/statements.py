"""What the owner of a channel is told of a day or a month: opening, every movement, closing, and what locks hold.

A statement's balance is what the owner has, what its locks hold included; a lock is no movement, what it pays is one.
What can be spent is the balance less ``held``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from alatau.books.accounts import FEES, OF_A_CHANNEL, AccountKind, owner_account, suspense_account
from alatau.books.entries import HOLD_KINDS, PAID_KINDS, Entry, EntryKind, Moment
from alatau.books.errors import BooksError
from alatau.books.ledger import DayLedger
from alatau.codec.plain_text import plain_text


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a statement: a debit or a credit, token units."""

    at: Moment
    kind: EntryKind
    reference: bytes
    """32 bytes."""
    invoice_hash: bytes
    """32 bytes, or nothing."""
    debit: int
    """With the fee."""
    credit: int
    fee: int
    """What of the debit the hub earned."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Days of a channel's owner, one after another."""

    channel_id: bytes
    first_day: int
    last_day: int
    """The zone's day numbers; both are included."""
    opening: int
    """What the owner had when the first day began."""
    movements: tuple[Movement, ...]
    """In the order of their booking."""
    closing: int
    """What the owner has when the last day has ended."""
    held: int
    """What of it locks hold."""


def statements(ledger: DayLedger) -> dict[bytes, Statement]:
    """The statements of a day, by channel: of all owners that had something, or whose account moved."""
    movements: dict[bytes, list[Movement]] = {
        account.channel_id: [] for account in ledger.accounts if account.kind in OF_A_CHANNEL
    }
    for entry in ledger.entries:
        if entry.kind not in HOLD_KINDS:
            for channel, movement in _movements(entry):
                movements[channel].append(movement)
    return {channel: _statement(ledger, channel, tuple(lines)) for channel, lines in movements.items()}


def joined(parts: Sequence[Statement]) -> Statement:
    """One statement of an owner's days, such as a month, in their order; days on which nothing is known are left out.

    Raises:
        BooksError: another channel's, not in order, or a day that does not begin with what the one before ended with.
    """
    assert parts, "at least one statement"
    for before, after in pairwise(parts):
        if before.channel_id != after.channel_id:
            raise BooksError(f"statements of {plain_text(before.channel_id)} and {plain_text(after.channel_id)}")
        if after.first_day <= before.last_day:
            raise BooksError(f"day {after.first_day} comes after day {before.last_day}")
        if after.opening != before.closing:
            raise BooksError(
                f"day {after.first_day} begins with {after.opening}, day {before.last_day} ended with {before.closing}"
            )
    lines = tuple(movement for part in parts for movement in part.movements)
    last = parts[-1]
    return replace(parts[0], last_day=last.last_day, movements=lines, closing=last.closing, held=last.held)


def _movements(entry: Entry) -> list[tuple[bytes, Movement]]:
    fee = sum(posting.credit for posting in entry.postings if posting.account == FEES)
    return [
        (
            posting.account.channel_id,
            Movement(
                entry.at,
                entry.kind,
                entry.reference,
                entry.invoice_hash,
                posting.debit,
                posting.credit,
                fee if posting.debit and entry.kind in PAID_KINDS else 0,
            ),
        )
        for posting in entry.postings
        if posting.account.kind is AccountKind.CHANNEL
    ]


def _statement(ledger: DayLedger, channel: bytes, movements: tuple[Movement, ...]) -> Statement:
    owned, held = ledger.account(owner_account(channel)), ledger.account(suspense_account(channel))
    opening, closing = owned.opening + held.opening, owned.closing + held.closing
    moved = sum(movement.credit - movement.debit for movement in movements)
    assert opening + moved == closing, "locks move nothing"
    return Statement(channel, ledger.day, ledger.day, opening, movements, closing, held.closing)
