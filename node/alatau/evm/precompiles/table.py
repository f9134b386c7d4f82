"""Which precompiles a fork has, and at which addresses."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from alatau.evm.precompiles.blake2f import BLAKE2F
from alatau.evm.precompiles.bls12_381 import (
    BLS12_G1ADD,
    BLS12_G1MSM,
    BLS12_G2ADD,
    BLS12_G2MSM,
    BLS12_MAP_FP2_TO_G2,
    BLS12_MAP_FP_TO_G1,
    BLS12_PAIRING_CHECK,
)
from alatau.evm.precompiles.bn254 import ECADD, ECMUL, ECPAIRING
from alatau.evm.precompiles.ecrecover import ECRECOVER
from alatau.evm.precompiles.hashes import IDENTITY, RIPEMD160, SHA256
from alatau.evm.precompiles.modexp import MODEXP_OSAKA, MODEXP_PRAGUE
from alatau.evm.precompiles.p256verify import P256VERIFY
from alatau.evm.precompiles.point_evaluation import POINT_EVALUATION
from alatau.evm.precompiles.precompile import Precompile
from alatau.types.chain_config import Fork

_PRAGUE: Mapping[int, Precompile] = MappingProxyType(
    {
        0x01: ECRECOVER,
        0x02: SHA256,
        0x03: RIPEMD160,
        0x04: IDENTITY,
        0x05: MODEXP_PRAGUE,
        0x06: ECADD,
        0x07: ECMUL,
        0x08: ECPAIRING,
        0x09: BLAKE2F,
        0x0A: POINT_EVALUATION,
        0x0B: BLS12_G1ADD,
        0x0C: BLS12_G1MSM,
        0x0D: BLS12_G2ADD,
        0x0E: BLS12_G2MSM,
        0x0F: BLS12_PAIRING_CHECK,
        0x10: BLS12_MAP_FP_TO_G1,
        0x11: BLS12_MAP_FP2_TO_G2,
    }
)

_OSAKA: Mapping[int, Precompile] = MappingProxyType({**_PRAGUE, 0x05: MODEXP_OSAKA, 0x100: P256VERIFY})


@cache
def precompiles(fork: Fork) -> Mapping[int, Precompile]:
    """The precompiles of ``fork`` by address; the same object at every call."""
    return _OSAKA if fork is Fork.OSAKA else _PRAGUE
