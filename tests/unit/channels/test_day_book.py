"""A hub's book of a day: what all paid is what all received and the fees, and each entry can be shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.channels.day_book import SUM_MAX, DayEntry, Node, day_book, is_in_book

entries = st.lists(
    st.tuples(st.binary(min_size=32, max_size=32), st.integers(500, 10**9), st.integers(0, 500)), min_size=1, max_size=9
).map(lambda rows: [DayEntry(*row) for row in rows])


@given(entries)
def test_every_entry_is_in_the_book_and_debits_are_credits_and_fees(rows: list[DayEntry]) -> None:
    """From one entry to an odd number of them."""
    book = day_book(rows)
    totals = book.totals
    assert totals.debits == totals.credits + totals.fees == sum(row.debits for row in rows)
    shown = [is_in_book(totals, row, place, book.proof(place)) for place, row in enumerate(rows)]
    assert shown == [True] * len(rows)


@given(entries, st.integers(0, 8))
def test_no_other_entry_is(rows: list[DayEntry], place: int) -> None:
    """Neither another amount, channel or place, nor a book with a unit more."""
    book = day_book(rows)
    place %= len(rows)
    row, proof, totals = rows[place], book.proof(place), book.totals
    assert not is_in_book(totals, replace(row, debits=row.debits + 1), place, proof)
    assert not is_in_book(totals, replace(row, credits=row.credits + 1), place, proof)
    assert not is_in_book(totals, replace(row, channel_id=bytes(byte ^ 1 for byte in row.channel_id)), place, proof)
    assert not is_in_book(totals, row, place + len(rows), proof)
    assert not is_in_book(replace(totals, debits=totals.debits + 1, fees=totals.fees + 1), row, place, proof)
    assert not is_in_book(replace(totals, fees=totals.fees + 1), row, place, proof)
    assert not is_in_book(totals, row, place, (*proof, Node(bytes(32), 0, 0)))


def test_node_does_not_pass_for_an_entry() -> None:
    """The inside of the tree is hashed over six words, entries over three."""
    rows = [DayEntry(bytes((n,)) * 32, 10, 5) for n in range(4)]
    book = day_book(rows)
    inner = book.rows[1][0]
    assert not is_in_book(book.totals, DayEntry(inner.hash, inner.debits, inner.credits), 0, book.proof(0)[1:])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "0 entries"),
        ([DayEntry(bytes(32), 5, 6)], "1 more was received"),
        ([DayEntry(bytes(32), -1, 0)], "negative"),
        ([DayEntry(bytes(32), 5, -1)], "negative"),
        ([DayEntry(bytes(32), SUM_MAX, 0), DayEntry(bytes(32), 1, 0)], "out of range"),
    ],
)
def test_books_that_do_not_balance_are_refused(rows: list[DayEntry], reason: str) -> None:
    """A hub sees its mistake before it posts."""
    with pytest.raises(ValueError, match=reason):
        day_book(rows)
