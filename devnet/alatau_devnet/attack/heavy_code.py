"""Init code that burns a creation's gas in the ways that are slowest for a node: the loops of ``make bench-evm``."""

from collections.abc import Iterator
from typing import Final

from alatau_devnet.evm_bench.worst_inputs import (
    PRECOMPILE_INPUTS,
    bodies,
    loop_of,
    precompile_loop,
    pushed_size,
    straight_of,
)

_INIT_CODE_MAX: Final = 49_152
"""Bytes (EIP-3860)."""


def heavy_init_codes() -> Iterator[tuple[str, bytes]]:
    """(name, init code): each opcode in a loop that is soon translated and in straight code; each precompile."""
    for name, body in bodies():
        yield name, loop_of(body)
        yield f"{name}, straight", straight_of(body, _INIT_CODE_MAX)
    for name, address, data in PRECOMPILE_INPUTS:
        code = _with_data(address, data)
        if len(code) <= _INIT_CODE_MAX:
            yield name, code


def _with_data(address: int, data: bytes) -> bytes:
    """Copy ``data``, which follows the code, to memory once, then call the precompile with it for ever."""

    def copied(from_: int) -> bytes:
        return pushed_size(len(data)) + b"\x62" + from_.to_bytes(3, "big") + b"\x5f\x39"

    end = len(precompile_loop(copied(0), address, len(data)))
    return precompile_loop(copied(end), address, len(data)) + data
