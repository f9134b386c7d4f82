"""POINT_EVALUATION: that a committed polynomial takes a value at a point (KZG proof, EIP-4844).

The proof holds when ``e(commitment - y*G1, G2) == e(proof, tau*G2 - z*G2)`` (consensus-specs, deneb,
``verify_kzg_proof_impl``), which is computed as ``e(commitment - y*G1 + z*proof, G2) == e(proof, tau*G2)``: a
multiplication in G1 is three times cheaper than one in G2. Of the ceremony's whole outcome that takes a single
point, ``tau*G2``.
"""

from hashlib import sha256
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from alatau.evm.gas import GAS_POINT_EVALUATION
from alatau.evm.precompiles.precompile import Precompile, PrecompileError, fixed_price

_INPUT_SIZE = 192
"""Versioned hash, z, y as words; commitment and proof as compressed G1 points of 48 bytes."""

_VERSION_KZG = b"\x01"
_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Order of the scalar field of BLS12-381."""

_FIELD_ELEMENTS_PER_BLOB = 4_096
_OUTPUT: Final = _FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + _MODULUS.to_bytes(32, "big")

_INFINITY = b"\xc0" + bytes(47)
_INFINITY_FLAG = 0x40

_G1: Final = G1Point()
_G2: Final = G2Point()
_TAU_G2: Final = G2Point.from_compressed_bytes(
    bytes.fromhex(
        "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
        "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
    )
)
"""``g2_monomial[1]`` of ``trusted_setup_4096.json`` in consensus-specs: the outcome of the KZG ceremony of 2023."""


def _point(data: bytes) -> G1Point:
    """A point of the subgroup in its one encoding. The library ignores what follows an infinity flag."""
    if data[0] & _INFINITY_FLAG and data != _INFINITY:
        raise PrecompileError("a point at infinity is not canonical")
    try:
        return G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise PrecompileError(f"not a point of G1: {error}") from error


def _scalar(data: bytes) -> Scalar:
    if int.from_bytes(data, "big") >= _MODULUS:
        raise PrecompileError("a field element is not below the modulus")
    return Scalar.from_be_bytes(data)


def _run(data: bytes) -> bytes:
    if len(data) != _INPUT_SIZE:
        raise PrecompileError(f"input has {len(data)} bytes, expected {_INPUT_SIZE}")
    commitment = data[96:144]
    if data[:32] != _VERSION_KZG + sha256(commitment).digest()[1:]:
        raise PrecompileError("the versioned hash is not that of the commitment")
    z, y = _scalar(data[32:64]), _scalar(data[64:96])
    proof = _point(data[144:])
    left = _point(commitment) - _G1 * y + proof * z
    if not GT.pairing_check([-left, proof], [_G2, _TAU_G2]):
        raise PrecompileError("the proof does not hold")
    return _OUTPUT


POINT_EVALUATION = Precompile("POINT_EVALUATION", fixed_price(GAS_POINT_EVALUATION), _run)
