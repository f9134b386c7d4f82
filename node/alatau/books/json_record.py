"""A record of JSON that somebody else wrote: members of the right kind, or an error that names line and field."""

import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from alatau.books.accounts import Account, read_account
from alatau.books.amounts import Unit, decimal_text
from alatau.books.errors import BooksError
from alatau.codec.json_text import JsonError, parse_json
from alatau.codec.plain_text import shortened

LINE_BYTES_MAX: Final = 16_384
"""The longest record of ours, a proof of a million channels, has about 6,000."""

_DIGITS: Final = re.compile(r"0|-?[1-9][0-9]{0,48}")
_MISSING: Final = object()


class RecordError(BooksError):
    """The file is none of ours, or was changed. Ask the hub for it again; the message says what is wrong, and where."""

    def __init__(self, line: int, name: str, reason: str) -> None:
        super().__init__(f"line {line}, {name}: {reason}" if name else f"line {line}: {reason}")
        self.line = line
        """From 1."""
        self.field = name
        """The member, such as ``postings[1].debit``; empty if the line as a whole is wrong."""


@dataclass(frozen=True, slots=True)
class Record:
    """An object, and where it stands. Every method but ``fail`` gives a member, or raises ``RecordError``."""

    line: int
    data: dict[str, Any]
    path: str = ""
    """Of the object within its line, with a point behind it."""

    def fail(self, name: str, reason: str) -> NoReturn:
        """Raise ``RecordError`` about a member."""
        raise RecordError(self.line, self.path + name, reason)

    def value(self, name: str) -> Any:
        """Whatever it is."""
        found = self.data.get(name, _MISSING)
        if found is _MISSING:
            self.fail(name, "is missing")
        return found

    def text(self, name: str) -> str:
        """A string."""
        found = self.value(name)
        if not isinstance(found, str):
            self.fail(name, f"a string, not {shown(found)}")
        return found

    def number(self, name: str, least: int, most: int) -> int:
        """An integer in a range."""
        found = self.value(name)
        if type(found) is not int or not least <= found <= most:
            self.fail(name, f"a number from {least} to {most}, not {shown(found)}")
        return found

    def octets(self, name: str, length: int) -> bytes:
        """So many bytes."""
        text = self.text(name)
        if not re.fullmatch(f"0x[0-9a-f]{{{2 * length}}}", text):
            self.fail(name, f"0x and {2 * length} digits of 0-9 and a-f, not {shown(text)}")
        return bytes.fromhex(text[2:])

    def units(self, name: str, least: int, most: int) -> int:
        """Token units, as digits in a string."""
        text = self.text(name)
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            self.fail(name, f"digits of a number from {least} to {most} in a string, not {shown(text)}")
        return int(text)

    def amount(self, unit: Unit, name: str, least: int, most: int) -> int:
        """Token units; the decimal beside them says the same."""
        amount = self.units(name, least, most)
        decimal = self.text(f"{name}_decimal")
        if decimal != decimal_text(unit, amount):
            self.fail(f"{name}_decimal", f"{decimal_text(unit, amount)} for {amount} token units, not {shown(decimal)}")
        return amount

    def account(self, name: str) -> Account:
        """An account by its name."""
        text = self.text(name)
        try:
            return read_account(text)
        except BooksError as error:
            self.fail(name, str(error))

    def part(self, name: str) -> "Record":
        """An object."""
        data = self.value(name)
        if not isinstance(data, dict):
            self.fail(name, f"an object, not {shown(data)}")
        return Record(self.line, data, f"{self.path}{name}.")

    def parts(self, name: str, least: int, most: int) -> "list[Record]":
        """An array of objects."""
        listed = self.value(name)
        if not isinstance(listed, list) or not least <= len(listed) <= most:
            self.fail(name, f"an array of {least} to {most}")
        for place, data in enumerate(listed):
            if not isinstance(data, dict):
                self.fail(f"{name}[{place}]", f"an object, not {shown(data)}")
        return [Record(self.line, data, f"{self.path}{name}[{place}].") for place, data in enumerate(listed)]


def read_record(line: int, data: bytes) -> Record:
    """The record on a line, counted from 1. Raises ``RecordError``."""
    try:
        value = parse_json(data, LINE_BYTES_MAX)
    except JsonError as error:
        raise RecordError(line, "", f"no record: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(line, "", f"an object, not {shown(value)}")
    return Record(line, value)


def shown(value: Any) -> str:
    """As much of a value as a message bears."""
    return shortened(repr(value), 80)
