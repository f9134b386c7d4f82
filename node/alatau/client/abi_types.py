"""The types in an ABI, spelt canonically. An ABI comes from anywhere: whatever is wrong with it is an ``AbiError``."""

import re
from collections.abc import Mapping
from typing import Any, Final

from alatau.client.errors import AbiError

_ATOM: Final = re.compile(
    r"(?:address|bool|string|function|bytes(?:3[012]|[12]\d|[1-9])?|u?int(?:[1-9]\d{1,2}|8)?|u?fixed(?:\d{1,3}x\d{1,2})?)"
)
_ARRAYS: Final = re.compile(r"(?:\[(?:[1-9]\d{0,8})?\]){0,8}")
"""Up to eight dimensions: nobody declares so many."""
_DEPTH_MAX: Final = 16
"""Structs within structs: as many as compilers take."""


def type_members(kind: str) -> list[str]:
    """The types in ``(a,(b,c)[],d)``."""
    members, depth, start = [], 0, 1
    for index, character in enumerate(kind[1:-1], start=1):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            members.append(kind[start:index])
            start = index + 1
    return [*members, kind[start:-1]]


def canonical_type(item: Mapping[str, Any], depth: int = 0) -> str:
    """The canonical type of an ABI entry; a tuple spelt out."""
    kind = text_of(item, "type")
    if kind.startswith("tuple"):
        arrays, members = kind.removeprefix("tuple"), parameters_of(item, "components")
        if depth == _DEPTH_MAX or not members or not _ARRAYS.fullmatch(arrays):
            raise AbiError(f"the ABI has a {kind[:40]!r} without components, or nested more than {_DEPTH_MAX} deep")
        return f"({','.join(canonical_type(member, depth + 1) for member in members)}){arrays}"
    atom = _ATOM.match(kind)
    if atom is None or not _ARRAYS.fullmatch(kind, atom.end()):
        raise AbiError(f"the ABI has a type {kind[:40]!r}, which there is not")
    return kind


def parameters_of(entry: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The members of an entry under ``name``; none where it is absent."""
    found = entry.get(name, [])
    if not isinstance(found, list | tuple) or not all(isinstance(item, Mapping) for item in found):
        raise AbiError(f"the ABI has {name} that are no array of objects")
    return list(found)


def text_of(entry: Mapping[str, Any], name: str, absent: str = "") -> str:
    """A text of an entry."""
    found = entry.get(name, absent)
    if not isinstance(found, str):
        raise AbiError(f"the ABI has a {name} that is no text: {found!r:.40}")
    return found
