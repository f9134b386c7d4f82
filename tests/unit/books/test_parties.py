"""Names, accounts and banks: what a message cannot carry is refused before one is written, with its field."""

import pytest

from alatau.books.errors import BooksError
from alatau.books.parties import Agent, Holder, checked_text, is_iban


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("KZ86125KZT5004100100", True),
        ("GB82WEST12345698765432", True),
        ("DE89370400440532013000", True),
        ("KZ86125KZT5004100101", False),
        ("KZ68125KZT5004100100", False),
        ("kz86125kzt5004100100", False),
        ("KZ86 125K ZT50 0410 0100", False),
        ("HUB-0001", False),
        ("", False),
    ],
)
def test_ibans_are_known_by_their_check_digits(text: str, known: bool) -> None:
    """Published examples, a digit changed, two exchanged, and how people write them."""
    assert is_iban(text) is known


def test_an_iban_with_a_slip_is_no_account() -> None:
    """It would be sent as the number of another account; a bank's own number is one."""
    assert Holder("Abai", "HUB-0001").account == "HUB-0001"
    with pytest.raises(BooksError, match="account: KZ86125KZT5004100101 looks like an IBAN"):
        Holder("Abai", "KZ86125KZT5004100101")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "name: it is empty"),
        (" \u00a0", "name: it is empty"),
        ("x" * 141, "name: 141 characters, at most 140"),
        ("a\x00b", r"cannot hold U\+0000, at character 2"),
        ("a\nb", r"cannot hold U\+000A"),
        ("\x85", r"name: it is empty"),
        ("a\x9fb", r"cannot hold U\+009F"),
        ("a\ud800", r"cannot hold U\+D800"),
        ("a\ufffe", r"cannot hold U\+FFFE"),
    ],
)
def test_names_that_no_message_carries_are_refused(text: str, reason: str) -> None:
    """Never cut, never replaced."""
    with pytest.raises(BooksError, match=reason):
        Holder(text, "HUB-0001")
    with pytest.raises(BooksError, match=reason):
        Agent(text)


def test_the_longest_name_is_taken_as_it_is() -> None:
    """Of any script."""
    assert checked_text("name", "ә" * 140, 140) == "ә" * 140
    assert Holder("😀", "1" * 34).name == "😀"
    with pytest.raises(BooksError, match="account: 35 characters, at most 34"):
        Holder("Abai", "1" * 35)


@pytest.mark.parametrize("bic", ["ABCDKZKA", "ABCDKZKAXXX", ""])
def test_banks_have_a_bic_or_none(bic: str) -> None:
    """Eight characters, or eleven."""
    assert Agent("Bank", bic).bic == bic


@pytest.mark.parametrize("bic", ["abcdkzka", "ABCDKZK", "ABCDKZKAXX", "ABCDK1KA"])
def test_other_bics_are_refused(bic: str) -> None:
    """With what one looks like."""
    with pytest.raises(BooksError, match="bic: 8 or 11 characters such as ABCDKZKA"):
        Agent("Bank", bic)
