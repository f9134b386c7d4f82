"""Init code that burns a creation's gas in the ways that are slowest for a node: the loops of ``make bench-evm``."""

from collections.abc import Iterator
from typing import Final

from alatau_devnet.evm_bench.worst_inputs import PRECOMPILE_INPUTS, PRELUDE, bodies

_INIT_CODE_MAX: Final = 49_152
"""Bytes (EIP-3860)."""
_UNROLLED: Final = 40
"""Repetitions in a loop's body, so that the jump back weighs little."""
_CALLS: Final = 10


def heavy_init_codes() -> Iterator[tuple[str, bytes]]:
    """(name, init code): each opcode in a loop that is soon translated and in straight code; each precompile."""
    for name, body in bodies():
        again = b"\x61" + len(PRELUDE).to_bytes(2, "big") + b"\x56"
        yield name, PRELUDE + b"\x5b" + body * min(_UNROLLED, 4_000 // len(body)) + again
        longest = (_INIT_CODE_MAX - len(PRELUDE) - 1 - len(again)) // len(body)
        yield f"{name}, straight", PRELUDE + b"\x5b" + body * longest + again
    for name, address, data in PRECOMPILE_INPUTS:
        code = _precompile_loop(address, data)
        if len(code) <= _INIT_CODE_MAX:
            yield name, code


def _precompile_loop(address: int, data: bytes) -> bytes:
    """Copy ``data``, which follows the code, to memory once, then call the precompile with it for ever."""
    size = b"\x62" + len(data).to_bytes(3, "big")
    call = b"\x5f\x5f" + size + b"\x5f\x61" + address.to_bytes(2, "big") + b"\x5a\xfa\x50"
    start = len(size) + 4 + 2
    loop = b"\x5b" + call * _CALLS + b"\x60" + bytes((start,)) + b"\x56"
    copy = size + b"\x62" + (start + len(loop)).to_bytes(3, "big") + b"\x5f\x39"
    assert len(copy) == start, "the jump back leads to the loop"
    return copy + loop + data
