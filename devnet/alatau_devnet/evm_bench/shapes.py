"""Attacks that are slow for what happens around instructions: calls, memory, analysis, translation, creation."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from alatau.crypto.keccak import keccak256

_CODE_SIZE_MAX: Final = 24_576
_TARGET: Final = b"\xd0" * 20


@dataclass(frozen=True, slots=True)
class Shape:
    """One attack: the code that is called, and other contracts that it calls."""

    name: str
    code: bytes
    others: dict[bytes, bytes] = field(default_factory=dict)
    data: bytes = b""
    warm_up_runs: int = 0
    gas: int = 10_000_000


def _push(value: int | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")
    return bytes((0x5F + len(data),)) + data


def _forever(body: bytes, prelude: bytes = b"") -> bytes:
    return prelude + b"\x5b" + body + _push(len(prelude).to_bytes(2, "big")) + b"\x56"


def _call(address: bytes, gas: bytes = b"\x5a", size: bytes = b"\x5f") -> bytes:
    """A call with ``size`` bytes of empty memory, without output or value, its success dropped."""
    return b"\x5f\x5f" + size + b"\x5f\x5f" + _push(address) + gas + b"\xf1\x50"


def _checked_calls(addresses: Iterable[bytes]) -> bytes:
    """Calls that must succeed, in a loop; it ends with REVERT at the first that does not."""
    code = b"\x60\x08\x56\x5b\x5f\x5f\xfd\x00\x5b"
    for address in addresses:
        code += b"\x5f\x5f\x5f\x5f\x5f" + _push(address) + b"\x5a\xf1\x15\x60\x03\x57"
    return code + b"\x60\x08\x56"


def _address(number: int) -> bytes:
    return keccak256(b"shape" + number.to_bytes(4, "big"))[:20]


def _distinct(code: bytes, number: int) -> bytes:
    """Another code of the same kind: it ends with STOP and a number that never runs."""
    assert len(code) <= _CODE_SIZE_MAX - 5
    return code + b"\x00" + number.to_bytes(4, "big")


def _cycle(count: int, code: bytes) -> Shape:
    """Call ``count`` different contracts of one kind in turn."""
    others = {_address(n): _distinct(code, n) for n in range(count)}
    return Shape("", _checked_calls(others), others)


def _named(name: str, shape: Shape) -> Shape:
    return Shape(name, shape.code, shape.others, shape.data, shape.warm_up_runs, shape.gas)


def _recursion() -> bytes:
    """Call oneself with all the gas that the 63/64 rule leaves, and again after it returns."""
    return _forever(b"\x5f\x5f\x5f\x5f\x5f\x30\x5a\xf1\x50")


def _growing_memory() -> bytes:
    """Touch one more word each time."""
    return _forever(b"\x59\x51\x50")


def _creation(initcode_size: int) -> bytes:
    """CREATE2 with the call's data as initcode, each time another one by its last word."""
    prelude = _push(initcode_size.to_bytes(2, "big")) + b"\x5f\x5f\x37"  # call data -> memory
    body = b"\x5a" + _push((initcode_size - 32).to_bytes(2, "big")) + b"\x52"
    body += b"\x5a" + _push(initcode_size.to_bytes(2, "big")) + b"\x5f\x5f\xf5"
    again = (len(prelude)).to_bytes(2, "big")
    return prelude + b"\x5b" + body + b"\x61" + again + b"\x57\x5f\x5f\xfd"


def _deploying(size: int) -> bytes:
    """Deploy contracts of ``size`` zero bytes: initcode PUSH2 size PUSH0 RETURN, in memory as a word."""
    initcode = b"\x61" + size.to_bytes(2, "big") + b"\x5f\xf3"
    prelude = _push(initcode.ljust(32, b"\x00")) + b"\x5f\x52"
    return _forever(_push(len(initcode)) + b"\x5f\x5f\xf0\x50", prelude)


def _straight(pattern: bytes) -> bytes:
    """As much of ``pattern`` as code may hold."""
    return pattern * ((_CODE_SIZE_MAX - 6) // len(pattern))


_FIELD: Final = b"\x5b" * (_CODE_SIZE_MAX - 8)
_JUMPING_FIELD: Final = b"\x61" + (_CODE_SIZE_MAX - 9).to_bytes(2, "big") + b"\x56" + b"\x5b" * (_CODE_SIZE_MAX - 12)
"""Jumps over the field to its last JUMPDEST, so that its analysis is asked for and none of it is paid."""

_MIXED_FIELD: Final = b"\x61\x5f\xf8" + b"\x56" + b"\x5b\x60\x00\x50" * 6_141 + b"\x5b"
_ARITHMETIC: Final = _straight(bytes.fromhex("5f358002800180191850"))
"""Different instructions on unknown words."""


def _branching() -> bytes:
    """A conditional jump on unknown data to the next piece, again and again."""
    code = b""
    for _ in range(2_500):
        target = len(code) + 8
        code += b"\x5f\x35\x61" + target.to_bytes(2, "big") + b"\x57\x5f\x50\x5b"
    return code


def _joining() -> bytes:
    """Branches that leave stacks of unlike words and join: a translator may copy what follows for each way."""
    code = b""
    for _ in range(1_750):
        target = len(code) + 12
        code += b"\x5f\x35\x5f\x35\x61" + target.to_bytes(2, "big") + b"\x57\x5a\x18\x5f\x18\x5b\x50"
    return code


def _backwards() -> bytes:
    """From the last piece to the first: every jump lands where none has before, and not after a known place."""
    size, count = 17, 1_400
    code = b"\x61" + (4 + size * (count - 1)).to_bytes(2, "big") + b"\x56"
    for n in range(count):
        target = 4 + size * (n - 1) if n else 4 + size * count
        code += b"\x5b\x61" + target.to_bytes(2, "big") + b"\x56" + b"\x60\x60" * 6
    return code + b"\x5b"


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("deep calls: recursion to the end of gas", _recursion(), warm_up_runs=1),
    Shape("memory grows word by word", _growing_memory()),
    Shape("JUMPDEST field, run through, first run", _FIELD + b"\x5f\x56"),
    Shape("JUMPDEST field, run through", _FIELD + b"\x5f\x56", warm_up_runs=1),
    _named("calls to 64 different JUMPDEST fields, jumping over them", _cycle(64, _JUMPING_FIELD)),
    _named("calls to 1,000 different JUMPDEST fields, jumping over them", _cycle(1_000, _JUMPING_FIELD)),
    _named("calls to 64 different fields of JUMPDEST and PUSH1", _cycle(64, _MIXED_FIELD)),
    _named("calls to 1,000 different fields of JUMPDEST and PUSH1", _cycle(1_000, _MIXED_FIELD)),
    _named("calls to 64 different contracts, straight code", _cycle(64, _ARITHMETIC)),
    _named("calls to 64 different contracts, branches", _cycle(64, _branching())),
    _named("calls to 64 different contracts, joins", _cycle(64, _joining())),
    _named("calls to 64 different contracts, jumps backwards", _cycle(64, _backwards())),
    Shape("one contract, straight code, first run", _checked_calls([_TARGET]), {_TARGET: _ARITHMETIC}),
    Shape("one contract, branches, first run", _checked_calls([_TARGET]), {_TARGET: _branching()}),
    Shape("one contract, joins, first run", _checked_calls([_TARGET]), {_TARGET: _joining()}),
    Shape("JUMP, constant target", _forever(b""), warm_up_runs=2),
    Shape("JUMP, computed target", b"\x5b\x5f\x35\x56", warm_up_runs=2),
    Shape("JUMPI, computed target", b"\x5b\x59\x15\x5f\x35\x57\x00", warm_up_runs=2),
    Shape("tiny calls: STOP", _checked_calls([_TARGET] * 20), {_TARGET: b"\x00"}, warm_up_runs=1),
    Shape("tiny calls: 4 KiB of input", _forever(_call(_TARGET, size=b"\x61\x10\x00") * 20), {_TARGET: b"\x00"}),
    Shape("tiny calls: failing", _forever(_call(_TARGET, b"\x60\x0a") * 20), {_TARGET: b"\xfe"}, warm_up_runs=1),
    Shape("tiny calls: reverting", _forever(_call(_TARGET) * 20), {_TARGET: b"\x5f\x5f\xfd"}, warm_up_runs=1),
    Shape("CREATE2 with 48 KiB of JUMPDEST", _creation(49_152), data=b"\x00" + b"\x5b" * 49_151),
    Shape(
        "CREATE2 with 48 KiB of JUMPDEST, which jumps",
        _creation(49_152),
        data=b"\x60\x03\x56" + b"\x5b" * 3 + b"\x00" + b"\x5b" * 49_145,
    ),
    Shape(
        "CREATE2 with 48 KiB of JUMPDEST and PUSH1",
        _creation(49_152),
        data=(b"\x60\x03\x56\x5b\x00" + b"\x5b\x60\x00" * 16_383)[:49_152],
    ),
    Shape("CREATE, tiny initcode", _forever(b"\x5f\x5f\x5f\xf0\x50" * 20)),
    Shape("CREATE, one byte of code each", _deploying(1)),
    Shape("CREATE, 24 KiB of code each", _deploying(24_576), gas=30_000_000),
)
"""Each is run until its gas is gone."""
