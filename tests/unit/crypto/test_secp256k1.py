import pytest
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.crypto.secp256k1 import (
    HALF_ORDER,
    ORDER,
    PrivateKey,
    SignatureError,
    recover_address,
    recover_public_key,
)

_secrets = st.integers(min_value=1, max_value=ORDER - 1).map(lambda value: value.to_bytes(32, "big"))
_digests = st.binary(min_size=32, max_size=32)
_KEY = PrivateKey(b"\x01" * 32)
_DIGEST = b"\x02" * 32


@settings(max_examples=50, deadline=None)
@given(_secrets, _digests)
def test_signs_as_eth_keys_does(secret: bytes, digest: bytes) -> None:
    """Deterministic, low-s, 65 bytes: byte for byte Ethereum's signature, recovered by both."""
    key, other = PrivateKey(secret), keys.PrivateKey(secret)
    signature = key.sign(digest)
    assert signature == other.sign_msg_hash(digest).to_bytes()
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    assert recover_address(digest, signature) == key.address == other.public_key.to_canonical_address()
    assert recover_public_key(digest, signature) == key.public_key == other.public_key.to_bytes()


def test_known_address() -> None:
    """The address of the key 1 is in every textbook."""
    assert PrivateKey((1).to_bytes(32, "big")).address.hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@pytest.mark.parametrize("secret", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_a_secret_out_of_range_is_no_key(secret: int) -> None:
    """Scalars are in 1..n-1."""
    with pytest.raises(ValueError, match=r".+"):
        PrivateKey(secret.to_bytes(32, "big"))


def test_the_secret_stays_out_of_repr() -> None:
    """A key in a log line shows its address only."""
    assert repr(_KEY) == f"PrivateKey(address=0x{_KEY.address.hex()})"
    assert PrivateKey(_KEY.secret).address == _KEY.address


def _parts() -> tuple[int, int, int]:
    signature = _KEY.sign(_DIGEST)
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]


def _joined(r: int, s: int, y_parity: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((y_parity,))


def test_a_high_s_is_refused_for_addresses_only() -> None:
    """EIP-2: the mirrored signature would give a transaction a second hash; the raw recovery takes it."""
    r, s, y_parity = _parts()
    mirrored = _joined(r, ORDER - s, 1 - y_parity)
    with pytest.raises(SignatureError, match="upper half"):
        recover_address(_DIGEST, mirrored)
    assert recover_public_key(_DIGEST, mirrored) == _KEY.public_key


@pytest.mark.parametrize("y_parity", [2, 3, 4, 27, 28, 255])
def test_only_two_parities_exist(y_parity: int) -> None:
    """A vote with another last byte would be a second signature of the same vote."""
    r, s, _ = _parts()
    with pytest.raises(SignatureError, match="y parity"):
        recover_address(_DIGEST, _joined(r, s, y_parity))


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (2**256 - 1, 1), (0, 0)])
def test_out_of_range(r: int, s: int) -> None:
    """Neither r nor s may be zero or reach the order."""
    with pytest.raises(SignatureError, match="recovers no key"):
        recover_address(_DIGEST, _joined(r, s, 0))


def test_s_at_the_order_is_refused() -> None:
    """The raw recovery bounds s too."""
    with pytest.raises(SignatureError, match="recovers no key"):
        recover_public_key(_DIGEST, _joined(1, ORDER, 0))


def test_r_that_is_no_coordinate() -> None:
    """For about half of all r there is no point: 5 is such an r."""
    with pytest.raises(SignatureError, match="recovers no key"):
        recover_address(_DIGEST, _joined(5, 1, 0))


@pytest.mark.parametrize("size", [0, 64, 66])
def test_wrong_size(size: int) -> None:
    """Exactly 65 bytes."""
    with pytest.raises(SignatureError, match=f"{size} bytes, expected 65"):
        recover_address(_DIGEST, bytes(size))
