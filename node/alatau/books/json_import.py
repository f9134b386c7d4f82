"""Reading a day's JSON lines back, for the audit: nothing is believed, and an error names line and field.

What an entry has to be by itself is checked here: kinds, ids, amounts in range, and that debits are credits. What the
day has to be as a whole is the audit's (:mod:`alatau.books.audit`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from alatau.books.accounts import Account, read_account
from alatau.books.amounts import DECIMALS_MAX, Unit, decimal_text
from alatau.books.calendar import DAY_MAX, SECONDS_PER_DAY
from alatau.books.day_export import AccountLine, DayExport, Heading
from alatau.books.day_root import posted_root
from alatau.books.entries import AMOUNT_MAX, Entry, EntryKind, Moment, Posting
from alatau.books.errors import BooksError
from alatau.books.json_export import VERSION
from alatau.channels.day_book import DayTotals
from alatau.codec.json_text import JsonError, parse_json
from alatau.codec.plain_text import plain_text, shortened

LINE_BYTES_MAX: Final = 16_384
"""The longest record of ours, an entry of four postings, has about 1,200."""
POSTINGS_MAX: Final = 16
"""Of an entry; a hub makes at most three."""
SUM_MAX: Final = 2**160
"""Balances and sums: 2**48 entries of the largest amount."""
TIME_MAX: Final = DAY_MAX * SECONDS_PER_DAY

_DIGITS: Final = re.compile(r"0|-?[1-9][0-9]{0,48}")
_MISSING: Final = object()


class ImportDayError(BooksError):
    """The file is no day's export. Ask the hub for it again; the message says what is wrong, and where."""

    def __init__(self, line: int, name: str, reason: str) -> None:
        super().__init__(f"line {line}, {name}: {reason}" if name else f"line {line}: {reason}")
        self.line = line
        """From 1."""
        self.field = name
        """The member, such as ``postings[1].debit``; empty if the line as a whole is wrong."""


@dataclass(frozen=True, slots=True)
class _Record:
    """An object of a line, with where it stands."""

    line: int
    data: dict[str, Any]
    path: str = ""

    def fail(self, name: str, reason: str) -> NoReturn:
        raise ImportDayError(self.line, self.path + name, reason)

    def value(self, name: str) -> Any:
        found = self.data.get(name, _MISSING)
        if found is _MISSING:
            self.fail(name, "is missing")
        return found

    def text(self, name: str) -> str:
        found = self.value(name)
        if not isinstance(found, str):
            self.fail(name, f"a string, not {_shown(found)}")
        return found

    def number(self, name: str, least: int, most: int) -> int:
        found = self.value(name)
        if type(found) is not int or not least <= found <= most:
            self.fail(name, f"a number from {least} to {most}, not {_shown(found)}")
        return found

    def octets(self, name: str, length: int) -> bytes:
        text = self.text(name)
        if not re.fullmatch(f"0x[0-9a-f]{{{2 * length}}}", text):
            self.fail(name, f"0x and {2 * length} digits of 0-9 and a-f, not {_shown(text)}")
        return bytes.fromhex(text[2:])

    def amount(self, unit: Unit, name: str, least: int, most: int) -> int:
        """Token units, and the decimal beside them says the same."""
        text = self.text(name)
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            self.fail(name, f"digits of a number from {least} to {most} in a string, not {_shown(text)}")
        amount = int(text)
        decimal = self.text(f"{name}_decimal")
        if decimal != decimal_text(unit, amount):
            self.fail(f"{name}_decimal", f"{decimal_text(unit, amount)} for {text} token units, not {_shown(decimal)}")
        return amount

    def account(self, name: str) -> Account:
        try:
            return read_account(self.text(name))
        except ImportDayError:
            raise
        except BooksError as error:
            self.fail(name, str(error))


@dataclass(slots=True)
class _Day:
    """What was read so far."""

    heading: Heading | None = None
    accounts: dict[Account, AccountLine] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    totals: DayTotals | None = None
    ended: bool = False


def read_day(lines: Iterable[bytes]) -> DayExport:
    """The day that lines of :func:`alatau.books.json_export.write_day` tell, such as those of an open binary file.

    Raises:
        ImportDayError: a line or a field is not what it has to be, or the end is missing.
    """
    day = _Day()
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            data = parse_json(line, LINE_BYTES_MAX)
        except JsonError as error:
            raise ImportDayError(number, "", f"no record: {error}") from error
        if not isinstance(data, dict):
            raise ImportDayError(number, "", f"an object, not {_shown(data)}")
        _take(day, _Record(number, data))
    if day.heading is None or not day.ended:
        raise ImportDayError(number + 1, "", "the file ends without its record 'end': it was cut short")
    return DayExport(day.heading, day.accounts, tuple(day.entries), day.totals)


def _take(day: _Day, record: _Record) -> None:
    name = record.text("record")
    if day.ended:
        record.fail("record", "nothing follows the record 'end'")
    if (day.heading is None) != (name == "day"):
        record.fail("record", f"the first record, and no other, is 'day'; this is {_shown(name)}")
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
            record.fail("record", f"one of day, account, entry, totals, end, not {_shown(name)}")


def _heading(record: _Record) -> Heading:
    if record.number("version", 0, 2**31) != VERSION:
        record.fail("version", f"this program reads version {VERSION}, not {record.value('version')}")
    decimals = record.number("decimals", 0, DECIMALS_MAX)
    try:
        unit = Unit(record.text("currency"), decimals)
    except ImportDayError:
        raise
    except BooksError as error:
        record.fail("currency", str(error))
    return Heading(
        record.octets("hub", 20),
        record.number("chain_id", 0, 2**64 - 1),
        record.text("zone"),
        record.number("day", 0, DAY_MAX),
        unit,
    )


def _entry(unit: Unit, record: _Record) -> Entry:
    kind = record.text("kind")
    if kind not in {known.value for known in EntryKind}:
        record.fail("kind", f"one of {', '.join(known.value for known in EntryKind)}, not {_shown(kind)}")
    listed = record.value("postings")
    if not isinstance(listed, list) or not 2 <= len(listed) <= POSTINGS_MAX:
        record.fail("postings", f"an array of 2 to {POSTINGS_MAX}")
    postings = tuple(_posting(unit, record, place, data) for place, data in enumerate(listed))
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


def _posting(unit: Unit, record: _Record, place: int, data: Any) -> Posting:
    if not isinstance(data, dict):
        record.fail(f"postings[{place}]", f"an object, not {_shown(data)}")
    part = _Record(record.line, data, f"postings[{place}].")
    account = part.account("account")
    if "debit" in data and "credit" in data:
        part.fail("credit", "a posting is a debit or a credit, not both")
    if "debit" in data:
        return Posting(account, debit=part.amount(unit, "debit", 1, AMOUNT_MAX))
    return Posting(account, credit=part.amount(unit, "credit", 1, AMOUNT_MAX))


def _totals(unit: Unit, record: _Record) -> DayTotals:
    debits, credits_, fees = (record.amount(unit, name, 0, SUM_MAX) for name in ("debits", "credits", "fees"))
    totals = DayTotals(record.octets("tree", 32), debits, credits_, fees, record.number("entries", 0, SUM_MAX))
    if record.octets("root", 32) != posted_root(totals):
        record.fail("root", f"of these totals it is {plain_text(posted_root(totals))}")
    return totals


def _shown(value: Any) -> str:
    """As much of a value as a message bears."""
    return shortened(repr(value), 80)
