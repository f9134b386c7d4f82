import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.evm.precompiles.p256verify import P256VERIFY

_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_VALID = (1).to_bytes(32, "big")
_DIGEST = bytes.fromhex("5a" * 32)
_KEY = derive_private_key(0xA1A7A0, SECP256R1())


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def _parts() -> tuple[int, int, int, int]:
    r, s = decode_dss_signature(_KEY.sign(_DIGEST, ECDSA(Prehashed(SHA256()))))
    point = _KEY.public_key().public_numbers()
    return r, s, point.x, point.y


def test_valid_signature() -> None:
    """A signature made by the library verifies; so does its mirror with n - s, as EIP-7951 demands."""
    r, s, x, y = _parts()
    assert P256VERIFY.run(_DIGEST + _words(r, s, x, y)) == _VALID
    assert P256VERIFY.run(_DIGEST + _words(r, _ORDER - s, x, y)) == _VALID


def test_another_digest_does_not_verify() -> None:
    """A wrong signature gives no output, and the call succeeds."""
    assert P256VERIFY.run(bytes(32) + _words(*_parts())) == b""


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, 0), (0, _ORDER), (1, 0), (1, _ORDER), (2, _FIELD), (3, _FIELD), (3, 5), (2, 2**256 - 1)],
)
def test_out_of_range_or_off_the_curve(position: int, value: int) -> None:
    """r, s are in 1..n-1, coordinates below p, and the point is on the curve."""
    parts = list(_parts())
    parts[position] = value
    assert P256VERIFY.run(_DIGEST + _words(*parts)) == b""


def test_point_at_infinity() -> None:
    """(0, 0) stands for no key."""
    r, s, _, _ = _parts()
    assert P256VERIFY.run(_DIGEST + _words(r, s, 0, 0)) == b""


@pytest.mark.parametrize("size", [0, 159, 161, 320])
def test_another_size_gives_nothing(size: int) -> None:
    """Exactly 160 bytes count, even where the first 160 would verify."""
    data = (_DIGEST + _words(*_parts())).ljust(size, b"\x00")[:size]
    assert P256VERIFY.run(data) == b""


def test_price() -> None:
    """EIP-7951: 6,900 gas, twice RIP-7212's."""
    assert P256VERIFY.gas(b"") == 6_900
