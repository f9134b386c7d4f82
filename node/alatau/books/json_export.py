"""A day or a statement as JSON lines: one record a line, in a form that stays.

Each line is an object with a member ``record``. Amounts are token units, as digits in a string, since readers of JSON
lose what is beyond 2**53; beside each stands the same as a decimal, under the name with ``_decimal`` behind it. Bytes
are hexadecimal behind ``0x``. docs/city/books.md has the members. The last record counts the others, so that a file
that was cut short is noticed. Members may come to records later, under the same version; none goes or changes its
meaning.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from alatau.books.accounts import Account
from alatau.books.amounts import Unit, decimal_text
from alatau.books.calendar import day_date
from alatau.books.day_export import DayExport, Heading
from alatau.books.day_root import posted_root
from alatau.books.entries import Entry, Posting
from alatau.books.statements import Movement, Statement
from alatau.codec.plain_text import plain_text

VERSION: Final = 1


def write_day(export: DayExport) -> Iterator[str]:
    """The lines of a day, each with its end of line: heading, accounts by name, entries as booked, totals, end."""
    unit = export.heading.unit
    yield _line({"record": "day", **_heading(export.heading), "day": export.heading.day, **_date(export.heading.day)})
    for account in sorted(export.accounts, key=str):
        yield _line(_account(unit, account, export))
    for entry in export.entries:
        yield _line(_entry(unit, entry))
    if export.totals is not None:
        totals = export.totals
        yield _line(
            {
                "record": "totals",
                "tree": plain_text(totals.tree),
                **_amounts(unit, {"debits": totals.debits, "credits": totals.credits, "fees": totals.fees}),
                "entries": totals.entries,
                "root": plain_text(posted_root(totals)),
            }
        )
    counts = {"accounts": len(export.accounts), "entries": len(export.entries)}
    yield _line({"record": "end", **counts, "totals": 0 if export.totals is None else 1})


def write_statement(heading: Heading, statement: Statement) -> Iterator[str]:
    """The lines of a statement, each with its end of line: heading, movements, end. The heading's day is not used."""
    yield _line(
        {
            "record": "statement",
            **_heading(heading),
            "channel": plain_text(statement.channel_id),
            "first_day": statement.first_day,
            "first_date": day_date(statement.first_day).isoformat(),
            "last_day": statement.last_day,
            "last_date": day_date(statement.last_day).isoformat(),
            **_amounts(
                heading.unit,
                {"opening": statement.opening, "closing": statement.closing, "held": statement.held},
            ),
        }
    )
    for movement in statement.movements:
        yield _line(_movement(heading.unit, movement))
    yield _line({"record": "end", "movements": len(statement.movements)})


def utc_text(time: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC: ``2026-11-27T09:00:00Z``."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _heading(heading: Heading) -> dict[str, Any]:
    return {
        "version": VERSION,
        "hub": plain_text(heading.hub),
        "chain_id": heading.chain_id,
        "zone": heading.zone,
        "currency": heading.unit.currency,
        "decimals": heading.unit.decimals,
    }


def _date(day: int) -> dict[str, str]:
    return {"date": day_date(day).isoformat()}


def _account(unit: Unit, account: Account, export: DayExport) -> dict[str, Any]:
    line = export.accounts[account]
    sums = {"opening": line.opening, "debits": line.debits, "credits": line.credits, "closing": line.closing}
    return {"record": "account", "account": str(account), **_amounts(unit, sums)}


def _entry(unit: Unit, entry: Entry) -> dict[str, Any]:
    return {
        "record": "entry",
        "kind": entry.kind.value,
        "day": entry.at.day,
        "time": entry.at.time,
        "utc": utc_text(entry.at.time),
        "reference": plain_text(entry.reference),
        "invoice": plain_text(entry.invoice_hash) if entry.invoice_hash else None,
        "postings": [_posting(unit, posting) for posting in entry.postings],
    }


def _posting(unit: Unit, posting: Posting) -> dict[str, str]:
    side = {"debit": posting.debit} if posting.debit else {"credit": posting.credit}
    return {"account": str(posting.account), **_amounts(unit, side)}


def _movement(unit: Unit, movement: Movement) -> dict[str, Any]:
    side = {"debit": movement.debit} if movement.debit else {"credit": movement.credit}
    return {
        "record": "movement",
        "kind": movement.kind.value,
        "day": movement.at.day,
        "time": movement.at.time,
        "utc": utc_text(movement.at.time),
        "reference": plain_text(movement.reference),
        "invoice": plain_text(movement.invoice_hash) if movement.invoice_hash else None,
        **_amounts(unit, {**side, "fee": movement.fee}),
    }


def _amounts(unit: Unit, amounts: Mapping[str, int]) -> dict[str, str]:
    told = {}
    for name, amount in amounts.items():
        told[name] = str(amount)
        told[f"{name}_decimal"] = decimal_text(unit, amount)
    return told


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"
