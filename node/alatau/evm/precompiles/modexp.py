"""MODEXP: base ** exponent % modulus of any width (EIP-198).

Priced by EIP-2565 in Prague and by EIP-7883 in Osaka, which also bounds the operands (EIP-7823).

Input: three words with the sizes of base, exponent and modulus in bytes, then the three numbers; what is
missing at the end reads as zeros. Output: the result, as wide as the modulus.
"""

from dataclasses import dataclass

from gmpy2 import get_context, powmod

from alatau.evm.gas import GAS_MODEXP_MIN, GAS_MODEXP_MIN_OSAKA
from alatau.evm.precompiles.precompile import Precompile, PrecompileError

_OPERANDS_AT = 96
"""Offset of the base: after three 32-byte sizes."""

_HEAD_SIZE = 32
"""The price looks at no more than this many leading bytes of the exponent."""

_OSAKA_SIZE_MAX = 1_024
"""Widest operand in bytes (EIP-7823)."""


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Widths in bytes, as the caller states them: up to 2**256 - 1, so use none before it is paid for."""

    base: int
    exponent: int
    modulus: int


def _sizes(data: bytes) -> _Sizes:
    head = data[:_OPERANDS_AT].ljust(_OPERANDS_AT, b"\x00")
    return _Sizes(*(int.from_bytes(head[at : at + 32], "big") for at in (0, 32, 64)))


def _number(data: bytes, start: int, size: int) -> int:
    """The big-endian number at ``start``; bytes past the end are zeros."""
    present = data[start : start + size]
    return int.from_bytes(present, "big") << 8 * (size - len(present))


def _iterations(data: bytes, sizes: _Sizes, gas_per_byte: int) -> int:
    """Squarings that the exponent costs at least, from its width and its leading 32 bytes; at least 1."""
    head_size = min(sizes.exponent, _HEAD_SIZE)
    head_bits = _number(data, _OPERANDS_AT + sizes.base, head_size).bit_length()
    return max(gas_per_byte * (sizes.exponent - head_size) + max(head_bits - 1, 0), 1)


def _price_prague(data: bytes) -> int:
    """EIP-2565."""
    sizes = _sizes(data)
    words = (max(sizes.base, sizes.modulus) + 7) // 8
    return max(GAS_MODEXP_MIN, words * words * _iterations(data, sizes, 8) // 3)


def _price_osaka(data: bytes) -> int:
    """EIP-7883."""
    sizes = _sizes(data)
    width = max(sizes.base, sizes.modulus)
    words = (width + 7) // 8
    complexity = 16 if width <= 32 else 2 * words * words
    return max(GAS_MODEXP_MIN_OSAKA, complexity * _iterations(data, sizes, 16))


def _run(data: bytes) -> bytes:
    sizes = _sizes(data)
    if sizes.modulus == 0:
        return b""
    exponent_at = _OPERANDS_AT + sizes.base
    modulus_at = exponent_at + sizes.exponent
    modulus = _number(data, modulus_at, sizes.modulus)
    if modulus == 0:
        return bytes(sizes.modulus)
    base = _number(data, _OPERANDS_AT, sizes.base)
    exponent = _number(data, exponent_at, sizes.exponent)
    get_context().allow_release_gil = True  # Of this thread's context: seconds of work may be asked for.
    return int(powmod(base, exponent, modulus)).to_bytes(sizes.modulus, "big")


def _run_bounded(data: bytes) -> bytes:
    sizes = _sizes(data)
    if max(sizes.base, sizes.exponent, sizes.modulus) > _OSAKA_SIZE_MAX:
        raise PrecompileError(f"an operand is wider than {_OSAKA_SIZE_MAX} bytes (EIP-7823)")
    return _run(data)


MODEXP_PRAGUE = Precompile("MODEXP", _price_prague, _run)
MODEXP_OSAKA = Precompile("MODEXP", _price_osaka, _run_bounded)
