"""An audit finds every change of a day, and says first what is first."""

from dataclasses import replace

import pytest
from hypothesis import given

from alatau.books import bookings
from alatau.books.accounts import CAPITAL, FEES, escrow_account, owner_account
from alatau.books.amounts import Unit
from alatau.books.audit import audit_day, export_closings
from alatau.books.calendar import moment
from alatau.books.day_export import AccountLine, DayExport, Heading, export_day
from alatau.books.day_root import posted_root
from alatau.books.entries import AMOUNT_MAX, Entry, Moment
from alatau.books.ledger import closing_balances, fold_day
from alatau.channels.day_book import DayTotals
from tests.unit.books.days import ALMATY, CHANNELS, DAY, city_days, clock, ledger_of, reference

A, B = CHANNELS[:2]
HEADING = Heading(b"\x48" * 20, 7_773, "Asia/Almaty", DAY, Unit())
ENTRIES = [
    bookings.deposit(clock(1), reference(1), A, 10_000),
    bookings.hub_deposit(clock(2), reference(2), B, 10_000),
    bookings.payment(clock(3), reference(3), A, B, 1_000, fee=10),
]


def export_of(entries: list[Entry]) -> DayExport:
    """A day that begins with nothing."""
    return export_day(HEADING, ledger_of(entries))


def told(export: DayExport, **others: object) -> str:
    """What the audit says."""
    return str(audit_day(export, ALMATY, **others))  # type: ignore[arg-type]


@given(city_days(days=2))
def test_a_day_in_order_has_no_difference(days: list[list[Entry]]) -> None:
    """Nor has the next one; an escrow that pays out more than it holds is found alone."""
    first = fold_day(DAY, {}, days[0])
    second = fold_day(DAY + 1, closing_balances(first), days[1])
    previous = closing_balances(first)
    for ledger, before in ((first, {}), (second, previous)):
        export = export_day(replace(HEADING, day=ledger.day), ledger)
        word = posted_root(export.totals) if export.totals else bytes(32)
        difference = audit_day(export, ALMATY, posted=word, previous=before)
        if difference is not None:
            assert difference.place.endswith(", escrow")
    assert export_closings(export_day(HEADING, first)) == previous


def test_an_export_that_is_as_posted_is_in_order() -> None:
    """The word on chain is that of the totals."""
    export = export_of(ENTRIES)
    assert export.totals is not None
    assert audit_day(export, ALMATY, posted=posted_root(export.totals), previous={}) is None


@pytest.mark.parametrize("field", AccountLine.__slots__)
@pytest.mark.parametrize("account", [owner_account(A), escrow_account(B), FEES, CAPITAL])
def test_a_changed_balance_is_named(account: object, field: str) -> None:
    """With its account and field; a changed opening shows in the sum of them all."""
    export = export_of(ENTRIES)
    accounts = dict(export.accounts)
    line = accounts[account]  # type: ignore[index]
    accounts[account] = replace(line, **{field: getattr(line, field) + 1})  # type: ignore[index]
    found = told(replace(export, accounts=accounts))
    if field == "opening":
        assert "opening balances add up to 1" in found
    else:
        value = getattr(line, field)
        assert found == f"{account}, {field}: the export says {value + 1}, computed is {value}"


def test_an_account_that_is_left_out_or_invented_is_named() -> None:
    """Either way by the first of its numbers that is not 0."""
    export = export_of(ENTRIES)
    fewer = {account: line for account, line in export.accounts.items() if account != FEES}
    assert told(replace(export, accounts=fewer)) == "fees, credits: the export says 0, computed is 10"
    more = {**export.accounts, owner_account(CHANNELS[3]): AccountLine(0, 0, 5, 5)}
    assert ", credits: the export says 5, computed is 0" in told(replace(export, accounts=more))


@pytest.mark.parametrize("field", DayTotals.__slots__)
def test_a_changed_total_is_named(field: str) -> None:
    """The tree's root as the sums."""
    export = export_of(ENTRIES)
    assert export.totals is not None
    value = getattr(export.totals, field)
    other = bytes(32) if field == "tree" else value + 1
    found = told(replace(export, totals=replace(export.totals, **{field: other})))
    assert found.startswith(f"totals, {field}: the export says ")


@pytest.mark.parametrize("place", range(len(ENTRIES)))
def test_an_entry_that_is_left_out_is_noticed(place: int) -> None:
    """Balances or the order of what is left do not fit any more."""
    export = export_of(ENTRIES)
    left = (*export.entries[:place], *export.entries[place + 1 :])
    assert audit_day(replace(export, entries=left), ALMATY) is not None


def test_an_entry_at_another_time_is_noticed() -> None:
    """Its day follows from its time in the zone; the end of the day before is another day."""
    export = export_of(ENTRIES)
    early = replace(ENTRIES[0], at=Moment(DAY, clock(0).time - 1))
    found = told(replace(export, entries=(early, *export.entries[1:])))
    assert found == f"entry 0, day: the export says {DAY}, computed is {DAY - 1}, from its time in Asia/Almaty"
    never = replace(ENTRIES[0], at=Moment(DAY, 2**60))
    assert "no day" in told(replace(export, entries=(never, *export.entries[1:])))
    moved = replace(ENTRIES[0], at=moment(ALMATY, clock(0).time - 1))
    assert f"entry 0 is of day {DAY - 1}" in told(replace(export, entries=(moved, *export.entries[1:])))


def test_a_day_that_does_not_follow_the_one_before_is_noticed() -> None:
    """By the first account that opened with something else."""
    first = export_of(ENTRIES)
    second = export_day(replace(HEADING, day=DAY + 1), fold_day(DAY + 1, export_closings(first), []))
    assert audit_day(second, ALMATY, previous=export_closings(first)) is None
    found = told(second, previous={**export_closings(first), FEES: 11})
    assert found == "fees, opening: the export says 10, computed is 11, the closing balance of the day before"


def test_another_word_on_chain_is_noticed() -> None:
    """Also a word for a day on which nobody paid, and none for one on which somebody did."""
    export, quiet = export_of(ENTRIES), export_of(ENTRIES[:2])
    assert "the word on chain" in told(export, posted=bytes(32))
    assert "no root, as nobody paid" in told(quiet, posted=b"\x01" * 32)
    assert audit_day(quiet, ALMATY, posted=bytes(32)) is None
    assert export.totals is not None
    assert told(replace(quiet, totals=export.totals)).startswith("totals: the export says a day with payments")
    assert told(replace(export, totals=None)).startswith("totals: the export says a day without payments")


def test_a_channel_that_owes_more_than_it_holds_is_noticed() -> None:
    """The hub paid a merchant in a channel that it had not funded."""
    found = told(export_of([ENTRIES[0], ENTRIES[2]]))
    assert found == (
        f"channel 0x{B.hex()}, escrow: the export says what it owes its owner, computed is 1000 less than that"
    )


def test_a_day_beyond_the_contracts_sums_is_said() -> None:
    """The largest amount goes to and fro until the day's sum is more than 128 bits."""
    entries = [
        bookings.deposit(clock(0), reference(0), A, AMOUNT_MAX),
        bookings.hub_deposit(clock(0), reference(1), B, AMOUNT_MAX),
    ]
    for number in range(2**16 + 1):
        payer, payee = (A, B) if number % 2 == 0 else (B, A)
        entries.append(bookings.payment(clock(1), reference(number + 2), payer, payee, AMOUNT_MAX))
    export = export_of(entries[:2])
    ledger = ledger_of(entries)
    accounts = {
        account: AccountLine(line.opening, line.debits, line.credits, line.closing)
        for account, line in ledger.accounts.items()
        if line.opening or line.debits or line.credits
    }
    found = told(replace(export, accounts=accounts, entries=tuple(entries)))
    assert (
        found == "totals: the export says a day that the contract takes, computed is the sum of a day is out of range"
    )
