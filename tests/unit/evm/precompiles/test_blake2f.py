from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.evm.precompiles import PrecompileError
from alatau.evm.precompiles.blake2f import BLAKE2F

_IV = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
"""RFC 7693, section 2.6."""


def _input(message: bytes, *, rounds: int = 12, final: int = 1) -> bytes:
    """The only compression of an unkeyed BLAKE2b-512 of at most 128 bytes."""
    parameters = 0x0101_0040  # fanout 1, depth 1, 64 bytes of digest
    state = (_IV[0] ^ parameters, *_IV[1:])
    words = b"".join(word.to_bytes(8, "little") for word in state)
    counters = len(message).to_bytes(16, "little")
    return rounds.to_bytes(4, "big") + words + message.ljust(128, b"\x00") + counters + bytes((final,))


@given(st.binary(max_size=128))
def test_twelve_rounds_are_blake2b(message: bytes) -> None:
    """With 12 rounds the function is BLAKE2b's own: one compression hashes a short message."""
    assert BLAKE2F.run(_input(message)) == blake2b(message).digest()


@pytest.mark.parametrize(
    ("rounds", "final", "start"),
    [(0, 1, "08c9bcf367e6096a"), (12, 0, "75ab69d3190a562c"), (1, 1, "b63a380cb2897d52")],
)
def test_vectors_of_the_eip(rounds: int, final: int, start: str) -> None:
    """EIP-152, vectors 4, 6 and 7: other rounds, and the final flag."""
    assert BLAKE2F.run(_input(b"abc", rounds=rounds, final=final)).hex().startswith(start)


@pytest.mark.parametrize("data", [b"", _input(b"abc")[:-1], _input(b"abc") + b"\x00"])
def test_wrong_size_fails(data: bytes) -> None:
    """The input is 213 bytes, no padding either way (EIP-152, vectors 0 to 2)."""
    with pytest.raises(PrecompileError, match="expected 213"):
        BLAKE2F.run(data)


def test_wrong_flag_fails() -> None:
    """The final flag is 0 or 1 (EIP-152, vector 3)."""
    with pytest.raises(PrecompileError, match="final flag is 2"):
        BLAKE2F.run(_input(b"abc", final=2))


def test_price_is_the_number_of_rounds() -> None:
    """One gas a round, up to 2**32 - 1."""
    assert BLAKE2F.gas(_input(b"", rounds=0)) == 0
    assert BLAKE2F.gas(_input(b"", rounds=2**32 - 1)) == 2**32 - 1
