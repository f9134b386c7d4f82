"""SHA256, RIPEMD160 and IDENTITY (Yellow Paper, appendix E.1)."""

from hashlib import sha256

from Crypto.Hash import RIPEMD160 as _RIPEMD160

from alatau.evm.gas import (
    GAS_IDENTITY,
    GAS_IDENTITY_WORD,
    GAS_RIPEMD160,
    GAS_RIPEMD160_WORD,
    GAS_SHA256,
    GAS_SHA256_WORD,
)
from alatau.evm.precompiles.precompile import Precompile, word_price


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _ripemd160(data: bytes) -> bytes:
    """The 20-byte digest as a word. OpenSSL 3 dropped it from its default provider, hence pycryptodome."""
    return bytes(12) + _RIPEMD160.new(data).digest()


SHA256 = Precompile("SHA256", word_price(GAS_SHA256, GAS_SHA256_WORD), _sha256)
RIPEMD160 = Precompile("RIPEMD160", word_price(GAS_RIPEMD160, GAS_RIPEMD160_WORD), _ripemd160)
IDENTITY = Precompile("IDENTITY", word_price(GAS_IDENTITY, GAS_IDENTITY_WORD), bytes)
