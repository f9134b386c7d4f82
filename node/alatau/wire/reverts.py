"""What a contract says when it reverts.

Vyper's and Solidity's ``assert x, "reason"`` return ``Error(string)``; Solidity's own checks ``Panic(uint256)``;
Vyper's own checks (overflow, bounds, clamps) return nothing. Everything else is an error that the contract's ABI
declares, which only a client that has the ABI can name.
"""

from typing import Final

ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
"""keccak256("Error(string)")[:4]."""
PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
"""keccak256("Panic(uint256)")[:4]."""

_PANICS: Final = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value is no member of the enum",
    0x22: "storage holds a malformed byte array",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}
"""Solidity documentation, "Panic via assert and Error via require"."""

_REASON_SIZE_MAX: Final = 1_024
"""Bytes of a reason that are shown: contracts can return megabytes."""


def revert_reason(data: bytes) -> str | None:
    """The reason in ``data``, for people; None where there is none or only the ABI can tell."""
    selector, body = data[:4], data[4:]
    if selector == ERROR_SELECTOR:
        return _string(body)
    if selector == PANIC_SELECTOR and len(body) == 32:
        code = int.from_bytes(body, "big")
        return _PANICS.get(code, f"panic 0x{code:x}")
    return None


def describe_revert(data: bytes) -> str:
    """A sentence's end for any revert data."""
    reason = revert_reason(data)
    if reason is not None:
        return reason
    if not data:
        return "without a reason (a check of the compiler's, or a plain revert)"
    return f"with data 0x{data[:64].hex()}{'...' if len(data) > 64 else ''}"


def _string(body: bytes) -> str | None:
    """An ABI-encoded string as the only argument; None where the encoding is broken."""
    offset = int.from_bytes(body[:32], "big")
    if len(body) < 64 or offset + 32 > len(body):
        return None
    size = int.from_bytes(body[offset : offset + 32], "big")
    text = body[offset + 32 : offset + 32 + size]
    if len(text) < size:
        return None
    return text[:_REASON_SIZE_MAX].decode("utf-8", "replace")
