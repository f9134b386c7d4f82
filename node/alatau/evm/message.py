"""The EVM's entry point: run one message to its end on a block's state."""

import sys
from dataclasses import dataclass
from typing import Final

from alatau.evm.calls import process, process_create
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.frame import REVERTED, SUCCESS, Frame, Machine, Runtime, Tracer
from alatau.evm.program import Program
from alatau.evm.runtime import runtime_of
from alatau.state.block_state import BlockState

RECURSION_LIMIT: Final = 10_000
"""Python frames for 1,024 nested calls, at most 6 each, and 3,800 for whoever called."""


@dataclass(frozen=True, slots=True)
class Message:
    """A call or a creation from outside of the EVM."""

    caller: bytes
    address: bytes
    """The account called or created."""
    code: bytes
    """What runs: the account's code, its delegate's, or initcode."""
    creates: bool
    value: int
    data: bytes
    """Empty for a creation."""
    gas: int
    static: bool = False
    precompile_allowed: bool = True
    """False where a delegation names a precompile: then no code runs (EIP-7702)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended. Logs and refund are in the state."""

    succeeded: bool
    reverted: bool
    """It ended with REVERT, so ``output`` is the reason that the contract gave."""
    gas_left: int
    output: bytes


def run_message(
    state: BlockState,
    block: BlockEnvironment,
    transaction: TransactionEnvironment,
    message: Message,
    tracer: Tracer | None = None,
    runtime: Runtime | None = None,
) -> Outcome:
    """Run ``message``. The caller's nonce and payment of gas are the transaction's business."""
    if sys.getrecursionlimit() < RECURSION_LIMIT:
        sys.setrecursionlimit(RECURSION_LIMIT)
    machine = Machine(state, block, transaction, runtime or runtime_of(block.fork), tracer)
    # Initcode is not kept: it runs once, and would push hot contracts out of the cache.
    program = Program(message.code) if message.creates else machine.runtime.programs.program(message.code)
    f = Frame(
        machine,
        message.caller,
        message.address,
        message.value,
        message.data,
        message.gas,
        0,
        message.static,
        program,
    )
    if tracer is not None:
        tracer.enter("CREATE" if message.creates else "CALL", f, None if message.creates else message.address)
    if message.creates:
        outcome = process_create(f)
    else:
        number = int.from_bytes(message.address)
        precompile = machine.precompiles.get(number) if message.precompile_allowed else None
        outcome = process(f, True, precompile)
    if tracer is not None:
        tracer.leave(f, outcome)
    return Outcome(outcome == SUCCESS, outcome == REVERTED, f.gas, f.output)
