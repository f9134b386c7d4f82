"""BLAKE2F: the compression function of BLAKE2b with a chosen number of rounds (EIP-152)."""

from blake2b import decode_and_compress

from alatau.evm.gas import GAS_BLAKE2F_ROUND
from alatau.evm.precompiles.precompile import Precompile, PrecompileError

_INPUT_SIZE = 213
"""4 rounds (big-endian), 64 state, 128 message, 16 offset counters (little-endian), 1 final flag."""


def _price(data: bytes) -> int:
    """By the round; an input of the wrong size fails whatever it costs."""
    return GAS_BLAKE2F_ROUND * int.from_bytes(data[:4], "big") if len(data) == _INPUT_SIZE else 0


def _run(data: bytes) -> bytes:
    if len(data) != _INPUT_SIZE:
        raise PrecompileError(f"input has {len(data)} bytes, expected {_INPUT_SIZE}")
    if data[212] > 1:
        raise PrecompileError(f"final flag is {data[212]}, expected 0 or 1")
    output: bytes = decode_and_compress(data)
    return output


BLAKE2F = Precompile("BLAKE2F", _price, _run)
