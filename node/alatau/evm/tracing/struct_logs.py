"""Every instruction that a transaction ran, with the machine state before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alatau.evm.frame import Frame, Tracer
from alatau.evm.opcode import Opcode
from alatau.evm.opcodes import opcodes
from alatau.evm.tracing.call_tracer import error_text
from alatau.state.block_state import load_slot

STEPS_MAX: Final = 1_000_000
"""Steps that are recorded; more would take gigabytes."""

_SLOAD: Final = 0x54
_SSTORE: Final = 0x55


@dataclass(slots=True)
class StructLog:
    """One instruction."""

    pc: int
    op: str
    """Its name; of a byte that is no instruction its value."""
    gas: int
    """Gas left before it."""
    depth: int
    """1 for the transaction's own frame."""
    gas_cost: int = 0
    """What it took, with what a call passes on; 0 if it failed."""
    refund: int = 0
    """The refund counter before it."""
    stack: tuple[int, ...] | None = None
    """The last is the top."""
    memory: bytes | None = None
    storage: dict[int, int] | None = None
    """At SLOAD and SSTORE: the account's slots that were read and written so far, with this one."""
    return_data: bytes | None = None
    """What the last call returned."""
    error: str | None = None


class StructLogTracer(Tracer):
    """Records the steps in ``logs``, up to ``limit`` of them."""

    def __init__(
        self,
        *,
        stack: bool = True,
        memory: bool = False,
        storage: bool = True,
        return_data: bool = False,
        limit: int = STEPS_MAX,
    ) -> None:
        self.logs: list[StructLog] = []
        self.truncated = False
        """There were more steps than the limit."""
        self._stack: Final = stack
        self._memory: Final = memory
        self._storage: Final = storage
        self._return_data: Final = return_data
        self._limit: Final = limit
        self._frames: list[tuple[Frame, StructLog | None]] = []
        """The frames under way, each with the step whose cost is not known yet."""
        self._slots: dict[bytes, dict[int, int]] = {}
        self._table: Mapping[int, Opcode] = {}

    def enter(self, kind: str, frame: Frame, to: bytes | None) -> None:
        """See ``Tracer``."""
        assert kind
        assert to is None or len(to) == 20
        if self._frames:
            # The caller has already paid for the call and given away what it passes on.
            self._close()
        self._table = opcodes(frame.machine.block.fork)
        self._frames.append((frame, None))

    def leave(self, frame: Frame, outcome: int) -> None:
        """See ``Tracer``."""
        assert frame is self._frames[-1][0]
        assert outcome < 0
        self._close()
        self._frames.pop()

    def step(self, frame: Frame, pc: int) -> None:
        """See ``Tracer``."""
        self._close()
        if len(self.logs) >= self._limit:
            self.truncated = True
            return
        code = frame.program.padded[pc]
        op = self._table.get(code)
        log = StructLog(
            pc=pc,
            op=f"opcode {code:#04x} not defined" if op is None else op.name,
            gas=frame.gas,
            depth=frame.depth + 1,
            refund=frame.state.refund,
            stack=tuple(frame.stack) if self._stack else None,
            memory=bytes(frame.memory) if self._memory else None,
            storage=self._storage_at(frame, code) if self._storage else None,
            return_data=frame.returned if self._return_data else None,
        )
        self.logs.append(log)
        self._frames[-1] = (frame, log)

    def halt(self, frame: Frame, pc: int, error: Exception) -> None:
        """See ``Tracer``."""
        log = self._frames[-1][1]
        if log is not None:
            assert log.pc == pc
            log.error = error_text(error)
            self._frames[-1] = (frame, None)

    def _close(self) -> None:
        """The open step of the innermost frame is done: what it took is now known."""
        frame, log = self._frames[-1]
        if log is not None:
            log.gas_cost = log.gas - frame.gas
            self._frames[-1] = (frame, None)

    def _storage_at(self, frame: Frame, code: int) -> dict[int, int] | None:
        """The slots that this instruction's account used, if it uses one now."""
        stack = frame.stack
        if code == _SLOAD and stack:
            slot = stack[-1]
            value = frame.slots[slot] if slot in frame.slots else load_slot(frame.state, frame.address, slot)
        elif code == _SSTORE and len(stack) > 1:
            slot, value = stack[-1], stack[-2]
        else:
            return None
        slots = self._slots.setdefault(frame.address, {})
        slots[slot] = value
        return slots.copy()
