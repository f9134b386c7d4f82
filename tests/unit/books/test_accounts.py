"""Accounts by name: each is read as it is written, and nothing else is read."""

import pytest

from alatau.books.accounts import (
    CAPITAL,
    CREDIT,
    FEES,
    Account,
    escrow_account,
    owner_account,
    read_account,
    suspense_account,
)
from alatau.books.errors import BooksError

CHANNEL = b"\xab" * 32


@pytest.mark.parametrize(
    ("account", "text"),
    [
        (owner_account(CHANNEL), "channel:0x" + "ab" * 32),
        (suspense_account(CHANNEL), "suspense:0x" + "ab" * 32),
        (escrow_account(CHANNEL), "escrow:0x" + "ab" * 32),
        (CREDIT, "escrow"),
        (FEES, "fees"),
        (CAPITAL, "capital"),
    ],
)
def test_accounts_are_read_as_they_are_written(account: Account, text: str) -> None:
    """With and without a channel."""
    assert str(account) == text
    assert read_account(text) == account


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "one of channel, suspense, escrow, fees, capital"),
        ("Fees", "one of channel"),
        ("channel", "a channel is missing"),
        ("suspense", "a channel is missing"),
        ("fees:0x" + "ab" * 32, "of no channel"),
        ("channel:" + "ab" * 32, "0x and 64 digits"),
        ("channel:0x" + "AB" * 32, "0x and 64 digits"),
        ("channel:0x" + "ab" * 31, "0x and 64 digits"),
        ("escrow:", "0x and 64 digits"),
        ("channel:0x" + "ab" * 31 + " a", "0x and 64 digits"),
    ],
)
def test_other_names_are_refused(text: str, reason: str) -> None:
    """With what a name looks like."""
    with pytest.raises(BooksError, match=reason):
        read_account(text)
