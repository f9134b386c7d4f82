"""What it costs to make code ready: time, and memory of the cache."""

import resource
import time
from dataclasses import dataclass
from typing import Any

from alatau.chain.transaction import warm_up
from alatau.evm.environment import TransactionEnvironment
from alatau.evm.frame import Runtime
from alatau.evm.message import Message, run_message
from alatau.evm.runtime import new_runtime, translating_runtime
from alatau.state.block_state import BlockState, begin_transaction, rollback
from alatau.types.chain_config import Fork
from alatau_devnet.evm_bench.scenarios import Scenario
from alatau_devnet.fuzz.peer import load

_COPIES = 60
"""Contracts that differ in a byte that never runs; enough to see their memory in the process's."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One scenario's code, from the first time that it is seen."""

    name: str
    code_bytes: int
    """Of the contract that is called; those that it calls come on top."""
    interpreted_us: float
    """One message, interpreted."""
    translated_us: float
    """One message, translated."""
    runs_until_translated: int
    """Messages until nothing more gets translated."""
    translation_ms: float
    """Translating everything that the message runs."""
    instructions: int
    """Translated."""
    cache_bytes: int
    """What the cache counts for it."""


def measure_translation(scenario: Scenario) -> Translation:
    """Follow a scenario's code from cold to hot."""
    parent, _ = load(scenario.pre)
    interpreted = _seconds(parent, scenario, new_runtime(Fork.OSAKA))
    runtime = new_runtime(Fork.OSAKA)
    runs, last = 0, 0
    for run in range(1, 400):
        _seconds(parent, scenario, runtime)
        if (now := _translated(runtime)) != last:
            runs, last = run, now
    hot = min(_seconds(parent, scenario, runtime) for _ in range(10))
    whole = translating_runtime(Fork.OSAKA)
    first = _seconds(parent, scenario, whole)
    again = min(_seconds(parent, scenario, whole) for _ in range(5))
    code: str = scenario.pre["0x" + scenario.to.hex()]["code"]
    return Translation(
        name=scenario.name,
        code_bytes=len(code) // 2 - 1,
        interpreted_us=interpreted * 1e6,
        translated_us=hot * 1e6,
        runs_until_translated=runs,
        translation_ms=(first - again) * 1e3,
        instructions=_translated(whole),
        cache_bytes=whole.programs.size_bytes,
    )


def memory_per_contract(scenario: Scenario) -> dict[str, float]:
    """Bytes that the process and the cache's own count grow by for each further translated contract."""
    runtime = translating_runtime(Fork.OSAKA)
    key = "0x" + scenario.to.hex()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(_COPIES):
        account = {**scenario.pre[key], "code": scenario.pre[key]["code"] + f"fe{number:08x}"}
        parent, _ = load({**scenario.pre, key: account})
        _seconds(parent, scenario, runtime)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"process": grown * 1024 / _COPIES, "counted": runtime.programs.size_bytes / _COPIES}


def _translated(runtime: Runtime) -> int:
    programs = runtime.programs
    return sum(program.translated for program in (*programs._young.values(), *programs._old.values()))  # noqa: SLF001


def _seconds(parent: Any, scenario: Scenario, runtime: Runtime) -> float:
    state = BlockState(parent)
    account = state.account(scenario.to)
    assert account is not None
    code = state.code(account.code_hash)
    begin_transaction(state)
    warm_up(scenario.environment, state, scenario.sender, scenario.to, ())
    message = Message(scenario.sender, scenario.to, code, False, 0, scenario.data, scenario.gas)
    transaction = TransactionEnvironment(scenario.sender, 0)
    start = time.thread_time()
    outcome = run_message(state, scenario.environment, transaction, message, None, runtime)
    elapsed = time.thread_time() - start
    assert outcome.succeeded
    rollback(state, 0, 0, 0)
    return elapsed
