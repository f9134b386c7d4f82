"""Tables for spreadsheets: read by a reader of theirs, they add up to the ledger."""

import csv
from decimal import Decimal

from hypothesis import given

from alatau.books.amounts import Unit
from alatau.books.csv_export import day_csv, statement_csv
from alatau.books.day_export import Heading, export_day
from alatau.books.entries import Entry
from alatau.books.ledger import closing_balances, fold_day
from alatau.books.statements import statements
from tests.unit.books.days import DAY, city_days, ledger_of

HEADING = Heading(b"\x48" * 20, 7_773, "Asia/Almaty", DAY, Unit())


@given(city_days())
def test_postings_add_up_to_the_accounts(days: list[list[Entry]]) -> None:
    """In token units, and in decimals to the same."""
    ledger = ledger_of(days[0])
    rows = list(csv.DictReader("".join(day_csv(export_day(HEADING, ledger))).splitlines()))
    assert len(rows) == sum(len(entry.postings) for entry in ledger.entries)
    for account, line in ledger.accounts.items():
        mine = [row for row in rows if row["account"] == str(account)]
        assert sum(int(row["debit_units"] or 0) for row in mine) == line.debits
        assert sum(int(row["credit_units"] or 0) for row in mine) == line.credits
    wrong = [row for row in rows for side in ("debit", "credit") if not _same(row[side], row[f"{side}_units"])]
    assert wrong == []


@given(city_days(days=2))
def test_a_statement_runs_from_opening_to_closing(days: list[list[Entry]]) -> None:
    """Every row has the balance after it."""
    first = ledger_of(days[0])
    second = fold_day(DAY + 1, closing_balances(first), days[1])
    for one in statements(second).values():
        rows = list(csv.DictReader("".join(statement_csv(Unit(), one)).splitlines()))
        assert [row["kind"] for row in rows] == ["opening", *(m.kind.value for m in one.movements), "closing"]
        balance = one.opening
        for row in rows:
            balance += int(row["credit_units"] or 0) - int(row["debit_units"] or 0)
            assert Decimal(row["balance"]) * 100 == balance
        assert balance == one.closing
        assert sum(Decimal(row["fee"] or 0) * 100 for row in rows) == sum(m.fee for m in one.movements)


def _same(decimal: str, units: str) -> bool:
    return Decimal(decimal or 0) * 100 == Decimal(units or 0)
