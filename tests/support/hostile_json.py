"""Contents of a file that somebody hands in to do harm, or by mistake, and the many ways to spoil one that is right."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

TEXTS: Final[dict[str, bytes]] = {
    "nothing": b"",
    "zeros": bytes(4096),
    "not UTF-8": b'{"version": "\xff\xfe"}',
    "UTF-16": '{"version": 3}'.encode("utf-16"),
    "arrays in each other": b"[" * 60_000,
    "closed arrays in each other": b"[" * 60_000 + b"]" * 60_000,
    "200 arrays in each other": b"[" * 200 + b"]" * 200,
    "objects in each other": b'{"a":' * 60_000,
    "an array of objects in each other": b'[{"type":"function","components":' * 20_000,
    "a number of 5,000 digits": b'{"version": ' + b"9" * 5_000 + b"}",
    "a number of 5,000 digits alone": b"9" * 5_000,
    "a number out of range": b'{"version": 1e999}',
    "not a number": b"[NaN]",
    "half a surrogate pair": b'{"format": "\\ud800", "version": 3, "name": "\\udfff"}',
    "half a surrogate pair as name": b'{"\\ud800": 1}',
    "a name twice": b'{"version": 3, "version": 3}',
    "a string": b'"text"',
    "null": b"null",
    "a list": b"[]",
    "a list of lists": b"[[], [1], null]",
    "an object": b"{}",
    "half an object": b'{"version": 3, ',
    "a long string": b'"' + b"x" * 100_000 + b'"',
    "a Vyper source": b"# pragma version 0.4.3\n\n@external\ndef f():\n    pass\n",
    "a certificate without content": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "a key without content": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "a key of a kind that nobody knows": (
        b"-----BEGIN PRIVATE KEY-----\nMBQCAQAwCAYGKgMEBQYHBAUwAwIBAQ==\n-----END PRIVATE KEY-----\n"
    ),
}

VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**79,
    "",
    "x" * 300,
    "0x",
    "0x" + "ff" * 20,
    "0x" + "00" * 64,
    " \t\n\x00",
    "\u202e\u0000",
    [],
    [None],
    {},
    {"x": 1},
)


def spoiled(document: Any, values: Sequence[Any] = VALUES) -> Iterator[tuple[str, bytes]]:
    """``document`` with one value replaced, or one member taken away, at each place in turn; each with its place."""
    for place in _places(document):
        for value in values:
            yield f"{place} = {json.dumps(value)[:20]}", json.dumps(_replaced(document, place, value)).encode()
        if place and isinstance(place[-1], str):
            yield f"{place} taken away", json.dumps(_without(document, place)).encode()


def _places(document: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    if isinstance(document, dict | list):
        for name, child in document.items() if isinstance(document, dict) else enumerate(document):
            yield from _places(child, (*place, name))


def _replaced(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    copied = document.copy()
    copied[place[0]] = _replaced(document[place[0]], place[1:], value)
    return copied


def _without(document: Any, place: tuple[str | int, ...]) -> Any:
    copied = document.copy()
    if len(place) == 1:
        del copied[place[0]]
    else:
        copied[place[0]] = _without(document[place[0]], place[1:])
    return copied
