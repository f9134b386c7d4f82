"""Days and statements as JSON lines: the form is frozen."""

import json
from pathlib import Path

from alatau.books import bookings
from alatau.books.amounts import Unit
from alatau.books.day_export import Heading, export_day
from alatau.books.json_export import write_day, write_statement
from alatau.books.statements import statements
from tests.unit.books.days import CHANNELS, DAY, clock, ledger_of, reference

VECTORS = Path(__file__).parents[2] / "vectors" / "books"
A, B = CHANNELS[:2]
HEADING = Heading(b"\x48" * 20, 7_773, "Asia/Almaty", DAY, Unit())
ENTRIES = [
    bookings.deposit(clock(60), reference(1), A, 50_000_00),
    bookings.hub_deposit(clock(61), reference(2), B, 90_000_00),
    bookings.hold(clock(3_600), reference(3), A, 1_507_50),
    bookings.release(clock(3_601), reference(3), A, 1_507_50),
    bookings.payment(clock(3_601), reference(3), A, B, 1_500_00, fee=7_50, invoice_hash=reference(4)),
    bookings.refund(clock(7_200), reference(5), B, A, 300_00, invoice_hash=reference(4)),
    bookings.withdrawal(clock(86_399), reference(6), B, 1_000_00),
]


def test_a_day_is_written_as_it_was() -> None:
    """Byte for byte as ``tests/vectors/books/day.jsonl``: others read these files for years."""
    assert "".join(write_day(export_day(HEADING, ledger_of(ENTRIES)))) == (VECTORS / "day.jsonl").read_text()


def test_a_statement_is_written_as_it_was() -> None:
    """Byte for byte as ``tests/vectors/books/statement.jsonl``."""
    told = statements(ledger_of(ENTRIES))[B]
    assert "".join(write_statement(HEADING, told)) == (VECTORS / "statement.jsonl").read_text()


def test_a_day_on_which_nobody_paid_has_no_totals() -> None:
    """And says so in its end."""
    lines = list(write_day(export_day(HEADING, ledger_of(ENTRIES[:2]))))
    assert "totals" not in {json.loads(line)["record"] for line in lines}
    assert json.loads(lines[-1]) == {"record": "end", "accounts": 4, "entries": 2, "totals": 0}
