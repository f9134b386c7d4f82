"""ECADD, ECMUL, ECPAIRING on alt_bn128 (EIP-196, EIP-197; prices of EIP-1108), through mcl."""

from alatau.evm.gas import GAS_ECADD, GAS_ECMUL, GAS_ECPAIRING, GAS_ECPAIRING_PAIR
from alatau.evm.precompiles import mcl
from alatau.evm.precompiles.precompile import Precompile, PrecompileError, fixed_price

_POINT_SIZE = 64
_PAIR_SIZE = 192
"""A point of G1, 64 bytes, and one of G2, 128."""


def _add(data: bytes) -> bytes:
    padded = data[:128].ljust(128, b"\x00")
    try:
        a, b = mcl.g1_point(padded[:64]), mcl.g1_point(padded[64:])
    except ValueError as error:
        raise PrecompileError(str(error)) from error
    return mcl.g1_bytes(mcl.g1_sum(a, b))


def _multiply(data: bytes) -> bytes:
    padded = data[:96].ljust(96, b"\x00")
    try:
        point = mcl.g1_point(padded[:64])
    except ValueError as error:
        raise PrecompileError(str(error)) from error
    return mcl.g1_bytes(mcl.g1_product(point, padded[64:]))


def _check_pairing(data: bytes) -> bytes:
    if len(data) % _PAIR_SIZE:
        raise PrecompileError(f"input has {len(data)} bytes, expected a multiple of {_PAIR_SIZE}")
    g1s, g2s = [], []
    try:
        for at in range(0, len(data), _PAIR_SIZE):
            g1s.append(mcl.g1_point(data[at : at + _POINT_SIZE]))
            g2s.append(mcl.g2_point(data[at + _POINT_SIZE : at + _PAIR_SIZE]))
    except ValueError as error:
        raise PrecompileError(str(error)) from error
    return int(mcl.pairings_cancel(g1s, g2s)).to_bytes(32, "big")


ECADD = Precompile("ECADD", fixed_price(GAS_ECADD), _add)
ECMUL = Precompile("ECMUL", fixed_price(GAS_ECMUL), _multiply)
ECPAIRING = Precompile(
    "ECPAIRING", lambda data: GAS_ECPAIRING + GAS_ECPAIRING_PAIR * (len(data) // _PAIR_SIZE), _check_pairing
)
