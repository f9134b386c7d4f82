"""A day or a statement as comma separated values (RFC 4180), for spreadsheets; nothing in it is anybody's free text.

Amounts are decimals of the currency; beside them, under names with ``_units``, stand token units. A spreadsheet may
round what has more than 15 digits: for checking there are the JSON lines.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from alatau.books.amounts import Unit, decimal_text
from alatau.books.calendar import day_date
from alatau.books.day_export import DayExport
from alatau.books.json_export import utc_text
from alatau.books.statements import Statement
from alatau.codec.plain_text import plain_text


def day_csv(export: DayExport) -> Iterator[str]:
    """One row for each posting of a day's entries, in the order of their booking, behind a row of names."""
    unit = export.heading.unit
    names = ("entry", "date", "utc", "kind", "reference", "invoice", "account", "debit", "credit")
    rows = (
        (
            place,
            day_date(entry.at.day).isoformat(),
            utc_text(entry.at.time),
            entry.kind.value,
            plain_text(entry.reference),
            plain_text(entry.invoice_hash) if entry.invoice_hash else "",
            posting.account,
            *_sides(unit, posting.debit, posting.credit),
        )
        for place, entry in enumerate(export.entries)
        for posting in entry.postings
    )
    return _rows((*names, "debit_units", "credit_units", "currency"), rows)


def statement_csv(unit: Unit, statement: Statement) -> Iterator[str]:
    """One row for each movement with the balance after it, between a row ``opening`` and a row ``closing``."""
    names = (
        "date",
        "utc",
        "kind",
        "reference",
        "invoice",
        "debit",
        "credit",
        "debit_units",
        "credit_units",
        "currency",
    )
    return _rows((*names, "fee", "balance"), _statement_rows(unit, statement))


def _statement_rows(unit: Unit, statement: Statement) -> Iterator[tuple[object, ...]]:
    balance = statement.opening
    nothing = ("", "", "", "", unit.currency, "")
    yield (day_date(statement.first_day), "", "opening", "", "", *nothing, decimal_text(unit, balance))
    for movement in statement.movements:
        balance += movement.credit - movement.debit
        yield (
            day_date(movement.at.day),
            utc_text(movement.at.time),
            movement.kind.value,
            plain_text(movement.reference),
            plain_text(movement.invoice_hash) if movement.invoice_hash else "",
            *_sides(unit, movement.debit, movement.credit),
            decimal_text(unit, movement.fee) if movement.fee else "",
            decimal_text(unit, balance),
        )
    yield (day_date(statement.last_day), "", "closing", "", "", *nothing, decimal_text(unit, statement.closing))


def _sides(unit: Unit, debit: int, credit: int) -> tuple[object, ...]:
    decimals = (decimal_text(unit, amount) if amount else "" for amount in (debit, credit))
    return (*decimals, debit or "", credit or "", unit.currency)


def _rows(names: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in chain([names], rows):
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
