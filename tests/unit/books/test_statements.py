"""Statements: what an owner sees of a day adds up, and days add up to months."""

from dataclasses import replace

import pytest
from hypothesis import given

from alatau.books import bookings
from alatau.books.accounts import AccountKind, owner_account
from alatau.books.entries import PAID_KINDS, Entry, EntryKind
from alatau.books.errors import BooksError
from alatau.books.ledger import closing_balances, fold_day
from alatau.books.statements import Movement, Statement, joined, statements
from tests.unit.books.days import CHANNELS, DAY, city_days, clock, ledger_of, reference

A, B = CHANNELS[:2]


def statements_of(days: list[list[Entry]]) -> list[dict[bytes, Statement]]:
    """Each day's, the next one beginning with what the last one ended with."""
    told, openings = [], {}
    for number, entries in enumerate(days):
        ledger = fold_day(DAY + number, openings, entries)
        told.append(statements(ledger))
        openings = closing_balances(ledger)
    return told


@given(city_days(days=3))
def test_closing_is_opening_and_movements_and_the_next_opening(days: list[list[Entry]]) -> None:
    """For every owner, whatever happens; and all days joined say the same."""
    told = statements_of(days)
    for channel in CHANNELS:
        mine = [day[channel] for day in told if channel in day]
        balance = 0
        for one in mine:
            assert one.opening == balance
            balance += sum(movement.credit - movement.debit for movement in one.movements)
            assert one.closing == balance >= one.held >= 0
        if mine:
            month = joined(mine)
            assert (month.opening, month.closing, month.held) == (0, balance, mine[-1].held)
            assert len(month.movements) == sum(len(one.movements) for one in mine)


@given(city_days())
def test_every_movement_of_an_owner_is_on_one_statement(days: list[list[Entry]]) -> None:
    """Of all entries but locks; what payers paid is what payees got and the hub's fees."""
    (entries,) = days
    (told,) = statements_of(days)
    moved = [movement for one in told.values() for movement in one.movements]
    expected = [
        entry.reference
        for entry in entries
        if entry.kind not in {EntryKind.HOLD, EntryKind.RELEASE}
        for posting in entry.postings
        if posting.account.kind is AccountKind.CHANNEL
    ]
    assert sorted(movement.reference for movement in moved) == sorted(expected)
    paid = [movement for movement in moved if movement.kind in PAID_KINDS]
    assert sum(m.debit - m.credit for m in paid) == sum(m.fee for m in paid)


def test_a_payment_is_shown_with_its_fee_to_the_payer_alone() -> None:
    """The debit holds it; the payee's credit is the price. A lock is no movement."""
    invoice = reference(77)
    entries = [
        bookings.deposit(clock(1), reference(1), A, 5_000),
        bookings.payment(clock(2), reference(2), A, B, 1_000, fee=7, invoice_hash=invoice),
        bookings.hold(clock(3), reference(3), A, 500),
    ]
    told = statements(ledger_of(entries))
    paid = Movement(clock(2), EntryKind.PAYMENT, reference(2), invoice, 1_007, 0, 7)
    received = Movement(clock(2), EntryKind.PAYMENT, reference(2), invoice, 0, 1_000, 0)
    deposited = Movement(clock(1), EntryKind.DEPOSIT, reference(1), b"", 0, 5_000, 0)
    assert told == {
        A: Statement(A, DAY, DAY, 0, (deposited, paid), 3_993, 500),
        B: Statement(B, DAY, DAY, 0, (received,), 1_000, 0),
    }


def test_an_owner_without_movements_has_a_statement_of_its_balance() -> None:
    """Also if all of it is held by a lock since yesterday."""
    entries = [bookings.deposit(clock(1), reference(1), A, 50), bookings.hold(clock(2), reference(2), A, 50)]
    openings = closing_balances(ledger_of(entries))
    assert owner_account(A) not in openings
    told = statements(ledger_of([], openings, DAY + 1))
    assert told == {A: Statement(A, DAY + 1, DAY + 1, 50, (), 50, 50)}


ONE = Statement(A, DAY, DAY, 0, (), 10, 0)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (Statement(B, DAY + 1, DAY + 1, 10, (), 10, 0), "statements of 0x01.* and 0x02"),
        (Statement(A, DAY, DAY, 10, (), 10, 0), f"day {DAY} comes after day {DAY}"),
        (Statement(A, DAY + 1, DAY + 1, 11, (), 11, 0), f"day {DAY + 1} begins with 11, day {DAY} ended with 10"),
    ],
)
def test_what_does_not_follow_is_not_joined(second: Statement, reason: str) -> None:
    """Another owner's, out of order, or with a gap in its money."""
    with pytest.raises(BooksError, match=reason):
        joined([ONE, second])
    assert joined([ONE, replace(ONE, first_day=DAY + 9, last_day=DAY + 9, opening=10)]).last_day == DAY + 9
