"""One scenario on the executable specification; runs in the specification's venv, JSON in and out.

See ``devnet/alatau_devnet/fuzz/oracle.py``, whose reading of cases it shares, and ``Specification`` in ``engines.py``.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

import oracle
from ethereum.forks.prague import vm
from ethereum.forks.prague.state import TransientStorage, begin_transaction, get_account, rollback_transaction
from ethereum.forks.prague.vm.interpreter import process_message
from ethereum.forks.prague.vm.precompiled_contracts.mapping import PRE_COMPILED_CONTRACTS
from ethereum_types.bytes import Bytes, Bytes20
from ethereum_types.numeric import U256, Uint


def _message(environment: Any, request: dict[str, Any]) -> vm.Message:
    sender, to = Bytes20(bytes.fromhex(request["sender"])), Bytes20(bytes.fromhex(request["to"]))
    transaction = vm.TransactionEnvironment(
        origin=sender,
        gas_price=Uint(0),
        gas=Uint(request["gas"]),
        access_list_addresses=set(),
        access_list_storage_keys=set(),
        transient_storage=TransientStorage(),
        blob_versioned_hashes=(),
        authorizations=(),
        index_in_block=None,
        tx_hash=None,
    )
    return vm.Message(
        block_env=environment,
        tx_env=transaction,
        caller=sender,
        target=to,
        current_target=to,
        gas=Uint(request["gas"]),
        value=U256(0),
        data=Bytes(bytes.fromhex(request["data"])),
        code_address=to,
        code=get_account(environment.state, to).code,
        depth=Uint(0),
        should_transfer_value=True,
        is_static=False,
        accessed_addresses={sender, to, environment.coinbase, *PRE_COMPILED_CONTRACTS},
        accessed_storage_keys=set(),
        disable_precompiles=False,
        parent_evm=None,
    )


def _measure(request: dict[str, Any]) -> dict[str, Any]:
    spec = oracle.fork("prague")
    environment = oracle.environment(spec, request["env"], oracle.load_state(spec, request["pre"]))

    def once() -> tuple[int, str]:
        message = _message(environment, request)
        begin_transaction(environment.state, message.tx_env.transient_storage)
        evm = process_message(message)
        rollback_transaction(environment.state, message.tx_env.transient_storage)
        assert evm.error is None
        return request["gas"] - int(evm.gas_left), bytes(evm.output).hex()

    gas, output = once()
    count = max(1, request["repeats"] // request["rounds"])
    best = float("inf")
    for _ in range(request["rounds"]):
        start = time.thread_time()
        for _ in range(count):
            once()
        best = min(best, time.thread_time() - start)
    return {"microseconds": best / count * 1e6, "gas": gas, "output": output}


if __name__ == "__main__":
    json.dump(_measure(json.load(sys.stdin)), sys.stdout)
