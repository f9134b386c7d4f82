"""P256VERIFY: an ECDSA signature over secp256r1 (EIP-7951), as phones and smart cards make them."""

from alatau.crypto import p256
from alatau.evm.gas import GAS_P256VERIFY
from alatau.evm.precompiles.precompile import Precompile, fixed_price

_INPUT_SIZE = 160
_VALID = (1).to_bytes(32, "big")


def _run(data: bytes) -> bytes:
    """Digest, r, s, x, y as words -> 1 as a word where the signature is valid, else nothing. Never fails."""
    if len(data) != _INPUT_SIZE:
        return b""
    return _VALID if p256.verify(data[:32], data[32:96], data[96:]) else b""


P256VERIFY = Precompile("P256VERIFY", fixed_price(GAS_P256VERIFY), _run)
