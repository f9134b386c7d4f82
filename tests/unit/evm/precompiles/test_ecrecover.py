import pytest

from alatau.crypto.secp256k1 import HALF_ORDER, ORDER, PrivateKey
from alatau.evm.precompiles.ecrecover import ECRECOVER

_KEY = PrivateKey(bytes.fromhex("11" * 32))
_DIGEST = bytes.fromhex("22" * 32)


def _input(v: int, r: int, s: int, digest: bytes = _DIGEST) -> bytes:
    return digest + b"".join(value.to_bytes(32, "big") for value in (v, r, s))


def _signature() -> tuple[int, int, int]:
    signature = _KEY.sign(_DIGEST)
    return 27 + signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


def test_recovers_the_signer_as_a_word() -> None:
    """The address stands in the low 20 bytes of a word."""
    assert ECRECOVER.run(_input(*_signature())) == bytes(12) + _KEY.address


def test_published_vector() -> None:
    """The vector of ethereum/tests, CallEcrecover0."""
    data = bytes.fromhex(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
        "000000000000000000000000000000000000000000000000000000000000001c"
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
    )
    expected = "000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b"
    assert ECRECOVER.run(data).hex() == expected


def test_takes_a_high_s() -> None:
    """EIP-2's low-s rule is about transactions: the mirrored signature recovers the same key."""
    v, r, s = _signature()
    assert ORDER - s > HALF_ORDER
    assert ECRECOVER.run(_input(55 - v, r, ORDER - s)) == bytes(12) + _KEY.address


@pytest.mark.parametrize("v", [0, 1, 26, 29, 27 + 256, 2**255])
def test_another_v_recovers_nothing(v: int) -> None:
    """Only 27 and 28 count, read as a whole word, not as its last byte."""
    _, r, s = _signature()
    assert ECRECOVER.run(_input(v, r, s)) == b""


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**256 - 1, 1)])
def test_out_of_range_recovers_nothing(r: int, s: int) -> None:
    """Both r and s are in 1..n-1; the call still succeeds, with no output."""
    assert ECRECOVER.run(_input(27, r, s)) == b""


def test_short_and_long_input() -> None:
    """Missing bytes are zeros; bytes after the fourth word do not matter."""
    assert ECRECOVER.run(b"") == b""
    assert ECRECOVER.run(_input(*_signature()) + b"more") == bytes(12) + _KEY.address


def test_price() -> None:
    """3,000 gas whatever the input."""
    assert ECRECOVER.gas(b"") == ECRECOVER.gas(bytes(1_000)) == 3_000
