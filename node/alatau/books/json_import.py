"""Reading a day's JSON lines back, for the audit: nothing is believed, and an error names line and field.

What an entry has to be by itself is checked here: kinds, ids, amounts in range, and that debits are credits. What the
day has to be as a whole is the audit's (:mod:`alatau.books.audit`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from alatau.books.accounts import Account
from alatau.books.amounts import DECIMALS_MAX, Unit
from alatau.books.calendar import DAY_MAX, SECONDS_PER_DAY
from alatau.books.day_export import AccountLine, DayExport, Heading
from alatau.books.day_root import posted_root
from alatau.books.entries import AMOUNT_MAX, Entry, EntryKind, Moment, Posting
from alatau.books.errors import BooksError
from alatau.books.json_export import VERSION
from alatau.books.json_record import Record, RecordError, read_record, shown
from alatau.channels.day_book import DayTotals
from alatau.codec.plain_text import plain_text

LINES_MAX: Final = 1 << 24
"""A million channels with their two accounts, and some fourteen entries of each."""
POSTINGS_MAX: Final = 16
"""Of an entry; a hub makes at most three."""
SUM_MAX: Final = 2**160
"""Balances and sums: 2**48 entries of the largest amount."""
TIME_MAX: Final = DAY_MAX * SECONDS_PER_DAY


@dataclass(slots=True)
class _Day:
    """What was read so far."""

    heading: Heading | None = None
    accounts: dict[Account, AccountLine] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    totals: DayTotals | None = None
    ended: bool = False


def read_day(lines: Iterable[bytes]) -> DayExport:
    """The day that lines of :func:`alatau.books.json_export.write_day` tell.

    Those of an open binary file are ``iter(partial(file.readline, LINE_BYTES_MAX + 1), b"")``: so a file without ends
    of lines is not read as a whole.

    Raises:
        RecordError: a line or a field is not what it has to be, or the end is missing.
    """
    day = _Day()
    number = 0
    for number, line in enumerate(lines, start=1):
        if number > LINES_MAX:
            raise RecordError(number, "", f"at most {LINES_MAX} lines")
        _take(day, read_record(number, line))
    if day.heading is None or not day.ended:
        raise RecordError(number + 1, "", "the file ends without its record 'end': it was cut short")
    return DayExport(day.heading, day.accounts, tuple(day.entries), day.totals)


def _take(day: _Day, record: Record) -> None:
    name = record.text("record")
    if day.ended:
        record.fail("record", "nothing follows the record 'end'")
    if (day.heading is None) != (name == "day"):
        record.fail("record", f"the first record, and no other, is 'day'; this is {shown(name)}")
    match name, day.heading:
        case "day", _:
            day.heading = _heading(record)
        case "account", Heading(unit=unit):
            account = record.account("account")
            if account in day.accounts:
                record.fail("account", f"{account} was there before")
            sums = (record.amount(unit, name, -SUM_MAX, SUM_MAX) for name in AccountLine.__slots__)
            day.accounts[account] = AccountLine(*sums)
        case "entry", Heading(unit=unit):
            day.entries.append(_entry(unit, record))
        case "totals", Heading(unit=unit):
            if day.totals is not None:
                record.fail("record", "there are totals already")
            day.totals = _totals(unit, record)
        case "end", _:
            counts = {
                "accounts": len(day.accounts),
                "entries": len(day.entries),
                "totals": 0 if day.totals is None else 1,
            }
            for field_, count in counts.items():
                if record.number(field_, 0, SUM_MAX) != count:
                    record.fail(field_, f"{record.value(field_)}, but {count} were read: lines are missing or too many")
            day.ended = True
        case _:
            record.fail("record", f"one of day, account, entry, totals, end, not {shown(name)}")


def _heading(record: Record) -> Heading:
    if record.number("version", 0, 2**31) != VERSION:
        record.fail("version", f"this program reads version {VERSION}, not {record.value('version')}")
    decimals = record.number("decimals", 0, DECIMALS_MAX)
    currency = record.text("currency")
    try:
        unit = Unit(currency, decimals)
    except BooksError as error:
        record.fail("currency", str(error))
    return Heading(
        record.octets("hub", 20),
        record.number("chain_id", 0, 2**64 - 1),
        record.text("zone"),
        record.number("day", 0, DAY_MAX),
        unit,
    )


def _entry(unit: Unit, record: Record) -> Entry:
    kind = record.text("kind")
    if kind not in {known.value for known in EntryKind}:
        record.fail("kind", f"one of {', '.join(known.value for known in EntryKind)}, not {shown(kind)}")
    postings = tuple(_posting(unit, part) for part in record.parts("postings", 2, POSTINGS_MAX))
    debits, credits_ = sum(posting.debit for posting in postings), sum(posting.credit for posting in postings)
    if debits != credits_:
        record.fail("postings", f"debits are {debits}, credits {credits_}: an entry balances")
    return Entry(
        Moment(record.number("day", 0, DAY_MAX), record.number("time", 0, TIME_MAX)),
        EntryKind(kind),
        record.octets("reference", 32),
        postings,
        b"" if record.value("invoice") is None else record.octets("invoice", 32),
    )


def _posting(unit: Unit, part: Record) -> Posting:
    account = part.account("account")
    if "debit" in part.data and "credit" in part.data:
        part.fail("credit", "a posting is a debit or a credit, not both")
    if "debit" in part.data:
        return Posting(account, debit=part.amount(unit, "debit", 1, AMOUNT_MAX))
    return Posting(account, credit=part.amount(unit, "credit", 1, AMOUNT_MAX))


def _totals(unit: Unit, record: Record) -> DayTotals:
    debits, credits_, fees = (record.amount(unit, name, 0, SUM_MAX) for name in ("debits", "credits", "fees"))
    totals = DayTotals(record.octets("tree", 32), debits, credits_, fees, record.number("entries", 0, SUM_MAX))
    if record.octets("root", 32) != posted_root(totals):
        record.fail("root", f"of these totals it is {plain_text(posted_root(totals))}")
    return totals
