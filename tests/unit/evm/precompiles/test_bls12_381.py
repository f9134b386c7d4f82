"""Algebra as the check, with the library's own generators; the fixtures of EIP-2537 are in tests/conformance."""

from collections.abc import Callable

import pytest
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from alatau.evm.precompiles import PrecompileError
from alatau.evm.precompiles.bls12_381 import (
    BLS12_G1ADD,
    BLS12_G1MSM,
    BLS12_G2ADD,
    BLS12_G2MSM,
    BLS12_MAP_FP2_TO_G2,
    BLS12_MAP_FP_TO_G1,
    BLS12_PAIRING_CHECK,
)

_FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_ONE = (1).to_bytes(32, "big")
_INFINITY_1, _INFINITY_2 = bytes(128), bytes(256)


def _encoded(point: G1Point | G2Point) -> bytes:
    raw = point.to_xy_bytes_be()
    return b"".join(bytes(16) + raw[at : at + 48] for at in range(0, len(raw), 48))


def _g1(scalar: int) -> bytes:
    return _encoded(G1Point() * Scalar(scalar))


def _g2(scalar: int) -> bytes:
    return _encoded(G2Point() * Scalar(scalar))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _off_subgroup_g1() -> bytes:
    """A point of the curve outside the subgroup: x = 4 is the smallest such."""
    y = pow(4**3 + 4, (_FIELD + 1) // 4, _FIELD)
    assert y * y % _FIELD == 68
    return (4).to_bytes(64, "big") + y.to_bytes(64, "big")


def test_generator_is_the_published_one() -> None:
    """EIP-2537 names its generator's x: the encoding here is the EIP's."""
    x = "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    assert _g1(1)[:64].hex() == "00" * 16 + x


def test_addition() -> None:
    """Sums of multiples are multiples of sums; infinity and opposites are no special case."""
    assert BLS12_G1ADD.run(_g1(2) + _g1(3)) == _g1(5)
    assert BLS12_G2ADD.run(_g2(2) + _g2(3)) == _g2(5)
    assert BLS12_G1ADD.run(_g1(2) + _g1(2)) == _g1(4)
    assert BLS12_G1ADD.run(_g1(2) + _INFINITY_1) == _g1(2)
    assert BLS12_G2ADD.run(_INFINITY_2 + _INFINITY_2) == _INFINITY_2
    assert BLS12_G2ADD.run(_g2(1) + _encoded(-G2Point())) == _INFINITY_2


def test_addition_takes_points_outside_the_subgroup() -> None:
    """EIP-2537 leaves the subgroup check out of additions."""
    point = _off_subgroup_g1()
    assert BLS12_G1ADD.run(point + _INFINITY_1) == point


def test_multiplications_and_pairings_refuse_points_outside_the_subgroup() -> None:
    """Elsewhere the check is part of the price."""
    point = _off_subgroup_g1()
    with pytest.raises(PrecompileError, match="not a valid encoding"):
        BLS12_G1MSM.run(point + _word(1))
    with pytest.raises(PrecompileError, match="not a valid encoding"):
        BLS12_PAIRING_CHECK.run(point + _g2(1))


@pytest.mark.parametrize("count", [1, 2, 3, 130])
def test_multiscalar_multiplication(count: int) -> None:
    """The sum of k * (k G) is the sum of squares times G; scalars beyond the order wrap."""
    total = sum(k * k for k in range(count))
    scalars = [k + _ORDER if k % 2 else k for k in range(count)]
    assert BLS12_G1MSM.run(b"".join(_g1(k) + _word(scalars[k]) for k in range(count))) == _g1(total)
    assert BLS12_G2MSM.run(b"".join(_g2(k) + _word(scalars[k]) for k in range(count))) == _g2(total)


def test_pairing() -> None:
    """Bilinear; infinity on either side contributes one."""
    assert BLS12_PAIRING_CHECK.run(_g1(6) + _g2(7) + _g1(_ORDER - 42) + _g2(1)) == _ONE
    assert BLS12_PAIRING_CHECK.run(_g1(6) + _g2(7) + _g1(_ORDER - 41) + _g2(1)) == bytes(32)
    assert BLS12_PAIRING_CHECK.run(_INFINITY_1 + _g2(1) + _g1(1) + _INFINITY_2) == _ONE


def test_maps_give_points_of_the_subgroup() -> None:
    """A mapped point multiplies without an error, and the order takes it to infinity."""
    one = BLS12_MAP_FP_TO_G1.run((3).to_bytes(64, "big"))
    two = BLS12_MAP_FP2_TO_G2.run((3).to_bytes(64, "big") + (4).to_bytes(64, "big"))
    assert BLS12_G1MSM.run(one + _word(_ORDER)) == _INFINITY_1
    assert BLS12_G2MSM.run(two + _word(_ORDER)) == _INFINITY_2


def test_map_vector_of_the_eip() -> None:
    """EIP-2537's fp_to_G1_bls.json, first case: u of RFC 9380, J.9.1."""
    u = "156c8a6a2c184569d69a76be144b5cdc5141d2d2ca4fe341f011e25e3969c55ad9e9b9ce2eb833c81a908e5fa4ac5f03"
    x = "184bb665c37ff561a89ec2122dd343f20e0f4cbcaec84e3c3052ea81d1834e192c426074b02ed3dca4e7676ce4ce48ba"
    assert BLS12_MAP_FP_TO_G1.run(bytes(16) + bytes.fromhex(u))[16:64].hex() == x


_PADDED = b"\x01" + bytes(127)
_TOO_LARGE = bytes(16) + _FIELD.to_bytes(48, "big") + bytes(64)
_OFF_CURVE = (1).to_bytes(64, "big") * 2


@pytest.mark.parametrize("point", [_PADDED, _TOO_LARGE, _OFF_CURVE, bytes(16) + b"\xff" * 48 + bytes(64)])
def test_invalid_encodings_fail(point: bytes) -> None:
    """Nonzero padding, an element not below the modulus, a point off the curve."""
    calls: list[tuple[Callable[[bytes], bytes], bytes]] = [
        (BLS12_G1ADD.run, point + _g1(1)),
        (BLS12_G1ADD.run, _g1(1) + point),
        (BLS12_G1MSM.run, point + _word(1)),
        (BLS12_G2ADD.run, point + point + _g2(1)),
        (BLS12_G2MSM.run, point + point + _word(1)),
        (BLS12_PAIRING_CHECK.run, point + _g2(1)),
        (BLS12_PAIRING_CHECK.run, _g1(1) + point + point),
    ]
    for call, data in calls:
        with pytest.raises(PrecompileError):
            call(data)


@pytest.mark.parametrize("element", [_PADDED[:64], _TOO_LARGE[:64]])
def test_maps_refuse_invalid_elements(element: bytes) -> None:
    """The maps take canonical field elements only."""
    with pytest.raises(PrecompileError):
        BLS12_MAP_FP_TO_G1.run(element)
    with pytest.raises(PrecompileError):
        BLS12_MAP_FP2_TO_G2.run(bytes(64) + element)


@pytest.mark.parametrize(
    ("call", "size"),
    [
        (BLS12_G1ADD.run, 256),
        (BLS12_G2ADD.run, 512),
        (BLS12_G1MSM.run, 160),
        (BLS12_G2MSM.run, 288),
        (BLS12_PAIRING_CHECK.run, 384),
        (BLS12_MAP_FP_TO_G1.run, 64),
        (BLS12_MAP_FP2_TO_G2.run, 128),
    ],
)
def test_wrong_sizes_fail(call: Callable[[bytes], bytes], size: int) -> None:
    """No input is padded or cut, and none may be empty."""
    for wrong in (0, size - 1, size + 1):
        with pytest.raises(PrecompileError, match="expected"):
            call(bytes(wrong))
    assert call(bytes(size))


def test_prices() -> None:
    """EIP-2537's table, with the discount at 1, 2, 128 and beyond."""
    assert (BLS12_G1ADD.gas(b""), BLS12_G2ADD.gas(b"")) == (375, 600)
    assert (BLS12_MAP_FP_TO_G1.gas(b""), BLS12_MAP_FP2_TO_G2.gas(b"")) == (5_500, 23_800)
    counts = (0, 1, 2, 128, 200)
    assert [BLS12_G1MSM.gas(bytes(160 * k)) for k in counts] == [0, 12_000, 22_776, 797_184, 1_245_600]
    assert [BLS12_G2MSM.gas(bytes(288 * k)) for k in counts] == [0, 22_500, 45_000, 1_509_120, 2_358_000]
    assert [BLS12_PAIRING_CHECK.gas(bytes(384 * k)) for k in (0, 1, 2)] == [37_700, 70_300, 102_900]
