"""The measurement of closing a day, on a small city: the day is in order, and every step is in the report."""

import json
import sys
from pathlib import Path

import pytest

from alatau.books.entries import EntryKind
from alatau.books.ledger import closing_balances, fold_day
from alatau_devnet.bench_books import DAY, FEE, city_day, main


def test_a_citys_day_is_the_same_each_time_and_in_order() -> None:
    """Each payment has its lock; the hub earns its fee of each."""
    openings, entries = city_day(50, 40)
    assert (openings, entries) == city_day(50, 40)
    assert [entry.kind for entry in entries[:3]] == [EntryKind.HOLD, EntryKind.RELEASE, EntryKind.PAYMENT]
    closings = closing_balances(fold_day(DAY, openings, entries))
    fees = [balance for account, balance in closings.items() if str(account) == "fees"]
    assert fees == [50 * FEE]


def test_the_report_has_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing is the sum of what closes a day; the file has a line for every record."""
    output = tmp_path / "bench" / "books.json"
    arguments = ["bench_books", "--payments", "30", "--channels", "20", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", arguments)
    main()
    report = json.loads(output.read_text())
    steps = ("fold_s", "root_s", "closing_balances_s", "statements_s")
    assert report["close_s"] == pytest.approx(sum(report[step] for step in steps), abs=0.002)
    assert (report["payments"], report["channels"]) == (30, 20)
    assert report["file_bytes"] > 90 * 400
    assert {"write_s", "read_s", "audit_s"} <= report.keys()
