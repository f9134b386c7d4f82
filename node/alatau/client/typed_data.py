"""Typed structured data (EIP-712) of any shape: hashed as wallets hash it, and in the JSON form that they take.

Source: https://eips.ethereum.org/EIPS/eip-712. Values are Python's: ints, bools, str, bytes (addresses are 20 bytes),
lists, and dicts for structs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alatau.client.errors import TypedDataError
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest, word
from alatau.crypto.keccak import keccak256

_STRUCT: Final = re.compile(r"([A-Za-z_]\w*)\(([^()]*)\)")
_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_INTEGER: Final = re.compile(r"(u?)int(\d+)")
_FIXED_BYTES: Final = re.compile(r"bytes(\d+)")
_ARRAY: Final = re.compile(r"(.+)\[(\d*)\]")


@dataclass(frozen=True, slots=True)
class Domain:
    """What a signature is bound to: a contract on a chain."""

    name: str
    version: str
    chain_id: int
    contract: bytes
    """Address, 20 bytes."""


@dataclass(frozen=True, slots=True)
class StructType:
    """A struct and those that it refers to, as ``Mail(Person from)Person(string name)`` spells them."""

    name: str
    structs: dict[str, tuple[tuple[str, str], ...]]
    """Struct -> its members, each (type, name). The first is the struct itself."""

    @property
    def members(self) -> tuple[tuple[str, str], ...]:
        """(type, name) of each member, in order."""
        return self.structs[self.name]


def struct_type(encoded: str) -> StructType:
    """Read an encoded type; those that it refers to follow it, each once.

    Raises:
        TypedDataError: it is not spelt so.
    """
    found = _STRUCT.findall(encoded)
    if not found or "".join(f"{name}({members})" for name, members in found) != encoded:
        raise TypedDataError(f"{encoded!r} is no type such as Mail(address to,string text)")
    structs = {name: tuple(_member(text) for text in members.split(",") if text) for name, members in found}
    return StructType(found[0][0], structs)


def encode_type(kind: StructType, name: str) -> str:
    """The encoding of a struct's type: itself, then what it refers to, by name."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in needed:
            needed.add(current)
            bases = (member.partition("[")[0] for member, _ in kind.structs[current])
            waiting += [base for base in bases if base in kind.structs]
    ordered = [name, *sorted(needed - {name})]
    return "".join(f"{one}({','.join(f'{t} {n}' for t, n in kind.structs[one])})" for one in ordered)


def digest(domain: Domain, kind: StructType, message: Mapping[str, Any]) -> bytes:
    """The 32 bytes that are signed. Raises ``TypedDataError`` where the message does not fit the type."""
    return typed_digest(domain_separator(domain), hash_struct(kind, kind.name, message))


def domain_separator(domain: Domain) -> bytes:
    """The hash of a domain."""
    kind = struct_type(_DOMAIN_TYPE)
    return hash_struct(kind, kind.name, domain_message(domain))


def domain_message(domain: Domain) -> dict[str, Any]:
    """A domain as the struct that it is."""
    return {
        "name": domain.name,
        "version": domain.version,
        "chainId": domain.chain_id,
        "verifyingContract": domain.contract,
    }


def hash_struct(kind: StructType, name: str, message: Mapping[str, Any]) -> bytes:
    """The hash of a struct. Raises ``TypedDataError``."""
    members = kind.structs[name]
    _check_names(name, {n for _, n in members}, message)
    words = [_encoded(kind, t, message[n], n) for t, n in members]
    return struct_hash(type_hash(encode_type(kind, name)), *words)


def to_json(kind: StructType, domain: Domain, message: Mapping[str, Any]) -> dict[str, Any]:
    """The document that ``eth_signTypedData_v4`` takes."""
    spelt = struct_type(_DOMAIN_TYPE)
    return {
        "types": {
            name: [{"name": n, "type": t} for t, n in members]
            for name, members in (*spelt.structs.items(), *kind.structs.items())
        },
        "primaryType": kind.name,
        "domain": _json_value(spelt, spelt.name, domain_message(domain)),
        "message": _json_value(kind, kind.name, message),
    }


def read_domain(document: Any) -> Domain:
    """A domain from its JSON form. Raises ``TypedDataError``."""
    kind = struct_type(_DOMAIN_TYPE)
    value = read_value(kind, kind.name, document, "domain")
    return Domain(value["name"], value["version"], value["chainId"], value["verifyingContract"])


def read_value(kind: StructType, wanted: str, value: Any, where: str) -> Any:
    """A value of a type from its JSON form: hexadecimal for bytes and addresses, decimal digits for large integers.

    Raises:
        TypedDataError: it is none; the message names the place.
    """
    if wanted in kind.structs:
        if not isinstance(value, dict):
            raise TypedDataError(f"{where} is no object")
        members = kind.structs[wanted]
        _check_names(where, {n for _, n in members}, value)
        return {n: read_value(kind, t, value[n], f"{where}.{n}") for t, n in members}
    if array := _ARRAY.fullmatch(wanted):
        if not isinstance(value, list):
            raise TypedDataError(f"{where} is no array")
        read: Any = [read_value(kind, array[1], item, f"{where}[{index}]") for index, item in enumerate(value)]
    else:
        read = _read_atom(wanted, value, where)
    _encoded(kind, wanted, read, where)  # checks range and length
    return read


def _member(text: str) -> tuple[str, str]:
    kind, _, name = text.partition(" ")
    if not kind or not name or " " in name:
        raise TypedDataError(f"{text!r} is no member such as uint256 amount")
    return kind, name


def _check_names(where: str, expected: set[str], found: Mapping[str, Any]) -> None:
    if missing := sorted(expected - found.keys()):
        raise TypedDataError(f"{where} lacks {', '.join(missing)}")
    if surplus := sorted(found.keys() - expected):
        raise TypedDataError(
            f"{where} has no member {', '.join(map(str, surplus))}; it has {', '.join(sorted(expected))}"
        )


def _encoded(kind: StructType, wanted: str, value: Any, where: str) -> bytes:
    """One member as a word."""
    if wanted in kind.structs:
        return hash_struct(kind, wanted, value)
    if array := _ARRAY.fullmatch(wanted):
        if array[2] and len(value) != int(array[2]):
            raise TypedDataError(f"{where} has {len(value)} elements, not {array[2]}")
        return keccak256(b"".join(_encoded(kind, array[1], item, where) for item in value))
    match value:
        case str() if wanted == "string":
            return keccak256(value.encode())
        case bytes() if wanted == "bytes":
            return keccak256(value)
        case bool() if wanted == "bool":
            return word(value)
        case bytes() if wanted == "address" and len(value) == 20:
            return bytes(12) + value
        case bytes() if (fixed := _FIXED_BYTES.fullmatch(wanted)) and len(value) == int(fixed[1]):
            return value.ljust(32, b"\0")
        case int() if (integer := _INTEGER.fullmatch(wanted)) and not isinstance(value, bool):
            low, high = (
                (0, 1 << int(integer[2])) if integer[1] else (-(1 << int(integer[2]) - 1), 1 << int(integer[2]) - 1)
            )
            if low <= value < high:
                return word(value)
    raise TypedDataError(f"{where} is no {wanted}")


def _read_atom(wanted: str, value: Any, where: str) -> Any:
    if _INTEGER.fullmatch(wanted) and isinstance(value, str) and re.fullmatch(r"-?\d{1,78}", value, re.ASCII):
        return int(value)
    if wanted == "address" or wanted.startswith("bytes"):
        if not isinstance(value, str) or not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", value):
            raise TypedDataError(f"{where} is no {wanted}: 0x and hexadecimal digits")
        return bytes.fromhex(value[2:])
    return value


def _json_value(kind: StructType, wanted: str, value: Any) -> Any:
    if wanted in kind.structs:
        return {n: _json_value(kind, t, value[n]) for t, n in kind.structs[wanted]}
    if array := _ARRAY.fullmatch(wanted):
        return [_json_value(kind, array[1], item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)  # JSON's numbers are doubles to most wallets
    return value
