"""An auditor's look at a day: everything is computed again from the entries, and the first difference is named.

Checked in this order: the day and its moments, the balances of every account, what each channel's escrow covers, the
day before, the sums and the tree, the word on chain. What the entries leave out, no audit of an export finds; that is
what each owner's proof of inclusion is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from alatau.books.accounts import Account, AccountKind
from alatau.books.calendar import day_number
from alatau.books.day_export import AccountLine, DayExport
from alatau.books.day_root import day_root, posted_root
from alatau.books.errors import BooksError
from alatau.books.ledger import DayLedger, closing_balances, fold_day, hub_share
from alatau.channels.day_book import DayTotals
from alatau.codec.plain_text import plain_text


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the export and what follows from it part."""

    place: str
    """An entry, an account with its field, a sum, or the word on chain."""
    stated: str
    computed: str

    def __str__(self) -> str:
        """For the auditor's terminal."""
        return f"{self.place}: the export says {self.stated}, computed is {self.computed}"


def audit_day(
    export: DayExport,
    zone: tzinfo,
    *,
    posted: bytes | None = None,
    previous: Mapping[Account, int] | None = None,
) -> Difference | None:
    """The first difference between what an export says and what its entries give; None for a day in order.

    Args:
        export: of the day, as :func:`alatau.books.json_import.read_day` gives it.
        zone: that of ``export.heading.zone``.
        posted: the 32 bytes that ``DayBook.day_root(hub, day)`` holds; None to leave the chain out.
        previous: closing balances of the day before, as :func:`export_closings` gives them; None to leave them out.
    """
    heading = export.heading
    for place, entry in enumerate(export.entries):
        try:
            day = day_number(zone, entry.at.time)
        except ValueError as error:
            return Difference(f"entry {place}, time", str(entry.at.time), f"no day: {error}")
        if day != entry.at.day:
            return Difference(f"entry {place}, day", str(entry.at.day), f"{day}, from its time in {heading.zone}")
    openings = {account: line.opening for account, line in export.accounts.items() if line.opening}
    try:
        ledger = fold_day(heading.day, openings, export.entries)
    except BooksError as error:
        return Difference("entries", "a day in order", str(error))
    return (
        _accounts(export, ledger)
        or _covered(ledger)
        or _follows(openings, previous)
        or _totals(export, ledger)
        or _on_chain(export.totals, posted)
    )


def export_closings(export: DayExport) -> dict[Account, int]:
    """What the next day has to begin with, by the export's word."""
    return {account: line.closing for account, line in export.accounts.items() if line.closing}


def _accounts(export: DayExport, ledger: DayLedger) -> Difference | None:
    nothing = AccountLine(0, 0, 0, 0)
    for account in _in_order(export.accounts, ledger.accounts):
        said, moved = export.accounts.get(account, nothing), ledger.account(account)
        computed = AccountLine(moved.opening, moved.debits, moved.credits, moved.closing)
        for name in AccountLine.__slots__:
            if getattr(said, name) != getattr(computed, name):
                return Difference(f"{account}, {name}", str(getattr(said, name)), str(getattr(computed, name)))
    return None


def _covered(ledger: DayLedger) -> Difference | None:
    closings = closing_balances(ledger)
    channels = {account.channel_id for account in closings if account.kind is not AccountKind.ESCROW}
    for channel in sorted(channels - {b""}):
        share = hub_share(closings, channel)
        if share < 0:
            place = f"channel {plain_text(channel)}, escrow"
            return Difference(place, "what it owes its owner", f"{-share} less than that")
    return None


def _follows(openings: Mapping[Account, int], previous: Mapping[Account, int] | None) -> Difference | None:
    if previous is None:
        return None
    for account in _in_order(openings, previous):
        opening, before = openings.get(account, 0), previous.get(account, 0)
        if opening != before:
            return Difference(f"{account}, opening", str(opening), f"{before}, the closing balance of the day before")
    return None


def _totals(export: DayExport, ledger: DayLedger) -> Difference | None:
    try:
        root = day_root(ledger.day, ledger.entries)
    except ValueError as error:
        return Difference("totals", "a day that the contract takes", str(error))
    said, computed = export.totals, root.book.totals if root else None
    if said is None or computed is None:
        if said is computed:
            return None
        words = ("a day without payments" if totals is None else "a day with payments" for totals in (said, computed))
        return Difference("totals", *words)
    for name in DayTotals.__slots__:
        if getattr(said, name) != getattr(computed, name):
            values = (plain_text(getattr(totals, name)) for totals in (said, computed))
            return Difference(f"totals, {name}", *values)
    return None


def _on_chain(totals: DayTotals | None, posted: bytes | None) -> Difference | None:
    if posted is None:
        return None
    computed = posted_root(totals) if totals else bytes(32)
    if posted == computed:
        return None
    stated = plain_text(computed) if totals else "no root, as nobody paid"
    return Difference("the word on chain", stated, f"{plain_text(posted)}, which the contract holds")


def _in_order(*maps: Mapping[Account, object]) -> list[Account]:
    return sorted({account for accounts in maps for account in accounts}, key=str)
