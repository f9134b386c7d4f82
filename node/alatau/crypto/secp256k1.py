"""ECDSA over secp256k1 with public-key recovery (SEC 1, section 4.1.6), through libsecp256k1.

Signatures are 65 bytes, ``r || s || y_parity``, with s in the lower half of the order (EIP-2), which makes
the signature of a message by a key unique: a relay cannot change a transaction's hash.
"""

from collections.abc import Callable
from typing import Final

from coincurve import PrivateKey as _PrivateKey
from coincurve import PublicKey as _PublicKey

from alatau.crypto.keccak import keccak256

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the group (SEC 2, section 2.4.1)."""

HALF_ORDER: Final = ORDER // 2
SIGNATURE_SIZE: Final = 65
Signer = Callable[[bytes], bytes]
"""Signs a 32-byte digest, giving 65 bytes."""


class SignatureError(ValueError):
    """The bytes are no valid signature: wrong length, r or s out of range, high s, or not on the curve."""


def address_of_public_key(public_key: bytes) -> bytes:
    """The 20-byte address of an uncompressed 64-byte public key (Yellow Paper, eq. 277)."""
    return keccak256(public_key)[12:]


class PrivateKey:
    """A signing key. Its secret never appears in ``repr``."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """Take a 32-byte big-endian scalar in 1..ORDER-1, else ``ValueError``."""
        self._key = _PrivateKey(secret)
        self.address: Final = address_of_public_key(self.public_key)

    @property
    def secret(self) -> bytes:
        """The 32-byte scalar. For keystores only."""
        return self._key.secret

    @property
    def public_key(self) -> bytes:
        """The uncompressed point without its prefix, 64 bytes."""
        return self._key.public_key.format(compressed=False)[1:]

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest deterministically (RFC 6979), low s; 65 bytes."""
        return self._key.sign_recoverable(digest, hasher=None)

    def __repr__(self) -> str:
        """Name the key by its address."""
        return f"PrivateKey(address=0x{self.address.hex()})"


def recover_address(digest: bytes, signature: bytes) -> bytes:
    """The address whose key signed ``digest``.

    libsecp256k1 runs without the GIL, so threads recover in parallel (about 47 us each).

    Raises:
        SignatureError: the signature is malformed, has a high s, or recovers no point.
    """
    if len(signature) != SIGNATURE_SIZE:
        msg = f"signature has {len(signature)} bytes, expected {SIGNATURE_SIZE}"
        raise SignatureError(msg)
    if signature[64] > 1:
        msg = f"signature's y parity is {signature[64]}, expected 0 or 1"
        raise SignatureError(msg)
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        msg = "signature's s is in the upper half of the order (EIP-2)"
        raise SignatureError(msg)
    return address_of_public_key(recover_public_key(digest, signature))


def recover_public_key(digest: bytes, signature: bytes) -> bytes:
    """The 64-byte public key that signed ``digest``.

    Unlike :func:`recover_address` this takes a high s, and the recovery ids 2 and 3 of a point whose x is not
    below the order: what ECDSA allows, not what Ethereum does.

    Raises:
        SignatureError: r or s is zero or not below the order, or no point is recovered.
    """
    try:
        point = _PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception and ValueError
        msg = f"signature recovers no key: {error}"
        raise SignatureError(msg) from error
    return point.format(compressed=False)[1:]
