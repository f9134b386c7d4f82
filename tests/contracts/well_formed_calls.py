"""A call of each function of a contract, as bytes: what a token tries when it re-enters."""

from typing import Any

from eth_abi.abi import encode as abi_encode

from alatau.artifacts.artifact import abi_type, load
from alatau.crypto.keccak import keccak256
from tests.contracts.world import ZERO


def well_formed_calls(name: str) -> dict[str, bytes]:
    """Signature -> a well-formed call with empty values, of every function of a contract's ABI, views too."""
    found = {}
    for entry in load(name).abi:
        if entry["type"] == "function":
            kinds = [abi_type(i) for i in entry["inputs"]]
            signature = f"{entry['name']}({','.join(kinds)})"
            found[signature] = call_of(signature, *(_zero(kind) for kind in kinds))
    return found


def call_of(signature: str, *values: Any) -> bytes:
    """The call of a function, as in ``exchange(uint256)``, with its arguments."""
    return keccak256(signature.encode())[:4] + abi_encode(_parts(signature[signature.index("(") :]), values)


def _zero(kind: str) -> Any:
    """A value of an ABI type with which a call is well formed."""
    if kind.endswith("[]"):
        return []
    if kind.startswith("("):
        return tuple(_zero(part) for part in _parts(kind))
    plain: dict[str, Any] = {"address": ZERO, "bytes": b"", "string": "", "bool": False}
    if kind in plain:
        return plain[kind]
    return bytes(int(kind.removeprefix("bytes"))) if kind.startswith("bytes") else 0


def _parts(kind: str) -> list[str]:
    """The types in the parentheses of a tuple's type."""
    depth, part, parts = 0, "", []
    for letter in kind[1:-1] + ",":
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    return [part for part in parts if part]
