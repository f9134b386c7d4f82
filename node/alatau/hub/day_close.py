"""A day ends: which one may be closed, and what it comes to.

A day is closed when the contract would take its root and no payment of it can become final any more: a payment is
booked on the day on which it was taken, and a lock that was taken before midnight may be paid a little later.
"""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from alatau.books.accounts import Account
from alatau.books.calendar import day_number, postable_at
from alatau.books.day_export import DayExport, Heading, export_day
from alatau.books.day_root import DayRoot, day_root
from alatau.books.hub_facts import entry_of
from alatau.books.ledger import DayLedger, closing_balances, fold_day
from alatau.channels.forwarding.book import Book
from alatau.channels.forwarding.payment import PaymentPhase
from alatau.hub.journal import Journal
from alatau.storage.book_records import ClosedDay, DayPhase

MARGIN_S: Final = 60
"""A batch that was begun before midnight is on the disk so long after it."""


def next_day(journal: Journal, book: Book, zone: tzinfo, now: int) -> int | None:
    """The day that is to be closed next, at ``now`` seconds since 1970; None while there is none."""
    closed = journal.closed_day
    day = journal.first_day() if closed is None else closed + 1
    if day is None or day >= day_number(zone, now) or now < postable_at(zone, day) + MARGIN_S:
        return None
    under_way = any(one.day <= day and one.phase is PaymentPhase.LOCKED for one in list(book.payments.values()))
    return None if under_way else day


def close(journal: Journal, day: int) -> tuple[ClosedDay, dict[Account, int], dict[Account, int]]:
    """What a day comes to: to be given to ``Journal.close_day``. Reads only. Raises ``BooksError``."""
    openings = journal.balances()
    ledger = _ledger(journal, day, openings)
    root = day_root(day, ledger.entries)
    phase = DayPhase.CLOSED if root else DayPhase.POSTED
    return ClosedDay(day, root.book.totals if root else None, phase), openings, closing_balances(ledger)


def export_of(journal: Journal, heading: Heading) -> DayExport:
    """A closed day, as it is handed to others."""
    return export_day(heading, ledger_of(journal, heading.day))


def ledger_of(journal: Journal, day: int) -> DayLedger:
    """The ledger of a closed day. Raises ``BooksError``."""
    return _ledger(journal, day, journal.openings(day))


def root_of(journal: Journal, day: int) -> DayRoot | None:
    """The tree of a closed day; None where nobody paid."""
    return day_root(day, map(entry_of, journal.facts(day, day)))


def _ledger(journal: Journal, day: int, openings: dict[Account, int]) -> DayLedger:
    return fold_day(day, openings, map(entry_of, journal.facts(day, day)))


def unposted(days: Iterable[ClosedDay]) -> list[ClosedDay]:
    """Days whose root the chain does not hold, oldest first."""
    return [one for one in days if one.phase is not DayPhase.POSTED]
