"""The three engines, each running a scenario's message again and again from the same state.

Every run opens a transaction, runs the message and undoes it, so that an engine pays for its journal or copies
as it would in a block. Signatures, fees and the trie are left out: this is the EVM alone.
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message as PyEvmMessage

from alatau.chain.transaction import warm_up
from alatau.evm.environment import TransactionEnvironment
from alatau.evm.message import Message, run_message
from alatau.state.block_state import BlockState, begin_transaction, rollback
from alatau_devnet.evm_bench.scenarios import Scenario
from alatau_devnet.fuzz.oracle_process import ensure_venv
from alatau_devnet.fuzz.peer import load

_ROUNDS = 5
"""The best round counts: the others were disturbed by something else on the machine."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One engine, one scenario."""

    microseconds: float
    """Per message, best round."""
    gas: int
    output: str
    """Hex."""


class Engine(Protocol):
    """Runs scenarios."""

    name: str

    def measure(self, scenario: Scenario) -> Measurement:
        """Run a scenario; its message must succeed."""


def best_of(run: Callable[[], object], repeats: int) -> float:
    """Microseconds of processor time per run: the best of a few rounds with ``repeats`` runs in all."""
    count = max(1, repeats // _ROUNDS)
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.thread_time()
        for _ in range(count):
            run()
        best = min(best, time.thread_time() - start)
    return best / count * 1e6


class Alatau:
    """The node's EVM, warm: a contract's first few thousand gas are interpreted, then it is translated."""

    name = "alatau"

    def measure(self, scenario: Scenario) -> Measurement:
        """See ``Engine``."""
        parent, _ = load(scenario.pre)
        state = BlockState(parent)
        account = state.account(scenario.to)
        assert account is not None
        message = Message(
            scenario.sender, scenario.to, state.code(account.code_hash), False, 0, scenario.data, scenario.gas
        )
        transaction = TransactionEnvironment(scenario.sender, 0)

        def once() -> Measurement:
            begin_transaction(state)
            warm_up(scenario.environment, state, scenario.sender, scenario.to, ())
            outcome = run_message(state, scenario.environment, transaction, message)
            rollback(state, 0, 0, 0)
            assert outcome.succeeded, scenario.name
            return Measurement(0.0, scenario.gas - outcome.gas_left, outcome.output.hex())

        for _ in range(20):
            seen = once()
        return Measurement(best_of(once, scenario.repeats), seen.gas, seen.output)


class PyEvm:
    """py-evm, the former Python client's EVM, with Prague's rules: its last fork."""

    name = "py-evm"

    def measure(self, scenario: Scenario) -> Measurement:
        """See ``Engine``."""
        env = scenario.environment
        context = ExecutionContext(
            coinbase=env.beneficiary,
            timestamp=env.timestamp,
            block_number=env.number,
            difficulty=0,
            mix_hash=env.prev_randao,
            gas_limit=env.gas_limit,
            prev_hashes=(),
            chain_id=env.chain_id,
            base_fee_per_gas=env.base_fee_per_gas,
            excess_blob_gas=0,
        )
        state: Any = PragueState(AtomicDB(), context, BLANK_ROOT_HASH)
        _fill(state, scenario.pre)
        message = PyEvmMessage(
            gas=scenario.gas,
            to=scenario.to,
            sender=scenario.sender,
            value=0,
            data=scenario.data,
            code=state.get_code(scenario.to),
        )
        transaction = state.get_transaction_context_class()(gas_price=0, origin=scenario.sender)

        def once() -> Measurement:
            snapshot = state.snapshot()
            for address in (scenario.sender, scenario.to, env.beneficiary):
                state.mark_address_warm(address)
            computation = state.computation_class.apply_message(state, message, transaction)
            state.revert(snapshot)
            assert computation.is_success, scenario.name
            return Measurement(0.0, computation.get_gas_used(), computation.output.hex())

        seen = once()
        return Measurement(best_of(once, max(_ROUNDS, scenario.repeats // 20)), seen.gas, seen.output)


def _fill(state: Any, pre: dict[str, Any]) -> None:
    for key, account in pre.items():
        address = bytes.fromhex(key[2:])
        state.set_nonce(address, int(account["nonce"], 16))
        state.set_balance(address, int(account["balance"], 16))
        if account["code"] != "0x":
            state.set_code(address, bytes.fromhex(account["code"][2:]))
        for slot, value in account["storage"].items():
            state.set_storage(address, int(slot, 16), int(value, 16))
    state.lock_changes()


class Specification:
    """``ethereum-execution``, the executable specification, in its own venv."""

    name = "ethereum-execution"

    def measure(self, scenario: Scenario) -> Measurement:
        """See ``Engine``."""
        env = scenario.environment
        request = {
            "pre": scenario.pre,
            "env": {
                "chain_id": hex(env.chain_id),
                "gas_limit": hex(env.gas_limit),
                "block_hashes": [],
                "coinbase": "0x" + env.beneficiary.hex(),
                "number": hex(env.number),
                "base_fee": hex(env.base_fee_per_gas),
                "timestamp": hex(env.timestamp),
                "prev_randao": "0x" + env.prev_randao.hex(),
                "excess_blob_gas": "0x0",
            },
            "sender": scenario.sender.hex(),
            "to": scenario.to.hex(),
            "data": scenario.data.hex(),
            "gas": scenario.gas,
            "repeats": max(_ROUNDS, scenario.repeats // 50),
            "rounds": _ROUNDS,
        }
        program = Path(__file__).with_name("specification.py")
        answer = subprocess.run(
            [str(ensure_venv()), str(program)], input=json.dumps(request).encode(), capture_output=True, check=True
        )
        return Measurement(**json.loads(answer.stdout))


def measure_all(scenario: Scenario, engines: list[Engine]) -> dict[str, dict[str, Any]]:
    """Each engine's figures. All must use the same gas and return the same bytes, else nothing is compared."""
    measured = {engine.name: engine.measure(scenario) for engine in engines}
    assert len({(m.gas, m.output) for m in measured.values()}) == 1, f"{scenario.name}: engines disagree: {measured}"
    return {name: asdict(measurement) for name, measurement in measured.items()}
