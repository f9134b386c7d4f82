"""How long a hub takes to close a day: ``python -m alatau_devnet.bench_books`` (or ``make bench-books``).

A day of a city: 100,000 payments of residents to merchants, each with its lock's beginning and end, over 55,000
channels. Each step is timed in processor time, which other work on the machine disturbs least: folding the ledger, the
root, all statements, then the day as JSON lines, reading them back, and the audit. Writes ``build/bench/books.json``.
"""

import argparse
import json
import platform
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from alatau.books import bookings
from alatau.books.accounts import CAPITAL, Account, escrow_account, owner_account
from alatau.books.amounts import Unit
from alatau.books.audit import audit_day
from alatau.books.calendar import SECONDS_PER_DAY, day_start, moment
from alatau.books.day_export import Heading, export_day
from alatau.books.day_root import day_root, posted_root
from alatau.books.entries import Entry
from alatau.books.json_export import write_day
from alatau.books.json_import import read_day
from alatau.books.ledger import closing_balances, fold_day
from alatau.books.statements import statements
from alatau.zones import DEFAULT_ZONE, zone_of

DAY: Final = 20_784
"""27 November 2026."""
MERCHANTS_SHARE: Final = 20
"""One channel of so many is a merchant's: 2,800 of 55,000."""
OWNED: Final = 10_000_000
FUNDED: Final = 20_000_000
"""What an owner has and what its channel holds when the day begins, token units: enough for all it can pay."""
FEE: Final = 5
OUTPUT: Final = Path("build/bench/books.json")

T = TypeVar("T")


def city_day(payments: int, channels: int) -> tuple[dict[Account, int], list[Entry]]:
    """Opening balances, and the entries of a day: by the same numbers, always the same."""
    rng = random.Random(DAY)  # noqa: S311 - which resident pays which merchant is no secret
    ids = [number.to_bytes(4, "big") * 8 for number in range(1, channels + 1)]
    merchants = ids[: max(1, channels // MERCHANTS_SHARE)]
    residents = ids[len(merchants) :]
    openings = {CAPITAL: channels * (FUNDED - OWNED)}
    for channel in ids:
        openings[owner_account(channel)] = OWNED
        openings[escrow_account(channel)] = -FUNDED
    zone = zone_of(DEFAULT_ZONE)
    begin = day_start(zone, DAY)
    entries: list[Entry] = []
    for number in range(payments):
        at = moment(zone, begin + number * SECONDS_PER_DAY // payments)
        reference = number.to_bytes(32, "big")
        payer, payee, amount = rng.choice(residents), rng.choice(merchants), rng.randrange(100, 10_000)
        entries += (
            bookings.hold(at, reference, payer, amount + FEE),
            bookings.release(at, reference, payer, amount + FEE),
            bookings.payment(at, reference, payer, payee, amount, fee=FEE, invoice_hash=reference),
        )
    return openings, entries


def measure(payments: int, channels: int) -> dict[str, float]:
    """Seconds of processor time for each step, and the size of the day's file."""
    openings, entries = city_day(payments, channels)
    zone = zone_of(DEFAULT_ZONE)
    figures: dict[str, float] = {}

    def timed(name: str, step: Callable[[], T]) -> T:
        begin = time.process_time()
        result = step()
        figures[name] = round(time.process_time() - begin, 3)
        return result

    ledger = timed("fold_s", lambda: fold_day(DAY, openings, entries))
    root = timed("root_s", lambda: day_root(DAY, ledger.entries))
    timed("closing_balances_s", lambda: closing_balances(ledger))
    timed("statements_s", lambda: statements(ledger))
    figures["close_s"] = round(sum(figures.values()), 3)
    export = export_day(Heading(bytes(20), 1, DEFAULT_ZONE, DAY, Unit()), ledger)
    lines = timed("write_s", lambda: [line.encode() for line in write_day(export)])
    figures["file_bytes"] = sum(map(len, lines))
    read = timed("read_s", lambda: read_day(lines))
    word = posted_root(root.book.totals) if root else None
    difference = timed("audit_s", lambda: audit_day(read, zone, posted=word, previous=openings))
    assert difference is None, "a day that was made in order is in order"
    return figures


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--channels", type=int, default=55_000)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    figures = measure(options.payments, options.channels)
    report = {
        "payments": options.payments,
        "channels": options.channels,
        "python": platform.python_version(),
        **figures,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    for name, value in report.items():
        print(f"{name:>20}  {value}")


if __name__ == "__main__":
    main()
