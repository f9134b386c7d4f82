"""A closed day as it is handed to others: what it is a book of, and what the hub says of every account and in all."""

from collections.abc import Mapping
from dataclasses import dataclass

from alatau.books.accounts import Account
from alatau.books.amounts import Unit
from alatau.books.day_root import day_root
from alatau.books.entries import Entry
from alatau.books.ledger import DayLedger
from alatau.channels.day_book import DayTotals


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose book, of which day, in which unit."""

    hub: bytes
    """20 bytes."""
    chain_id: int
    zone: str
    """IANA name of the time zone in which the day is counted."""
    day: int
    """Days since 1970."""
    unit: Unit


@dataclass(frozen=True, slots=True)
class AccountLine:
    """What the hub says of an account's day, token units."""

    opening: int
    debits: int
    credits: int
    closing: int


@dataclass(frozen=True, slots=True)
class DayExport:
    """A day as its hub tells it: nothing here is computed from anything else, so an audit can compare."""

    heading: Heading
    accounts: Mapping[Account, AccountLine]
    entries: tuple[Entry, ...]
    totals: DayTotals | None
    """What was, or will be, posted; None for a day on which nobody paid."""


def export_day(heading: Heading, ledger: DayLedger) -> DayExport:
    """The export of a ledger."""
    assert heading.day == ledger.day, "a heading of this day"
    root = day_root(ledger.day, ledger.entries)
    accounts = {
        account: AccountLine(moved.opening, moved.debits, moved.credits, moved.closing)
        for account, moved in ledger.accounts.items()
    }
    return DayExport(heading, accounts, ledger.entries, root.book.totals if root else None)
