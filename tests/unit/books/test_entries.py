"""Entries that do not balance are no entries."""

import pytest

from alatau.books.accounts import CAPITAL, FEES
from alatau.books.entries import AMOUNT_MAX, Entry, EntryKind, Moment, Posting
from tests.unit.books.days import clock, reference

PAIR = (Posting(CAPITAL, debit=5), Posting(FEES, credit=5))


def entry(postings: tuple[Posting, ...], *, name: bytes = reference(1), invoice: bytes = b"") -> Entry:
    """A fee of five."""
    return Entry(clock(0), EntryKind.FEE, name, postings, invoice)


def test_an_entry_keeps_what_it_was_made_of() -> None:
    """At the largest amount, too."""
    largest = (Posting(CAPITAL, debit=AMOUNT_MAX), Posting(FEES, credit=AMOUNT_MAX))
    assert entry(largest).postings == largest
    assert entry(PAIR).at == Moment(20_784, 1_795_719_600)


@pytest.mark.parametrize(
    ("postings", "reason"),
    [
        ((), "debits are credits"),
        ((PAIR[0],), "debits are credits"),
        ((PAIR[0], Posting(FEES, credit=4)), "debits are credits"),
        ((*PAIR, Posting(FEES)), "a debit or a credit"),
        ((*PAIR, Posting(FEES, debit=1, credit=1)), "a debit or a credit"),
        ((Posting(CAPITAL, debit=-5), Posting(FEES, credit=-5)), "out of range"),
        ((Posting(CAPITAL, debit=AMOUNT_MAX + 1), Posting(FEES, credit=AMOUNT_MAX + 1)), "out of range"),
    ],
)
def test_what_does_not_balance_is_asserted(postings: tuple[Posting, ...], reason: str) -> None:
    """Whoever made it has a defect."""
    with pytest.raises(AssertionError, match=reason):
        entry(postings)


@pytest.mark.parametrize(("name", "invoice"), [(b"", b""), (bytes(31), b""), (bytes(32), bytes(20))])
def test_references_and_hashes_have_32_bytes(name: bytes, invoice: bytes) -> None:
    """So that none is cut or mistaken for another."""
    with pytest.raises(AssertionError, match="32 bytes"):
        entry(PAIR, name=name, invoice=invoice)
