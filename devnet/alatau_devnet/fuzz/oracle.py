"""The executable specification as a subprocess: one case per line of standard input, one answer per line out.

Runs in a venv of its own (``requirements/bench.in``), because the specification pins libraries that the node
does not; so it imports nothing of the node, and the node's side is in ``peer.py`` beside it. A case is a
block environment, the accounts before, and signed transactions in order::

    {"fork": "osaka", "env": {...}, "pre": {address: {nonce, balance, code, storage}}, "txs": [hex, ...]}

The answer says what each transaction did and the state root afterwards::

    {"txs": [{"rejected": reason} | {succeeded, gas_used, refund, output, logs}, ...], "root": hex, "state": {...}}

All integers are hexadecimal with 0x, all bytes hexadecimal with 0x.
"""

import importlib
import json
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

from ethereum.exceptions import EthereumException
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import U64, U256, Uint

_RECURSION_MAX = 20_000
"""The specification recurses about a dozen Python frames per call; calls nest 1,024 deep."""

_STACK_BYTES = 512 * 1024 * 1024
"""C stack for that recursion."""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _int(text: str) -> int:
    return int(text, 16)


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def fork(name: str) -> SimpleNamespace:
    """The modules of one fork of the specification."""
    base = f"ethereum.forks.{name}"
    names = ("fork", "state", "transactions", "vm", "fork_types")
    return SimpleNamespace(**{part: importlib.import_module(f"{base}.{part}") for part in names})


def load_state(spec: SimpleNamespace, pre: dict[str, Any]) -> Any:
    """The accounts of a case in the specification's state."""
    state = spec.state.State()
    for key, account in pre.items():
        address = Bytes20(_bytes(key))
        record = spec.fork_types.Account(
            nonce=Uint(_int(account["nonce"])),
            balance=U256(_int(account["balance"])),
            code=Bytes(_bytes(account["code"])),
        )
        spec.state.set_account(state, address, record)
        for slot, value in account["storage"].items():
            spec.state.set_storage(state, address, Bytes32(_int(slot).to_bytes(32, "big")), U256(_int(value)))
    return state


def _dump_state(state: Any) -> dict[str, Any]:
    dump = {}
    for address, account in state._main_trie._data.items():
        storage = state._storage_tries.get(address)
        slots = {hex(int.from_bytes(k, "big")): hex(v) for k, v in storage._data.items()} if storage else {}
        dump[_hex(address)] = {
            "nonce": hex(account.nonce),
            "balance": hex(account.balance),
            "code": _hex(account.code),
            "storage": slots,
        }
    return dump


def environment(spec: SimpleNamespace, env: dict[str, Any], state: Any) -> Any:
    """The block environment of a case."""
    return spec.vm.BlockEnvironment(
        chain_id=U64(_int(env["chain_id"])),
        state=state,
        block_gas_limit=Uint(_int(env["gas_limit"])),
        block_hashes=[Bytes32(_bytes(h)) for h in env["block_hashes"]],
        coinbase=Bytes20(_bytes(env["coinbase"])),
        number=Uint(_int(env["number"])),
        base_fee_per_gas=Uint(_int(env["base_fee"])),
        time=U256(_int(env["timestamp"])),
        prev_randao=Bytes32(_bytes(env["prev_randao"])),
        excess_blob_gas=U64(_int(env["excess_blob_gas"])),
        parent_beacon_block_root=Bytes32(bytes(32)),
    )


def _decode(transactions: ModuleType, data: bytes) -> Any:
    if data[0] >= 0xC0:
        return rlp.decode_to(transactions.LegacyTransaction, data)
    return transactions.decode_transaction(Bytes(data))


def _run_transaction(spec: SimpleNamespace, block: Any, output: Any, data: bytes, index: int) -> dict[str, Any]:
    seen = []
    original = spec.fork.process_message_call

    def observed(message: Any) -> Any:
        seen.append(original(message))
        return seen[-1]

    spec.fork.process_message_call = observed
    gas_before, logs_before = output.block_gas_used, len(output.block_logs)
    try:
        spec.fork.process_transaction(block, output, _decode(spec.transactions, data), Uint(index))
    except EthereumException as error:
        return {"rejected": type(error).__name__}
    finally:
        spec.fork.process_message_call = original
    (call,) = seen
    logs = [
        {"address": _hex(log.address), "topics": [_hex(t) for t in log.topics], "data": _hex(log.data)}
        for log in output.block_logs[logs_before:]
    ]
    return {
        "succeeded": call.error is None,
        "error": None if call.error is None else type(call.error).__name__,
        "gas_used": hex(output.block_gas_used - gas_before),
        "refund": hex(int(call.refund_counter)) if call.error is None else "0x0",
        "output": _hex(call.return_data) if hasattr(call, "return_data") else None,
        "logs": logs,
    }


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    spec = fork(case["fork"])
    state = load_state(spec, case["pre"])
    block = environment(spec, case["env"], state)
    output = spec.vm.BlockOutput()
    results = [_run_transaction(spec, block, output, _bytes(data), index) for index, data in enumerate(case["txs"])]
    return {"txs": results, "root": _hex(spec.state.state_root(state)), "state": _dump_state(state)}


def serve() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.setrecursionlimit(_RECURSION_MAX)
    threading.stack_size(_STACK_BYTES)
    worker = threading.Thread(target=serve)
    worker.start()
    worker.join()
