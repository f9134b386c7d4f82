"""ECRECOVER: the address that signed a digest (Yellow Paper, appendix E.1)."""

from alatau.crypto.secp256k1 import SignatureError, address_of_public_key, recover_public_key
from alatau.evm.gas import GAS_ECRECOVER
from alatau.evm.precompiles.precompile import Precompile, fixed_price

_INPUT_SIZE = 128
_V_EVEN = 27


def _run(data: bytes) -> bytes:
    """Digest, v, r, s as words -> address as a word; nothing where the signature recovers no key.

    A high s is taken: EIP-2 binds transactions, not this contract.
    """
    padded = data[:_INPUT_SIZE].ljust(_INPUT_SIZE, b"\x00")
    y_parity = int.from_bytes(padded[32:64], "big") - _V_EVEN
    if y_parity not in (0, 1):
        return b""
    try:
        key = recover_public_key(padded[:32], padded[64:128] + bytes((y_parity,)))
    except SignatureError:
        return b""
    return bytes(12) + address_of_public_key(key)


ECRECOVER = Precompile("ECRECOVER", fixed_price(GAS_ECRECOVER), _run)
