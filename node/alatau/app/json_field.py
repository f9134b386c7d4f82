"""Strict reading of JSON documents: every refusal names the place in the document and what is allowed there."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.codec.json_text import JsonError, parse_json
from alatau.codec.plain_text import shortened

_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_SHOWN_MAX: Final = 60
"""Characters of a value or name in a message: the file may be all one string."""


class DocumentError(ValueError):
    """The document's author made a mistake. The message says where in the document, and what is allowed."""


@dataclass(frozen=True, slots=True)
class JsonField:
    """A value of a document, with the way to it."""

    value: Any
    where: str
    """``genesis.json: validators[2].power``"""

    def wrong(self, expected: str) -> DocumentError:
        """The error that this value is not what was expected."""
        return DocumentError(f"{self.where} is {shortened(json.dumps(self.value), _SHOWN_MAX)}, expected {expected}")

    def members(self, required: Iterable[str], optional: Iterable[str] = ()) -> "dict[str, JsonField]":
        """The members of an object that has exactly these; a surplus one is more likely a typing error."""
        entries = self.entries()
        required, optional = list(required), list(optional)
        for name in required:
            if name not in entries:
                raise DocumentError(f"{self.where} lacks {name!r}")
        for name in entries:
            if name not in required and name not in optional:
                allowed = ", ".join(required + optional)
                raise DocumentError(f"{self.where} has an unknown {shortened(name, _SHOWN_MAX)!r}; allowed: {allowed}")
        return entries

    def entries(self) -> "dict[str, JsonField]":
        """The members of an object with any names."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        separator = "" if self.where.endswith(": ") else "."
        return {
            name: JsonField(value, f"{self.where}{separator}{shortened(name, _SHOWN_MAX)}")
            for name, value in self.value.items()
        }

    def items(self) -> "list[JsonField]":
        """The elements of an array."""
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        return [JsonField(value, f"{self.where}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("a string")
        return self.value

    def integer(self, low: int = 0, high: int = 2**64 - 1) -> int:
        """An integer in ``low..high``; a decimal string too, since many readers round integers above 2**53."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 80:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(f"an integer in {low}..{high}")
        return value

    def hex(self, size: int | None = None) -> bytes:
        """Bytes from ``0x`` and hexadecimal digits, of ``size`` bytes if given."""
        expected = "0x and hexadecimal digits" if size is None else f"0x and {2 * size} hexadecimal digits"
        if not isinstance(self.value, str) or not _HEX.fullmatch(self.value):
            raise self.wrong(expected)
        data = bytes.fromhex(self.value[2:])
        if size is not None and len(data) != size:
            raise self.wrong(expected)
        return data


def read_document(path: Path, size_max: int) -> JsonField:
    """The JSON document in a file of at most ``size_max`` bytes; raises ``DocumentError``, ``OSError``."""
    with path.open("rb") as file:
        data = file.read(size_max + 1)
    try:
        return JsonField(parse_json(data, size_max), f"{path.name}: ")
    except JsonError as error:
        raise DocumentError(f"{path}: {error}") from error


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """The one encoding of a document that hashes are taken of (RFC 8785, for the types that we use)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pretty_json(value: Mapping[str, Any]) -> bytes:
    """A document for people to read and compare."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
