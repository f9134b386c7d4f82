"""The root of a day: what owners paid and received, by channel, and proofs that lead to the posted word."""

from dataclasses import replace

import pytest
from hypothesis import given

from alatau.books import bookings
from alatau.books.day_root import day_entries, day_root, inclusion, is_included, posted_root
from alatau.books.entries import PAID_KINDS, Entry
from alatau.books.errors import NotInBookError
from alatau.channels.day_book import DayEntry
from tests.unit.books.days import CHANNELS, DAY, city_days, clock, reference

A, B, C, D = CHANNELS
ENTRIES = [
    bookings.deposit(clock(1), reference(1), C, 10_000),
    bookings.hold(clock(2), reference(2), C, 1_010),
    bookings.release(clock(3), reference(2), C, 1_010),
    bookings.payment(clock(3), reference(2), C, A, 1_000, fee=10),
    bookings.payment(clock(4), reference(4), C, A, 500, offline=True),
    bookings.refund(clock(5), reference(5), A, C, 200),
    bookings.fee(clock(6), reference(6), B, 3),
    bookings.withdrawal(clock(7), reference(7), D, 44),
]


def test_only_what_was_paid_is_in_the_book() -> None:
    """In the order of ids; no deposit, lock or withdrawal."""
    assert day_entries(ENTRIES) == (DayEntry(A, 200, 1_500), DayEntry(B, 3, 0), DayEntry(C, 1_510, 200))


@given(city_days())
def test_debits_are_credits_and_fees(days: list[list[Entry]]) -> None:
    """Of every day that can be; and each channel that paid or received has a proof."""
    (entries,) = days
    root = day_root(DAY, entries)
    paid = [entry for entry in entries if entry.kind in PAID_KINDS]
    if root is None:
        assert paid == []
        return
    totals = root.book.totals
    fees = sum(p.credit for entry in paid for p in entry.postings if not p.account.channel_id)
    assert totals.debits == totals.credits + totals.fees
    assert totals.fees == fees
    assert totals.entries == len(root.entries)
    word = posted_root(totals)
    assert [is_included(inclusion(root, entry.channel_id), word) for entry in root.entries] == [True] * totals.entries


def test_proofs_lead_to_their_day_alone() -> None:
    """Not to another day's word, nor with another amount."""
    root = day_root(DAY, ENTRIES)
    other = day_root(DAY, ENTRIES[:4])
    assert root is not None
    assert other is not None
    word, proof = posted_root(root.book.totals), inclusion(root, C)
    assert proof.entry == DayEntry(C, 1_510, 200)
    assert is_included(proof, word)
    assert not is_included(proof, posted_root(other.book.totals))
    assert not is_included(replace(proof, entry=replace(proof.entry, debits=1_509)), word)
    assert not is_included(replace(proof, index=proof.index - 1), word)


def test_a_channel_that_did_not_pay_is_in_no_book() -> None:
    """Said with the channel and the day."""
    root = day_root(DAY, ENTRIES)
    assert root is not None
    with pytest.raises(NotInBookError, match=f"{D.hex()} neither paid nor received on day {DAY}"):
        inclusion(root, D)


def test_a_day_on_which_nobody_paid_has_no_root() -> None:
    """Money that only came and went is no payment."""
    assert day_root(DAY, [ENTRIES[0], ENTRIES[1], ENTRIES[7]]) is None
