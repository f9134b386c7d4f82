import pytest

from alatau.evm.precompiles.hashes import IDENTITY, RIPEMD160, SHA256


def test_sha256_vector() -> None:
    """FIPS 180-4, one-block message."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert SHA256.run(b"abc").hex() == expected


def test_ripemd160_vector() -> None:
    """The authors' vector, padded on the left to a word."""
    assert RIPEMD160.run(b"abc").hex() == "00" * 12 + "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"


def test_identity_gives_its_input() -> None:
    """The identity contract copies."""
    assert IDENTITY.run(b"\x00\x01\x02") == b"\x00\x01\x02"


@pytest.mark.parametrize(("size", "words"), [(0, 0), (1, 1), (32, 1), (33, 2), (64, 2)])
def test_prices_count_started_words(size: int, words: int) -> None:
    """Yellow Paper, eq. 205, 208, 212: a base and a price per started word."""
    data = bytes(size)
    assert SHA256.gas(data) == 60 + 12 * words
    assert RIPEMD160.gas(data) == 600 + 120 * words
    assert IDENTITY.gas(data) == 15 + 3 * words
