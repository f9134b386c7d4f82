"""The tree of calls of a transaction."""

from dataclasses import dataclass, field
from typing import Final

from alatau.evm.exceptions import HaltError
from alatau.evm.frame import REVERTED, SUCCESS, Frame, Tracer
from alatau.evm.operations import ADDRESS
from alatau.types.receipt import Log

CALLS_MAX: Final = 100_000
"""Calls that are recorded; more are found in attacks only."""

BYTES_MAX: Final = 64 * 1024 * 1024
"""Input and output that is recorded in all. Calls can show each other the same large memory many times."""

_SELFDESTRUCT: Final = 0xFF
_LOG0: Final = 0xA0
_LOG4: Final = 0xA4
_ERROR_STRING: Final = bytes.fromhex("08c379a0")
"""Selector of ``Error(string)``, how compilers encode a reason to revert."""


@dataclass(slots=True)
class CallTrace:
    """One call, or one creation, with those that it made."""

    kind: str
    """The instruction: CALL, DELEGATECALL, CREATE2 and so on; SELFDESTRUCT for its transfer of the balance."""
    caller: bytes
    to: bytes | None
    """The account called or created; None if a creation failed before it had an address."""
    value: int | None
    """Wei; None where the kind sends none."""
    gas: int
    """Gas that it had."""
    data: bytes
    """Input, or initcode."""
    gas_used: int = 0
    output: bytes = b""
    """Output, or the deployed code."""
    error: str | None = None
    revert_reason: str | None = None
    """The text of ``Error(string)``, if the output is that."""
    calls: list["CallTrace"] = field(default_factory=list)
    logs: tuple[Log, ...] = ()
    """Events of this call itself; none if it, or a caller of it, was undone."""


class CallTracer(Tracer):
    """Records the calls. ``root`` is the transaction's own; its gas is without the intrinsic."""

    def __init__(self) -> None:
        self.root: CallTrace | None = None
        self.truncated = False
        """There were more than ``CALLS_MAX``, or more data than ``BYTES_MAX``."""
        self._open: list[CallTrace] = []
        """The calls under way."""
        self._count = 0
        self._bytes = 0
        self._logs = False
        """The last instruction was a LOG."""
        self._heir: tuple[bytes, int] | None = None
        """Beneficiary and balance, if the last instruction was SELFDESTRUCT."""

    def enter(self, kind: str, frame: Frame, to: bytes | None) -> None:
        """See ``Tracer``."""
        creates = to is None
        sends_value = kind not in ("STATICCALL", "DELEGATECALL")
        caller = frame.address if kind in ("DELEGATECALL", "CALLCODE") else frame.caller
        call = CallTrace(
            kind=kind,
            caller=caller,
            to=frame.address if creates else to,
            value=frame.value if sends_value else None,
            gas=frame.gas,
            data=frame.code if creates else self._kept(frame.data),
        )
        self._add(call)
        self._open.append(call)

    def leave(self, frame: Frame, outcome: int) -> None:
        """See ``Tracer``."""
        call = self._open.pop()
        call.gas_used = call.gas - frame.gas
        call.output = self._kept(frame.output)
        if outcome == REVERTED:
            call.error = "execution reverted"
            call.revert_reason = revert_reason(frame.output)
        if outcome != SUCCESS:
            _forget_logs(call)
            self._heir = None
            return
        if self._heir is not None:
            heir, balance = self._heir
            self._heir = None
            call.calls.append(CallTrace("SELFDESTRUCT", frame.address, heir, balance, 0, b""))

    def failed(self, frame: Frame, error: Exception) -> None:
        """See ``Tracer``."""
        assert frame
        self._logs = False
        self._open[-1].error = error_text(error)

    def refused(self, kind: str, caller: Frame, to: bytes | None, value: int, gas: int, error: str) -> None:
        """See ``Tracer``."""
        self._add(CallTrace(kind, caller.address, to, value, gas, b"", error=error))

    def step(self, frame: Frame, pc: int) -> None:
        """See ``Tracer``."""
        if self._logs:
            self._open[-1].logs += (frame.state.logs[-1],)
        code = frame.program.padded[pc]
        self._logs = _LOG0 <= code <= _LOG4
        if code == _SELFDESTRUCT and frame.stack:
            self._heir = ((frame.stack[-1] & ADDRESS).to_bytes(20), frame.state.balances[frame.address])

    def _kept(self, data: bytes | memoryview) -> bytes:
        """A copy of ``data``, while there is room."""
        self._bytes += len(data)
        if self._bytes > BYTES_MAX:
            self.truncated = True
            return b""
        return bytes(data)

    def _add(self, call: CallTrace) -> None:
        self._count += 1
        if self.root is None:
            self.root = call
        elif self._count <= CALLS_MAX:
            self._open[-1].calls.append(call)
        else:
            self.truncated = True


def error_text(error: Exception) -> str:
    """What a frame's failure is called."""
    return error.text if isinstance(error, HaltError) else str(error)


def revert_reason(output: bytes) -> str | None:
    """The text in ``Error(string)``, or None where the output is something else."""
    start = 4 + int.from_bytes(output[4:36])
    if output[:4] != _ERROR_STRING or start + 32 > len(output):
        return None
    size = int.from_bytes(output[start : start + 32])
    text = output[start + 32 : start + 32 + size]
    return text.decode(errors="replace") if len(text) == size else None


def _forget_logs(call: CallTrace) -> None:
    """What a call that is undone emitted, itself and below, never was."""
    call.logs = ()
    for inner in call.calls:
        _forget_logs(inner)
