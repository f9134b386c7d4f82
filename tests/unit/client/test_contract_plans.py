"""Code that programs hand in, and how runs end."""

import pytest

from alatau.client.abi import Abi
from alatau.client.contract_plans import failure_of, read_bytecode
from alatau.client.errors import AbiError, Failure, Outcome
from alatau.wire.trace import TracedCall

CODE = bytes.fromhex("60806040")


@pytest.mark.parametrize("source", [CODE, "0x60806040", "60806040\n", bytearray(CODE)])
def test_code_comes_in_either_form(source: bytes | str) -> None:
    """As bytes, or as the compiler's text."""
    assert read_bytecode(source) == CODE


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"0x60806040", "hexadecimal text in bytes"),
        (b"60806040\n", "hexadecimal text in bytes"),
        ("0x6080604", "odd number of digits"),
        ("0x60__$4f$__", "libraries must be linked first"),
        ("", "is empty"),
        (b"", "is empty"),
        ("0x", "is empty"),
        ({"object": "0x60"}, "is a dict"),
        (None, "is a NoneType"),
    ],
)
def test_what_is_no_code_is_refused(source: object, message: str) -> None:
    """Before it costs anything."""
    with pytest.raises(AbiError, match=message):
        read_bytecode(source)  # type: ignore[arg-type]


def traced(error: str | None, output: bytes = b"", reason: str | None = None) -> TracedCall:
    """A call that ended so."""
    return TracedCall(0, "CALL", bytes(20), bytes(20), 0, 10, 10, b"", output, error, reason)


def test_a_halt_is_no_revert() -> None:
    """Gas that ran out and rules that were broken are not the contract's decision."""
    assert failure_of(traced(None), Abi(())) is None
    assert failure_of(traced("out of gas"), Abi(())) == Failure(Outcome.HALTED, "out of gas")
    assert failure_of(traced("invalid opcode"), Abi(())) == Failure(Outcome.HALTED, "invalid opcode")
    assert failure_of(traced("execution reverted", reason="no"), Abi(())) == Failure(Outcome.REVERTED, "no")
    declared = Abi([{"type": "error", "name": "TooLate", "inputs": [{"name": "by", "type": "uint256"}]}])
    (error,) = declared.errors.values()
    output = error.selector + (7).to_bytes(32, "big")
    assert failure_of(traced("execution reverted", output), declared) == Failure(Outcome.REVERTED, "TooLate(7)")
