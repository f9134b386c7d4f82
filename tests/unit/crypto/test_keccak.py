from Crypto.Hash import keccak as reference
from hypothesis import given
from hypothesis import strategies as st

from alatau.crypto.keccak import EMPTY_HASH, keccak256


def test_known_hashes() -> None:
    """The empty string's hash is the code hash of accounts without code: the padding is Keccak's, not SHA-3's."""
    assert EMPTY_HASH.hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


@given(st.binary(max_size=300))
def test_agrees_with_another_library(data: bytes) -> None:
    """Across block boundaries (136 bytes) two implementations agree."""
    assert keccak256(data) == reference.new(digest_bits=256, data=data).digest()
