"""Reading JSON that somebody else wrote: one function with bounds, and one error for everything wrong with it.

``json.loads`` alone is not enough for a file that a person hands in: 60,000 brackets are a ``RecursionError``, an
integer of 5,000 digits a ``ValueError`` about the interpreter's limits, half a surrogate pair an error only where
the text is encoded again, and of two members of one name the first is dropped without a word.
"""

import json
import math
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 64
"""Arrays and objects inside each other. The deepest document of ours, an ABI of nested tuples, has about 10."""
DIGITS_MAX: Final = 80
"""Digits of a number: 2**256 has 78."""


class JsonError(ValueError):
    """The text is no JSON, or exceeds a bound. The message says where, and what is allowed."""


def parse_json(data: bytes, size_max: int) -> Any:
    """The value that ``data`` (UTF-8) stands for, as ``json.loads`` gives it (RFC 8259).

    Hand in one byte more than ``size_max`` of a larger file. Numbers that are not finite, members that occur twice in
    one object, more than ``DEPTH_MAX`` levels and numbers of more than ``DIGITS_MAX`` digits are refused.

    Raises:
        JsonError: what is wrong, and where.
    """
    if len(data) > size_max:
        raise JsonError(f"more than {size_max} bytes")
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise JsonError(f"more than {DEPTH_MAX} arrays and objects inside each other") from error
    _check_depth_and_text(value)
    return value


def _check_depth_and_text(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not _is_encodable(item):
                raise JsonError("half of a surrogate pair stands alone in a string")
        if depth > DEPTH_MAX and any(isinstance(item, dict | list) for item in level):
            raise JsonError(f"more than {DEPTH_MAX} arrays and objects inside each other")
        level = below


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise JsonError(f"the name {name[:60]!r} occurs twice in one object")
        members[name] = value
    return members


def _integer(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise JsonError(f"a number of {len(digits)} digits; at most {DIGITS_MAX} are allowed")
    return int(digits)


def _decimal(digits: str) -> float:
    value = float(digits) if len(digits) <= DIGITS_MAX else math.inf
    if not math.isfinite(value):
        raise JsonError(f"the number {digits[:20]}... is out of range")
    return value


def _constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is no JSON")
