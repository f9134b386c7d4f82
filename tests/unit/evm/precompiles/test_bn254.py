"""Algebra as the check: an addition law and a pairing that are wrong anywhere break these identities."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as reference

from alatau.evm.precompiles import PrecompileError
from alatau.evm.precompiles.bn254 import ECADD, ECMUL, ECPAIRING

_FIELD = reference.field_modulus
_ORDER = reference.curve_order
_G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
_INFINITY = bytes(64)
_ONE = (1).to_bytes(32, "big")
_scalars = st.integers(min_value=0, max_value=2**256 - 1)


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _times(scalar: int, point: bytes = _G1) -> bytes:
    return ECMUL.run(point + _word(scalar))


def _g2(scalar: int) -> bytes:
    x, y = reference.normalize(reference.multiply(reference.G2, scalar))
    return b"".join(_word(int(c)) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


_G2 = _g2(1)


@settings(max_examples=25, deadline=None)
@given(_scalars, _scalars)
def test_multiplication_and_addition_agree_with_the_reference(a: int, b: int) -> None:
    """Coordinates equal those of an independent implementation, scalars beyond the order included."""
    x, y = reference.normalize(reference.multiply(reference.G1, (a + b) % _ORDER))
    assert ECADD.run(_times(a) + _times(b)) == _word(int(x)) + _word(int(y))


def test_infinity() -> None:
    """Infinity is (0, 0): the neutral element, the order's multiple, and the sum of opposites."""
    negative = _word(1) + _word(_FIELD - 2)
    assert ECADD.run(_G1 + _INFINITY) == ECADD.run(_INFINITY + _G1) == _G1
    assert ECADD.run(_G1 + negative) == _INFINITY
    assert _times(_ORDER) == _times(0) == _times(5, _INFINITY) == _INFINITY


def test_doubling() -> None:
    """Adding a point to itself is no special case to the caller."""
    assert ECADD.run(_G1 + _G1) == _times(2)


def test_short_and_long_input() -> None:
    """Missing bytes are zeros, further ones do not matter (EIP-196)."""
    assert ECADD.run(b"") == ECMUL.run(b"") == _INFINITY
    assert ECADD.run(_G1) == _G1
    assert ECADD.run(_G1 + _G1 + b"more") == _times(2)
    assert ECMUL.run(_G1 + _word(2) + b"more") == _times(2)


@pytest.mark.parametrize(
    "point",
    [
        _word(1) + _word(3),
        _word(0) + _word(1),
        _word(1 + _FIELD) + _word(2),
        _word(1) + _word(2 + _FIELD),
        _word(_FIELD) + _word(_FIELD),
        b"\xff" * 64,
    ],
)
def test_invalid_points_fail(point: bytes) -> None:
    """A point off the curve or with a coordinate not below the field's order fails the call, in each place."""
    for call in (ECADD.run, ECMUL.run):
        with pytest.raises(PrecompileError):
            call(point + _G1)
    with pytest.raises(PrecompileError):
        ECADD.run(_G1 + point)
    with pytest.raises(PrecompileError):
        ECPAIRING.run(point + _G2)


@settings(max_examples=10, deadline=None)
@given(st.integers(min_value=1, max_value=_ORDER - 1), st.integers(min_value=1, max_value=_ORDER - 1))
def test_pairing_is_bilinear(a: int, b: int) -> None:
    """The pairings of (a G1, b G2) and of (-ab G1, G2) cancel, and of (-ab-1 G1, G2) do not."""
    first = _times(a) + _g2(b)
    assert ECPAIRING.run(first + _times(-a * b % _ORDER) + _G2) == _ONE
    assert ECPAIRING.run(first + _times((-a * b - 1) % _ORDER) + _G2) == bytes(32)


def test_pairing_of_nothing_and_of_infinities() -> None:
    """An empty product is one; a pair with infinity on either side contributes one."""
    assert ECPAIRING.run(b"") == _ONE
    assert ECPAIRING.run(_INFINITY + _G2 + _G1 + bytes(128)) == _ONE
    assert ECPAIRING.run(_G1 + _G2) == bytes(32)


def test_pairing_checks_the_subgroup() -> None:
    """A point on the twist but outside the subgroup fails, though the curve equation holds (EIP-197)."""
    x, y = next(
        (candidate, root)
        for candidate in (reference.FQ2([n, 0]) for n in range(1, 100))
        for root in _square_roots(candidate**3 + reference.b2)
    )
    coordinates = b"".join(_word(int(c)) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))
    with pytest.raises(PrecompileError, match="subgroup"):
        ECPAIRING.run(_G1 + coordinates)


def _square_roots(square: reference.FQ2) -> list[reference.FQ2]:
    """Roots in the quadratic extension, by way of the norm; none where ``square`` is no square."""
    a, b = (int(c) for c in square.coeffs)
    norm = pow(a * a + b * b, (_FIELD + 1) // 4, _FIELD)
    roots = []
    for sign in (1, -1):
        half = (a + sign * norm) * pow(2, -1, _FIELD) % _FIELD
        real = pow(half, (_FIELD + 1) // 4, _FIELD)
        if real:
            roots.append(reference.FQ2([real, b * pow(2 * real, -1, _FIELD) % _FIELD]))
    return [root for root in roots if root * root == square]


@pytest.mark.parametrize("size", [1, 191, 193, 383])
def test_pairing_of_a_broken_size_fails(size: int) -> None:
    """The input is whole pairs of 192 bytes; here nothing is padded (EIP-197)."""
    with pytest.raises(PrecompileError, match="multiple of 192"):
        ECPAIRING.run(bytes(size))


def test_prices() -> None:
    """EIP-1108."""
    assert (ECADD.gas(b""), ECMUL.gas(b"")) == (150, 6_000)
    assert [ECPAIRING.gas(bytes(192 * pairs)) for pairs in (0, 1, 3)] == [45_000, 79_000, 147_000]
