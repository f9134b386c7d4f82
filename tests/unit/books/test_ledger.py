"""A day's ledger: money is moved, never made; a day begins as the last one ended; what cannot be is refused."""

import pytest
from hypothesis import given

from alatau.books import bookings
from alatau.books.accounts import CAPITAL, FEES, escrow_account, owner_account, suspense_account
from alatau.books.entries import AMOUNT_MAX, Entry
from alatau.books.errors import DuplicateEntryError, OverdrawnError, UnbalancedError, WrongDayError
from alatau.books.ledger import AccountDay, closing_balances, fold_day, hub_share
from tests.unit.books.days import CHANNELS, DAY, city_days, clock, ledger_of, reference

A, B = CHANNELS[:2]


@given(city_days(days=3))
def test_money_is_conserved_and_days_follow_one_another(days: list[list[Entry]]) -> None:
    """Whatever happens: balances add up to nothing, and three days end as one ledger of them all would."""
    openings = {}
    moved: dict[object, int] = {}
    for number, entries in enumerate(days):
        ledger = fold_day(DAY + number, openings, entries)
        assert {account: line.opening for account, line in ledger.accounts.items() if line.opening} == openings
        assert sum(line.debits for line in ledger.accounts.values()) == sum(
            line.credits for line in ledger.accounts.values()
        )
        openings = closing_balances(ledger)
        assert sum(openings.values()) == 0
        for entry in entries:
            for posting in entry.postings:
                moved[posting.account] = moved.get(posting.account, 0) + posting.credit - posting.debit
    assert {account: balance for account, balance in moved.items() if balance} == openings


def test_a_day_is_opened_moved_and_closed() -> None:
    """A resident pays in, pays a merchant and has a lock in flight; the hub's share is the rest."""
    entries = [
        bookings.deposit(clock(1), reference(1), A, 5_000),
        bookings.hub_deposit(clock(2), reference(2), B, 3_000),
        bookings.payment(clock(3), reference(3), A, B, 1_000, fee=7),
        bookings.hold(clock(4), reference(4), A, 500),
    ]
    ledger = fold_day(DAY, {}, entries)
    assert ledger.accounts == {
        owner_account(A): AccountDay(0, 1_507, 5_000),
        suspense_account(A): AccountDay(0, 0, 500),
        escrow_account(A): AccountDay(0, 5_000, 0),
        owner_account(B): AccountDay(0, 0, 1_000),
        escrow_account(B): AccountDay(0, 3_000, 0),
        FEES: AccountDay(0, 0, 7),
        CAPITAL: AccountDay(0, 0, 3_000),
    }
    closings = closing_balances(ledger)
    assert closings[owner_account(A)] == 3_493
    assert (hub_share(closings, A), hub_share(closings, B)) == (1_007, 2_000)
    assert ledger.account(owner_account(CHANNELS[2])) == AccountDay(0, 0, 0)


def test_largest_amounts_are_booked_to_the_unit() -> None:
    """No sum leaves its field: integers have none."""
    entries = [
        bookings.deposit(clock(1), reference(1), A, AMOUNT_MAX),
        bookings.deposit(clock(2), reference(2), B, AMOUNT_MAX),
        bookings.payment(clock(3), reference(3), A, B, AMOUNT_MAX - 1, fee=1),
    ]
    assert ledger_of(entries).account(owner_account(B)).closing == 2 * AMOUNT_MAX - 1


def test_entries_of_another_day_are_refused() -> None:
    """With their place and both days."""
    entries = [bookings.deposit(clock(1), reference(1), A, 5), bookings.deposit(clock(1, DAY + 1), reference(2), A, 5)]
    with pytest.raises(WrongDayError, match=f"entry 1 is of day {DAY + 1}, the ledger of day {DAY}") as caught:
        ledger_of(entries)
    assert caught.value.place == 1


def test_nothing_is_booked_twice() -> None:
    """A reference counts once for each kind; the end of a lock names its payment."""
    once = [bookings.deposit(clock(1), reference(1), A, 9), bookings.hold(clock(2), reference(1), A, 9)]
    assert ledger_of(once).account(suspense_account(A)).closing == 9
    with pytest.raises(DuplicateEntryError, match=r"entry 2 books hold 0x0+1 a second time") as caught:
        ledger_of([*once, bookings.hold(clock(3), reference(1), A, 1)])
    assert caught.value.place == 2


def test_a_payment_that_was_cancelled_is_tried_again() -> None:
    """Its lock is booked and released as often as it is tried, in turn, and it is paid once."""
    turns = [
        bookings.hold(clock(2), reference(1), A, 9),
        bookings.release(clock(3), reference(1), A, 9),
        bookings.hold(clock(4), reference(1), A, 9),
        bookings.release(clock(5), reference(1), A, 9),
        bookings.payment(clock(5), reference(1), A, B, 9),
    ]
    entries = [bookings.deposit(clock(1), reference(1), A, 50), *turns]
    assert ledger_of(entries).account(owner_account(A)).closing == 41
    for again in (turns[3], turns[4]):
        with pytest.raises(DuplicateEntryError, match="entry 6"):
            ledger_of([*entries, again])


@pytest.mark.parametrize(
    "entry",
    [
        bookings.payment(clock(2), reference(2), A, B, 100, fee=1),
        bookings.withdrawal(clock(2), reference(2), A, 101),
        bookings.hold(clock(2), reference(2), A, 101),
        bookings.release(clock(2), reference(2), A, 1),
    ],
)
def test_nobody_has_less_than_nothing(entry: Entry) -> None:
    """Also if a later entry would make it good: entries come in the order in which they were booked."""
    entries = [bookings.deposit(clock(1), reference(1), A, 100), entry]
    with pytest.raises(OverdrawnError, match="entry 1 leaves -1 on ") as caught:
        ledger_of([*entries, bookings.deposit(clock(3), reference(3), A, 100)])
    assert (caught.value.place, caught.value.balance) == (1, -1)
    assert A.hex() in caught.value.account


def test_a_day_begins_with_what_a_day_ended_with() -> None:
    """Balances that do not add up to nothing are none."""
    openings = {owner_account(A): 5, escrow_account(A): -6}
    with pytest.raises(UnbalancedError, match="add up to -1") as caught:
        fold_day(DAY, openings, [])
    assert caught.value.remainder == -1
