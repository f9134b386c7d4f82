"""Precompiled contracts, one file per family, each a thin layer over a native library.

A precompile is a hot loop that any caller may drive at the caller's chosen input, so none of them is
written in Python: a pairing or a million rounds of BLAKE2 in Python would stop the chain for minutes.
"""

from alatau.evm.precompiles.precompile import Precompile, PrecompileError
from alatau.evm.precompiles.table import precompiles

__all__ = ["Precompile", "PrecompileError", "precompiles"]
