"""Each thing that happens moves the accounts that it should, by as much, and no other."""

import pytest

from alatau.books import bookings
from alatau.books.accounts import (
    CAPITAL,
    CREDIT,
    FEES,
    Account,
    escrow_account,
    owner_account,
    suspense_account,
)
from alatau.books.entries import Entry, EntryKind
from tests.unit.books.days import CHANNELS, clock, reference

NOW = clock(60)
ID = reference(7)
A, B = CHANNELS[:2]
KINDS = EntryKind


@pytest.mark.parametrize(
    ("entry", "kind", "changes"),
    [
        (
            bookings.payment(NOW, ID, A, B, 1_000, fee=3),
            KINDS.PAYMENT,
            {owner_account(A): -1_003, owner_account(B): 1_000, FEES: 3},
        ),
        (bookings.payment(NOW, ID, A, B, 1_000), KINDS.PAYMENT, {owner_account(A): -1_000, owner_account(B): 1_000}),
        (
            bookings.payment(NOW, ID, A, B, 1_000, offline=True),
            KINDS.OFFLINE_PAYMENT,
            {owner_account(A): -1_000, owner_account(B): 1_000},
        ),
        (bookings.refund(NOW, ID, B, A, 400), KINDS.REFUND, {owner_account(B): -400, owner_account(A): 400}),
        (bookings.fee(NOW, ID, A, 9), KINDS.FEE, {owner_account(A): -9, FEES: 9}),
        (bookings.deposit(NOW, ID, A, 9), KINDS.DEPOSIT, {escrow_account(A): -9, owner_account(A): 9}),
        (bookings.hub_deposit(NOW, ID, A, 9), KINDS.DEPOSIT, {escrow_account(A): -9, CAPITAL: 9}),
        (bookings.withdrawal(NOW, ID, A, 9), KINDS.WITHDRAWAL, {escrow_account(A): 9, owner_account(A): -9}),
        (
            bookings.hub_withdrawal(NOW, ID, 9, channel=A),
            KINDS.WITHDRAWAL,
            {escrow_account(A): 9, CAPITAL: -9},
        ),
        (bookings.hub_withdrawal(NOW, ID, 9), KINDS.WITHDRAWAL, {CREDIT: 9, CAPITAL: -9}),
        (
            bookings.close_payout(NOW, ID, A, 70, 30),
            KINDS.CLOSE_PAYOUT,
            {escrow_account(A): 100, owner_account(A): -70, CREDIT: -30},
        ),
        (bookings.close_payout(NOW, ID, A, 0, 30), KINDS.CLOSE_PAYOUT, {escrow_account(A): 30, CREDIT: -30}),
        (bookings.close_payout(NOW, ID, A, 70, 0), KINDS.CLOSE_PAYOUT, {escrow_account(A): 70, owner_account(A): -70}),
        (bookings.adjustment(NOW, ID, A, 5), KINDS.ADJUSTMENT, {owner_account(A): 5, CAPITAL: -5}),
        (bookings.adjustment(NOW, ID, A, -5), KINDS.ADJUSTMENT, {owner_account(A): -5, CAPITAL: 5}),
        (bookings.rebalance(NOW, ID, A, B, 8), KINDS.REBALANCE, {escrow_account(A): 8, escrow_account(B): -8}),
        (bookings.rebalance(NOW, ID, b"", B, 8), KINDS.REBALANCE, {CREDIT: 8, escrow_account(B): -8}),
        (bookings.hold(NOW, ID, A, 8), KINDS.HOLD, {owner_account(A): -8, suspense_account(A): 8}),
        (bookings.release(NOW, ID, A, 8), KINDS.RELEASE, {owner_account(A): 8, suspense_account(A): -8}),
    ],
)
def test_accounts_move(entry: Entry, kind: EntryKind, changes: dict[Account, int]) -> None:
    """Credits less debits of every account."""
    assert {posting.account: posting.credit - posting.debit for posting in entry.postings} == changes
    assert (entry.kind, entry.at, entry.reference) == (kind, NOW, ID)


@pytest.mark.parametrize(
    "entry",
    [
        bookings.payment(NOW, ID, A, B, 1, invoice_hash=reference(9)),
        bookings.refund(NOW, ID, A, B, 1, invoice_hash=reference(9)),
    ],
)
def test_invoices_are_kept_with_what_they_are_paid_by(entry: Entry) -> None:
    """By their hash alone."""
    assert entry.invoice_hash == reference(9)
