"""The seven BLS12-381 precompiles of EIP-2537, through arkworks.

Encodings: a field element is 64 bytes, big-endian, the first 16 zero and the value below the field's
modulus; an element of the quadratic extension is c0, c1; a point is x, y; infinity is all zeros. The library
takes the same without the zero padding. Additions accept every point of the curve; multiplications and
pairings only those of the subgroup.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from alatau.evm.gas import (
    GAS_BLS12_G1ADD,
    GAS_BLS12_G1MUL,
    GAS_BLS12_G2ADD,
    GAS_BLS12_G2MUL,
    GAS_BLS12_MAP_FP2_TO_G2,
    GAS_BLS12_MAP_FP_TO_G1,
    GAS_BLS12_PAIRING,
    GAS_BLS12_PAIRING_PAIR,
)
from alatau.evm.precompiles.precompile import Operation, Precompile, PrecompileError, Price, fixed_price

_Point = TypeVar("_Point", G1Point, G2Point)

_FP_SIZE = 64
_FP_PADDING = bytes(16)
_G1_SIZE = 2 * _FP_SIZE
_G2_SIZE = 4 * _FP_SIZE
_SCALAR_SIZE = 32


# fmt: off
_G1_DISCOUNTS: Final = (
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658,
    654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608,
    606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577,
    576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555,
    554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544, 543, 542, 541, 540, 540, 539, 538, 537, 536,
    536, 535, 534, 533, 532, 532, 531, 530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520,
    520, 519,
)
"""Price of each of k multiplications in thousandths of a single one's, by k - 1; the last holds for more."""
# fmt: on

# fmt: off
_G2_DISCOUNTS: Final = (
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699, 693, 688,
    683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629, 627, 624, 622, 620,
    618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583,
    582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562, 561, 560, 559, 558,
    557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547, 546, 545, 545, 544, 543, 542, 541, 541, 540,
    539, 538, 537, 537, 536, 535, 535, 534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525,
    524, 524,
)
# fmt: on


def _unpadded(data: bytes) -> bytes:
    """The field elements of ``data`` at 48 bytes each."""
    elements = []
    for at in range(0, len(data), _FP_SIZE):
        if data[at : at + 16] != _FP_PADDING:
            raise PrecompileError("a field element is wider than 48 bytes")
        elements.append(data[at + 16 : at + _FP_SIZE])
    return b"".join(elements)


def _padded(data: bytes) -> bytes:
    """The inverse of :func:`_unpadded`."""
    return b"".join([_FP_PADDING + data[at : at + 48] for at in range(0, len(data), 48)])


def _decoded(decode: Callable[[bytes], _Point], data: bytes) -> _Point:
    try:
        return decode(_unpadded(data))
    except ValueError as error:
        raise PrecompileError(f"not a valid encoding: {error}") from error


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise PrecompileError(f"input has {len(data)} bytes, expected {size}")
    return data


def _chunks(data: bytes, size: int) -> list[bytes]:
    if not data or len(data) % size:
        raise PrecompileError(f"input has {len(data)} bytes, expected a positive multiple of {size}")
    return [data[at : at + size] for at in range(0, len(data), size)]


def _g1_add(data: bytes) -> bytes:
    _sized(data, 2 * _G1_SIZE)
    a = _decoded(G1Point.from_xy_bytes_unchecked_be, data[:_G1_SIZE])
    b = _decoded(G1Point.from_xy_bytes_unchecked_be, data[_G1_SIZE:])
    return _padded((a + b).to_xy_bytes_be())


def _g2_add(data: bytes) -> bytes:
    _sized(data, 2 * _G2_SIZE)
    a = _decoded(G2Point.from_xy_bytes_unchecked_be, data[:_G2_SIZE])
    b = _decoded(G2Point.from_xy_bytes_unchecked_be, data[_G2_SIZE:])
    return _padded((a + b).to_xy_bytes_be())


def _multiplications(
    decode: Callable[[bytes], _Point], sum_of_products: Callable[[list[_Point], list[Scalar]], _Point], size: int
) -> Operation:
    def run(data: bytes) -> bytes:
        points, scalars = [], []
        for pair in _chunks(data, size + _SCALAR_SIZE):
            points.append(_decoded(decode, pair[:size]))
            scalars.append(Scalar.from_be_bytes_mod_order(pair[size:]))
        result = points[0] * scalars[0] if len(points) == 1 else sum_of_products(points, scalars)
        return _padded(result.to_xy_bytes_be())

    return run


def _multiplications_price(size: int, gas: int, discounts: tuple[int, ...]) -> Price:
    def price(data: bytes) -> int:
        k = len(data) // (size + _SCALAR_SIZE)
        return k * gas * discounts[min(k, len(discounts)) - 1] // 1_000 if k else 0

    return price


def _pairing_check(data: bytes) -> bytes:
    g1s, g2s = [], []
    for pair in _chunks(data, _G1_SIZE + _G2_SIZE):
        g1s.append(_decoded(G1Point.from_xy_bytes_be, pair[:_G1_SIZE]))
        g2s.append(_decoded(G2Point.from_xy_bytes_be, pair[_G1_SIZE:]))
    return int(GT.pairing_check(g1s, g2s)).to_bytes(32, "big")


def _map_fp_to_g1(data: bytes) -> bytes:
    return _padded(_decoded(G1Point.map_from_fp_be, _sized(data, _FP_SIZE)).to_xy_bytes_be())


def _map_fp2_to_g2(data: bytes) -> bytes:
    return _padded(_decoded(G2Point.map_from_fp2_be, _sized(data, 2 * _FP_SIZE)).to_xy_bytes_be())


BLS12_G1ADD = Precompile("BLS12_G1ADD", fixed_price(GAS_BLS12_G1ADD), _g1_add)
BLS12_G1MSM = Precompile(
    "BLS12_G1MSM",
    _multiplications_price(_G1_SIZE, GAS_BLS12_G1MUL, _G1_DISCOUNTS),
    _multiplications(G1Point.from_xy_bytes_be, G1Point.multiexp_unchecked, _G1_SIZE),
)
BLS12_G2ADD = Precompile("BLS12_G2ADD", fixed_price(GAS_BLS12_G2ADD), _g2_add)
BLS12_G2MSM = Precompile(
    "BLS12_G2MSM",
    _multiplications_price(_G2_SIZE, GAS_BLS12_G2MUL, _G2_DISCOUNTS),
    _multiplications(G2Point.from_xy_bytes_be, G2Point.multiexp_unchecked, _G2_SIZE),
)
BLS12_PAIRING_CHECK = Precompile(
    "BLS12_PAIRING_CHECK",
    lambda data: GAS_BLS12_PAIRING + GAS_BLS12_PAIRING_PAIR * (len(data) // (_G1_SIZE + _G2_SIZE)),
    _pairing_check,
)
BLS12_MAP_FP_TO_G1 = Precompile("BLS12_MAP_FP_TO_G1", fixed_price(GAS_BLS12_MAP_FP_TO_G1), _map_fp_to_g1)
BLS12_MAP_FP2_TO_G2 = Precompile("BLS12_MAP_FP2_TO_G2", fixed_price(GAS_BLS12_MAP_FP2_TO_G2), _map_fp2_to_g2)
