"""The hub's books on a real disk: days close in order, older days come back, what is not posted stays."""

from dataclasses import replace
from pathlib import Path

from alatau.books.accounts import CAPITAL, owner_account
from alatau.books.day_root import posted_root
from alatau.channels.forwarding.facts import Fact, FactKind
from alatau.hub.day_close import close, ledger_of, next_day, root_of, unposted
from alatau.hub.day_proofs import DayProofs
from alatau.hub.journal import Journal
from alatau.hub.liquidity import liquidity
from alatau.storage.book_records import DayPhase
from alatau.storage.database import Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk
from alatau.zones import zone_of
from tests.support.city import HUB, City
from tests.support.guest import as_guest

A, B = b"\x0a" * 32, b"\x0b" * 32
FIRST = 20_000
UTC = zone_of("UTC")


def opened(path: Path) -> Database:
    """A database."""
    return open_database(path, DatabaseOptions(), Disk(), expected=path.exists())


def fact(kind: FactKind, day: int, number: int, channel: bytes, amount: int, **more: object) -> Fact:
    """At noon."""
    return Fact(kind, day, day * 86_400 + 43_200, number.to_bytes(32, "big"), channel, amount, **more)  # type: ignore[arg-type]


def put(database: Database, journal: Journal, *facts: Fact) -> None:
    """In one batch."""
    batch = database.batch()
    for one in facts:
        journal.put(batch, one)
    database.write(batch)


def close_up_to(journal: Journal, last: int) -> None:
    """One after another, as the hub does."""
    first = journal.first_day() if journal.closed_day is None else journal.closed_day + 1
    assert first is not None
    for day in range(first, last + 1):
        journal.close_day(*close(journal, day))


def test_days_close_and_an_older_one_comes_back_as_it_was(tmp_path: Path) -> None:
    """Balances are kept once; what a day began with follows by taking back what was booked since."""
    database = opened(tmp_path / "db")
    journal = Journal(database)
    put(
        database,
        journal,
        fact(FactKind.DEPOSIT, FIRST, 1, A, 1_000),
        fact(FactKind.HUB_DEPOSIT, FIRST, 2, B, 500),
        fact(FactKind.PAYMENT, FIRST, 3, A, 300, other=B, part=2),
    )
    put(
        database,
        journal,
        fact(FactKind.REFUND, FIRST + 2, 4, B, 100, other=A),
        fact(FactKind.ADJUSTMENT, FIRST + 2, 5, A, 0, part=50),
    )
    close_up_to(journal, FIRST)
    first = ledger_of(journal, FIRST)
    close_up_to(journal, FIRST + 2)
    assert ledger_of(journal, FIRST) == first
    last = ledger_of(journal, FIRST + 2)
    assert last.account(owner_account(A)).opening == 698
    assert last.account(owner_account(A)).closing == 748
    assert last.account(CAPITAL).closing == 500 + 50
    assert [one.phase for one in journal.closed_days()] == [DayPhase.CLOSED, DayPhase.POSTED, DayPhase.CLOSED]
    assert [one.day for one in unposted(journal.closed_days())] == [FIRST, FIRST + 2]
    database.close()
    again = Journal(opened(tmp_path / "db"))
    assert again.closed_day == FIRST + 2
    assert ledger_of(again, FIRST) == first


def test_the_root_of_a_closed_day_is_what_proofs_lead_to(tmp_path: Path) -> None:
    """From the disk; a day that is not closed has none, nor has who did not pay."""
    database = opened(tmp_path / "db")
    journal = Journal(database)
    put(
        database,
        journal,
        fact(FactKind.DEPOSIT, FIRST, 1, A, 1_000),
        fact(FactKind.PAYMENT, FIRST, 3, A, 300, other=B, part=2),
    )
    close_up_to(journal, FIRST)
    root, closed = root_of(journal, FIRST), journal.closed(FIRST)
    assert root is not None
    assert closed is not None
    assert closed.totals is not None
    assert posted_root(root.book.totals) == posted_root(closed.totals)

    async def main() -> None:
        proof = await DayProofs(journal).proof(FIRST, A)
        assert (proof.entry.debits, proof.entry.credits, proof.totals) == (302, 0, closed.totals)

    as_guest(main)


def test_pruning_leaves_days_whose_root_is_not_on_the_chain(tmp_path: Path) -> None:
    """Facts go in parts; what waits to be posted stays with all that came after it."""
    database = opened(tmp_path / "db")
    journal = Journal(database)
    for day in range(FIRST, FIRST + 4):
        put(
            database,
            journal,
            fact(FactKind.DEPOSIT, day, day, A, 1_000),
            fact(FactKind.PAYMENT, day, day, A, 10, other=B),
        )
    close_up_to(journal, FIRST + 3)
    first, *_ = journal.closed_days()
    assert journal.prune(FIRST + 3, 100) == 0
    journal.mark(first, DayPhase.POSTED)
    assert journal.prune(FIRST + 3, 2) == 2
    assert journal.prune(FIRST + 3, 100) == 1
    assert (journal.closed(FIRST), journal.first_day()) == (None, FIRST + 1)
    assert [entry.at.day for entry in ledger_of(journal, FIRST + 1).entries] == [FIRST + 1] * 2


def test_a_day_waits_for_its_payments(tmp_path: Path) -> None:
    """It is closed when the contract would take it, and nothing of it is under way."""
    city = City()
    resident, till = city.join(1, deposit=1_000), city.join(2, hub_deposit=1_000)
    city.run_hub()
    for person in (resident, till):
        city.connect(person)
    city.settle_down()
    city.disconnect(resident)
    city.connect(resident)
    city.settle_down()
    city.do(till, till.core.invoice(70, b"\x01" * 32, city.now, seconds=600))
    (made,) = till.core.incoming.values()
    city.do(resident, resident.core.pay(made.signed, 0, 30, city.now))
    city.run_hub()
    book, day = city.hub.book, city.moment.day
    database = opened(tmp_path / "db")
    journal = Journal(database)
    put(database, journal, *city.disk.facts)
    tomorrow = (day + 1) * 86_400
    assert next_day(journal, book, UTC, city.time) is None
    assert next_day(journal, book, UTC, tomorrow + 70) is None, "a payment of the day is under way"
    city.settle_down()
    assert next_day(journal, book, UTC, tomorrow + 59) is None, "a batch may still be on its way to the disk"
    assert next_day(journal, book, UTC, tomorrow + 60) == day


def test_what_is_the_hubs_in_channels() -> None:
    """Open channels only; one in which it can promise nothing is counted."""
    city = City()
    first, second = city.join(1, deposit=1_000), city.join(2, hub_deposit=300)
    city.run_hub()
    states = [city.member(first), city.member(second)]
    found = liquidity(states, HUB.address)
    assert (found.channels, found.hubs, found.owners, found.locked, found.empty) == (2, 300, 1_000, 0, 1)
    closing = replace(states[1], phase=type(states[1].phase).CLOSING)
    assert liquidity([closing], HUB.address).channels == 0
