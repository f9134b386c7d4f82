"""A second reading of what is to be signed, by other code than the first: both must agree before a key is used.

The first reading (:mod:`alatau.client.typed_data`, :mod:`alatau.client.abi`) shows a decision and computes its digest.
This one starts from the document that a wallet would get and from the bytes of the call that proposed it, and shares
nothing with the first but the compiled contract: types come from the document, words from eth-abi, hashes from
eth-utils. A mistake in one of them, or a library that was tampered with, shows as a difference, not as a signature.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from alatau.client.errors import DecisionError

_ARRAY: Final = re.compile(r"(.+)\[\d*\]$")


def check_digest(document: Mapping[str, Any], digest: bytes) -> None:
    """Raise ``DecisionError`` unless a typed-data document (``eth_signTypedData_v4``) has this digest."""
    types, domain = document["types"], document["domain"]
    separator = _struct_hash(types, "EIP712Domain", domain)
    found = keccak(b"\x19\x01" + separator + _struct_hash(types, document["primaryType"], document["message"]))
    if found != digest:
        raise DecisionError(
            f"two readings of the document differ: 0x{digest.hex()} and 0x{found.hex()}. Nothing is signed; do not"
            " trust this program or its machine"
        )


def check_call(
    document: Mapping[str, Any], function: Mapping[str, Any], data: bytes, numbers: Mapping[str, int] | None = None
) -> None:
    """Raise ``DecisionError`` unless the bytes of a call say what a document shows.

    Args:
        document: the typed data that is signed.
        function: the function's entry in the compiled contract's ABI.
        data: the call, selector first.
        numbers: word of an ``action`` -> its number in the contract, where the type has one.
    """
    inputs = [_canonical(entry) for entry in function["inputs"]]
    selector = keccak(text=f"{function['name']}({','.join(inputs)})")[:4]
    if data[:4] != selector:
        raise DecisionError(f"the call is not of {function['name']}: its selector is 0x{data[:4].hex()}")
    told = list(_leaves(abi_decode(inputs, data[4:])))
    shown = list(_shown(document["types"], document["primaryType"], document["message"], numbers or {}))
    if told != shown:
        raise DecisionError(
            f"the bytes of the call to {function['name']} say something else than what is shown. Nothing is signed"
        )


def _struct_hash(types: Mapping[str, Any], name: str, values: Mapping[str, Any]) -> bytes:
    kinds = ["bytes32"] + [_word_type(types, member["type"]) for member in types[name]]
    words = [keccak(text=_type_text(types, name))]
    words += [_word(types, member["type"], values[member["name"]]) for member in types[name]]
    return keccak(abi_encode(kinds, words))


def _type_text(types: Mapping[str, Any], name: str) -> str:
    others: set[str] = set()
    waiting = [name]
    while waiting:
        for member in types[waiting.pop()]:
            base = member["type"].split("[")[0]
            if base in types and base not in others and base != name:
                others.add(base)
                waiting.append(base)
    return "".join(
        f"{one}({','.join(m['type'] + ' ' + m['name'] for m in types[one])})" for one in (name, *sorted(others))
    )


def _word_type(types: Mapping[str, Any], kind: str) -> str:
    return "bytes32" if kind in types or kind in ("string", "bytes") or _ARRAY.match(kind) else kind


def _word(types: Mapping[str, Any], kind: str, value: Any) -> Any:
    """As eth-abi takes a member: hashed where EIP-712 hashes it."""
    if kind in types:
        return _struct_hash(types, kind, value)
    if array := _ARRAY.match(kind):
        element = array[1]
        packed = [abi_encode([_word_type(types, element)], [_word(types, element, item)]) for item in value]
        return keccak(b"".join(packed))
    if kind == "string":
        return keccak(text=value)
    if kind == "bytes":
        return keccak(hexstr=value)
    return _plain(kind, value)


def _plain(kind: str, value: Any) -> Any:
    if kind.startswith("bytes"):
        return bytes.fromhex(value.removeprefix("0x"))
    if "int" in kind:
        return int(value)
    return value.lower() if kind == "address" else value


def _canonical(entry: Mapping[str, Any]) -> str:
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return f"({','.join(map(_canonical, entry['components']))}){entry['type'].removeprefix('tuple')}"


def _leaves(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from _leaves(value)
        else:
            yield value


def _shown(types: Mapping[str, Any], name: str, values: Mapping[str, Any], numbers: Mapping[str, int]) -> Iterator[Any]:
    for member in types[name]:
        kind, value = member["type"], values[member["name"]]
        if kind in types:
            yield from _shown(types, kind, value, numbers)
        elif member["name"] == "action" and numbers:
            yield numbers.get(value)
        elif array := _ARRAY.match(kind):
            yield from (_plain(array[1], item) for item in value)
        else:
            yield _plain(kind, value)
