"""ECDSA over secp256r1 (P-256; FIPS 186-5, SEC 2 section 2.4.2), the curve of phones' secure chips and of passkeys.

Keys are points, ``x || y`` in 64 bytes; signatures are ``r || s`` in 64. The curve's standard takes both s and
ORDER - s, so whoever carries a signature could change its bytes; :func:`has_low_s` is the rule that stops that, and
:func:`with_low_s` what a signer applies, for authenticators do not.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.crypto.keccak import keccak256

FIELD: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
"""Modulus of the coordinates."""

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the group."""

HALF_ORDER: Final = ORDER // 2
PUBLIC_KEY_SIZE: Final = 64
SIGNATURE_SIZE: Final = 64

ADDRESS_PREFIX: Final = keccak256(b"Alatau P-256 account v1")
"""Stands before the point in the hash that gives an address. It makes the hash's input 96 bytes long where that of
secp256k1 is 64, so that no point of one curve has the address of one of the other but by a collision of keccak256."""

_CURVE: Final = SECP256R1()
_ALGORITHM: Final = ECDSA(Prehashed(SHA256()))


def verify(digest: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether ``signature`` (64 bytes) is of ``digest`` (32 bytes) by ``public_key`` (64 bytes), as EIP-7951 says it.

    A high s is taken. False, never an error, for r or s of zero or not below the order, a coordinate not below the
    field's modulus, and a point not on the curve.
    """
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    x, y = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER and x < FIELD and y < FIELD):
        return False
    try:
        key = EllipticCurvePublicNumbers(x, y, _CURVE).public_key()  # checks that the point is on the curve
        key.verify(encode_dss_signature(r, s), digest, _ALGORITHM)
    except (ValueError, InvalidSignature):
        return False
    return True


def address_of_p256_key(public_key: bytes) -> bytes:
    """The 20-byte address of a 64-byte point: the last of keccak256 over :data:`ADDRESS_PREFIX` and the point."""
    return keccak256(ADDRESS_PREFIX + public_key)[12:]


def has_low_s(signature: bytes) -> bool:
    """Whether s is in the lower half of the order, which one of every two equivalent signatures is."""
    return int.from_bytes(signature[32:], "big") <= HALF_ORDER


def with_low_s(signature: bytes) -> bytes:
    """The equivalent of a valid 64-byte signature that :func:`has_low_s`."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, ORDER - s).to_bytes(32, "big")
