"""Whose accounts stand in messages to banks: what the configuration gives, checked before anything is written.

A name is free text of a person or a firm; it is taken as it is, and escaped where it is written. What a message cannot
carry is refused here, with the field that holds it, and never cut or replaced.
"""

import re
from dataclasses import dataclass
from typing import Final

from alatau.books.errors import BooksError

NAME_MAX: Final = 140
"""Characters of a name (ISO 20022, Max140Text)."""
ACCOUNT_MAX: Final = 34
"""Characters of an account (ISO 13616 and ISO 20022, Max34Text)."""
NOTE_MAX: Final = 140
"""Characters of a note to the payee (Max140Text)."""

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_NO_LINE: Final = re.compile("[^\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of one line of text, or none that XML 1.0 carries (section 2.2): controls, halves of pairs."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an account with a bank, and which."""

    name: str
    account: str
    """An IBAN in capitals without spaces, or the number that the bank gives it."""

    def __post_init__(self) -> None:
        checked_text("name", self.name, NAME_MAX)
        checked_text("account", self.account, ACCOUNT_MAX)
        if _IBAN.fullmatch(self.account) and not is_iban(self.account):
            raise BooksError(f"account: {self.account} looks like an IBAN, but its check digits are wrong")


@dataclass(frozen=True, slots=True)
class Agent:
    """A bank, or whoever keeps an account."""

    name: str
    bic: str = ""
    """ISO 9362, 8 or 11 characters; empty if it has none."""

    def __post_init__(self) -> None:
        checked_text("name", self.name, NAME_MAX)
        if self.bic and not _BIC.fullmatch(self.bic):
            raise BooksError(f"bic: 8 or 11 characters such as ABCDKZKA, not {self.bic!r}")


def checked_text(field: str, text: str, length_max: int) -> str:
    """One line of text that a message carries as it is. Raises ``BooksError`` with the field and what is wrong."""
    if not text.strip():
        raise BooksError(f"{field}: it is empty")
    if len(text) > length_max:
        raise BooksError(f"{field}: {len(text)} characters, at most {length_max}")
    wrong = _NO_LINE.search(text)
    if wrong:
        raise BooksError(f"{field}: a line of text cannot hold U+{ord(wrong[0]):04X}, at character {wrong.start() + 1}")
    return text


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN: form and check digits (ISO 13616; ISO 7064, MOD 97-10)."""
    if not _IBAN.fullmatch(text):
        return False
    digits = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return int(digits) % 97 == 1
