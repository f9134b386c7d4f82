"""The worst that code can do to a validator's time per unit of gas.

Every opcode and precompile runs in a loop until its gas is gone, at inputs that make it slow for its price.
Each is measured twice: *hot*, after the node has seen enough of it to translate it, and *cold*, interpreted
throughout, as code is that runs seldom. Then come shapes that are slow for what they do around instructions.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from alatau.chain.transaction import warm_up
from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.frame import Runtime
from alatau.evm.handlers import handlers_of
from alatau.evm.message import Message, run_message
from alatau.evm.program import ProgramCache
from alatau.evm.runtime import ForkRuntime, new_runtime
from alatau.state.block_state import BlockState, balance_of, begin_transaction, rollback
from alatau.types.account import Account
from alatau.types.chain_config import Fork
from alatau.types.header import EMPTY_ROOT
from alatau_devnet.evm_bench.shapes import SHAPES, Shape
from alatau_devnet.evm_bench.worst_inputs import (
    PRECOMPILE_INPUTS,
    bodies,
    loop_of,
    precompile_loop,
    pushed_size,
    straight_of,
)
from alatau_devnet.fuzz.peer import MemoryState

FORK: Final = Fork.OSAKA
_CONTRACT: Final = b"\xc0" * 20
_SENDER: Final = b"\x5e" * 20
_DATA: Final = bytes(range(1, 65))
"""Words that a translator cannot know."""

_GAS: Final = 3_000_000
_CODE_SIZE_MAX: Final = 24_576


@dataclass(frozen=True, slots=True)
class Worst:
    """One row: milliseconds of processor time per million gas."""

    name: str
    hot_ms: float
    cold_ms: float | None
    """None where there is no such difference."""

    @property
    def worst_ms(self) -> float:
        """The slower of the two."""
        return max(self.hot_ms, self.cold_ms or 0.0)


def never_translating(fork: Fork) -> Runtime:
    """A runtime that interprets everything."""
    return ForkRuntime(fork, handlers_of(fork), ProgramCache(), entries_min=1 << 60)


def opcode_rows() -> Iterator[Worst]:
    """Each opcode in a loop."""
    for name, body in bodies():
        hot = _measure({_CONTRACT: loop_of(body)}, new_runtime, data=_DATA, warm_up_runs=4)
        straight = straight_of(body, _CODE_SIZE_MAX)
        yield Worst(name, hot, _measure({_CONTRACT: straight}, never_translating, data=_DATA))


def precompile_rows() -> Iterator[Worst]:
    """Each precompile in a loop of static calls."""
    for name, address, data in PRECOMPILE_INPUTS:
        copied = pushed_size(len(data)) + b"\x5f\x5f\x37"
        code = precompile_loop(copied, address, len(data))
        yield Worst(name, _measure({_CONTRACT: code}, new_runtime, data=data, warm_up_runs=2, gas=10_000_000), None)


def shape_rows() -> Iterator[Worst]:
    """Known attacks."""
    for shape in SHAPES:
        yield _shape_row(shape)


def _shape_row(shape: Shape) -> Worst:
    codes = {_CONTRACT: shape.code, **shape.others}
    hot = _measure(codes, new_runtime, data=shape.data, warm_up_runs=shape.warm_up_runs, gas=shape.gas)
    return Worst(shape.name, hot, None)


def environment() -> BlockEnvironment:
    """A block without fees."""
    return BlockEnvironment(
        fork=FORK,
        chain_id=7773,
        number=1_000,
        timestamp=1_750_000_000,
        beneficiary=bytes(20),
        gas_limit=10**9,
        base_fee_per_gas=0,
        prev_randao=b"\xff" * 32,
        block_hash=lambda _number: b"\xff" * 32,
    )


def _measure(
    codes: Mapping[bytes, bytes],
    make_runtime: Callable[[Fork], Runtime],
    data: bytes = b"",
    warm_up_runs: int = 0,
    gas: int = _GAS,
) -> float:
    """Milliseconds per million gas of running ``_CONTRACT`` until its gas is gone; the better of two runs."""
    accounts: dict[bytes, Account] = {_SENDER: Account(0, 10**24)}
    stored: dict[bytes, bytes] = {EMPTY_HASH: b""}
    for address, code in codes.items():
        stored[keccak256(code)] = code
        accounts[address] = Account(1, 10**18, EMPTY_ROOT, keccak256(code))
    parent = MemoryState(accounts, {}, stored)
    runtime = make_runtime(FORK)
    for _ in range(warm_up_runs):
        _run(parent, codes[_CONTRACT], runtime, data, gas)
    return min(_run(parent, codes[_CONTRACT], runtime, data, gas) for _ in range(2))


def _run(parent: Any, code: bytes, runtime: Runtime, data: bytes, gas: int) -> float:
    block = environment()
    state = BlockState(parent)
    begin_transaction(state)
    warm_up(block, state, _SENDER, _CONTRACT, ())
    balance_of(state, _CONTRACT)
    message = Message(_SENDER, _CONTRACT, code, False, 0, data, gas)
    start = time.thread_time()
    outcome = run_message(state, block, TransactionEnvironment(_SENDER, 0), message, None, runtime)
    elapsed = time.thread_time() - start
    rollback(state, 0, 0, 0)
    used = gas - outcome.gas_left
    assert used > gas // 3, f"the loop ended early: {used} of {gas} gas, {outcome}"
    return elapsed * 1e3 / (used / 1e6)
