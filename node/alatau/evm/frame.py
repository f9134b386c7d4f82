"""What the machine holds while it runs: per transaction a ``Machine``, per call a ``Frame``."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeAlias

from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.precompiles import Precompile, precompiles
from alatau.evm.program import Program, ProgramCache, Region
from alatau.state.block_state import BlockState

SUCCESS: Final = -1
"""The frame ended with STOP, RETURN or SELFDESTRUCT."""
REVERTED: Final = -2
"""The frame ended with REVERT: its changes are undone, its remaining gas goes back."""
FAILED: Final = -3
"""The frame ended exceptionally: its changes are undone, its gas is spent."""


class Tracer:
    """Watches an execution: override what is of interest.

    With a tracer every instruction is interpreted; the results are the same. A tracer only looks; it may read the
    state, which then keeps what was read.
    """

    def enter(self, kind: str, frame: "Frame", to: bytes | None) -> None:
        """A frame begins. ``kind`` is the instruction that made it, ``to`` the account called, None in a creation."""

    def leave(self, frame: "Frame", outcome: int) -> None:
        """The frame ended; its ``output`` and ``gas`` are final."""

    def refused(self, kind: str, caller: "Frame", to: bytes | None, value: int, gas: int, error: str) -> None:
        """No frame was made: the calls nest too deep, or the caller lacks the ether."""

    def step(self, frame: "Frame", pc: int) -> None:
        """The instruction at ``pc`` is about to run."""

    def halt(self, frame: "Frame", pc: int, error: Exception) -> None:
        """The instruction at ``pc`` failed."""

    def failed(self, frame: "Frame", error: Exception) -> None:
        """The frame ended exceptionally; ``leave`` follows."""


Handler: TypeAlias = Callable[["Frame", list[int], int], int]
"""One instruction, of frame, stack and program counter; ``alatau.evm.interpreter`` says what it gives."""


class Runtime(Protocol):
    """What calls need of the fork's runtime (``alatau.evm.runtime``), which is made of all that stands above them."""

    @property
    def handlers(self) -> list[Handler]:
        """The instructions by byte."""

    @property
    def programs(self) -> ProgramCache:
        """The codes made ready."""

    @property
    def entries_min(self) -> int:
        """Code that runs less often than this is not translated."""

    @property
    def credit_min(self) -> int:
        """Gas that a program must have burnt before anything of it is translated."""

    def translate(self, program: Program, pc: int) -> Region | None:
        """Translate the region at ``pc``, or None where the program has used up its share."""


class Machine:
    """One transaction's execution: what all of its frames share."""

    __slots__ = ("blob_hashes", "block", "gas_price", "origin", "precompiles", "runtime", "state", "tracer")

    def __init__(
        self,
        state: BlockState,
        block: BlockEnvironment,
        transaction: TransactionEnvironment,
        runtime: Runtime,
        tracer: Tracer | None = None,
    ) -> None:
        self.state: Final = state
        self.block: Final = block
        self.origin: Final = transaction.origin
        self.gas_price: Final = transaction.gas_price
        self.blob_hashes: Final = transaction.blob_hashes
        self.precompiles: Final[Mapping[int, Precompile]] = precompiles(block.fork)
        self.runtime: Final = runtime
        self.tracer: Final = tracer


class Frame:
    """One call's machine state (Yellow Paper, section 9.1: gas, memory, stack) and environment."""

    __slots__ = (
        "address",
        "caller",
        "code",
        "data",
        "depth",
        "gas",
        "gas_of_calls",
        "machine",
        "memory",
        "output",
        "program",
        "returned",
        "slots",
        "stack",
        "state",
        "static",
        "value",
        "warm",
    )

    def __init__(
        self,
        machine: Machine,
        caller: bytes,
        address: bytes,
        value: int,
        data: bytes | memoryview,
        gas: int,
        depth: int,
        static: bool,
        program: Program,
    ) -> None:
        self.machine = machine
        self.state = state = machine.state
        self.caller = caller
        self.address = address
        """The executing account, whose storage and balance are used."""
        self.value = value
        self.data = data
        """A view of the caller's memory where it is large; see ``calls``."""
        self.gas = gas
        self.gas_of_calls = 0
        """Gas that the frame's own calls spent, so that the program is credited with its own work only."""
        self.depth = depth
        self.static = static
        self.program = program
        self.code = program.code
        self.stack: list[int] = []
        self.memory = bytearray()
        self.returned = b""
        """Output of the last call."""
        self.output = b""
        slots = state.slots.get(address)
        if slots is None:
            slots = state.slots[address] = {}
            state.loaded_slots[address] = {}
        self.slots = slots
        warm = state.warm_slots.get(address)
        if warm is None:
            warm = state.warm_slots[address] = {}
        self.warm = warm
