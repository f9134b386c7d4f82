"""P256VERIFY: an ECDSA signature over secp256r1 (EIP-7951), as phones and smart cards make them."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.evm.gas import GAS_P256VERIFY
from alatau.evm.precompiles.precompile import Precompile, fixed_price

_INPUT_SIZE = 160
_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_CURVE = SECP256R1()
_ALGORITHM = ECDSA(Prehashed(SHA256()))
_VALID = (1).to_bytes(32, "big")


def _run(data: bytes) -> bytes:
    """Digest, r, s, x, y as words -> 1 as a word where the signature is valid, else nothing. Never fails."""
    if len(data) != _INPUT_SIZE:
        return b""
    r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in (32, 64, 96, 128))
    if not (0 < r < _ORDER and 0 < s < _ORDER and x < _FIELD and y < _FIELD):
        return b""
    try:
        key = EllipticCurvePublicNumbers(x, y, _CURVE).public_key()  # checks that the point is on the curve
        key.verify(encode_dss_signature(r, s), data[:32], _ALGORITHM)
    except (ValueError, InvalidSignature):
        return b""
    return _VALID


P256VERIFY = Precompile("P256VERIFY", fixed_price(GAS_P256VERIFY), _run)
