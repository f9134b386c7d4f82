"""``make e2e-tools``: Ethereum's tools, unmodified, against a real network over JSON-RPC and WebSocket.

web3.py and titanoboa run here, ethers and viem in Node.js from a locked package of their own. Each deploys a contract,
calls it, reads its events and its errors, and subscribes where it can. What is absent is skipped, with a line.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import vyper
from rich.console import Console

from alatau_devnet import accounts
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.watch import wait_until_deciding

_FOLDER: Final = Path("build/bench/tools-network")
_SCRIPTS: Final = Path(__file__).parent / "tools"
_SOURCE: Final = Path("docs/examples/Counter.vy")
_COMMAND_S: Final = 600.0
_TOO_MUCH: Final = 2**256 - 1
_FOUND: Final = "0x" + "77" * 32


class ToolError(DevnetError):
    """A tool did not do what its users expect. The message has what it said."""


def compiled() -> dict[str, Any]:
    """ABI and bytecode of the example contract."""
    made = vyper.compile_code(_SOURCE.read_text(), output_formats=["abi", "bytecode"])
    return {"abi": made["abi"], "bytecode": made["bytecode"]}


def with_web3(network: Devnet) -> str:
    """Deploy, call, events, errors, filters, traces."""
    import web3  # noqa: PLC0415  what is absent is skipped
    from eth_account import Account  # noqa: PLC0415
    from web3.exceptions import ContractLogicError, TransactionNotFound  # noqa: PLC0415

    w3 = web3.Web3(web3.Web3.HTTPProvider(f"http://{network.nodes[0].http}"))
    own = Account.from_key(accounts.key_of(accounts.DEVELOPER).secret)
    contract = compiled()

    def sent(call: Any) -> Any:
        nonce = w3.eth.get_transaction_count(own.address, "pending")
        tx = call.build_transaction({"from": own.address, "nonce": nonce})
        hash_ = w3.eth.send_raw_transaction(own.sign_transaction(tx).raw_transaction)
        return w3.eth.wait_for_transaction_receipt(hash_, timeout=60, poll_latency=0.1)

    receipt = sent(w3.eth.contract(abi=contract["abi"], bytecode=contract["bytecode"]).constructor(5))
    counter = w3.eth.contract(address=receipt["contractAddress"], abi=contract["abi"])
    following = w3.eth.filter({"address": counter.address})
    added = sent(counter.functions.add(37))
    _expect(counter.functions.total().call() == 42, "a call does not see what was sent")
    _expect(counter.events.Added().process_receipt(added)[0]["args"]["amount"] == 37, "the event is another")
    _expect(len(following.get_new_entries()) == 1, "a filter did not tell the event")
    _expect(len(w3.eth.get_logs({"address": counter.address, "fromBlock": 0})) == 1, "a range has other logs")
    _expect(_raises(ContractLogicError, lambda: counter.functions.add(_TOO_MUCH).call()), "a revert is no error")
    _expect(_raises(TransactionNotFound, lambda: w3.eth.get_transaction(_FOUND)), "an unknown transaction is no error")
    asked = [added["transactionHash"].to_0x_hex(), {"tracer": "callTracer"}]
    trace: Any = w3.provider.make_request(web3.types.RPCEndpoint("debug_traceTransaction"), asked)
    _expect(trace["result"]["to"] == counter.address.lower(), "the trace is of another call")
    return f"web3.py {web3.__version__}"


def with_boa(network: Devnet) -> str:
    """Deploy by NetworkEnv, call, and see a revert."""
    import boa  # type: ignore[import-untyped]  # noqa: PLC0415
    from boa import BoaError  # noqa: PLC0415
    from eth_account import Account  # noqa: PLC0415

    with boa.set_network_env(f"http://{network.nodes[0].http}"):
        boa.env.add_account(Account.from_key(accounts.key_of(accounts.DEVELOPER).secret))
        counter = boa.load(str(_SOURCE), 5)
        _expect(counter.add(37) == 42, "the call returned something else")
        _expect(counter.total() == 42, "a view does not see what was sent")
        _expect(_raises(BoaError, lambda: counter.add(_TOO_MUCH)), "a revert is no error")
    return f"titanoboa {version('titanoboa')}"


def with_node(network: Devnet) -> str:
    """What the scripts say of ethers and viem."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise ModuleNotFoundError("this machine has no node with npm")
    contract = _FOLDER / "counter.json"
    contract.write_text(json.dumps({"abi": compiled()["abi"], "bytecode": compiled()["bytecode"]}))
    _run(["npm", "ci", "--no-audit", "--no-fund", "--silent"])
    http = network.nodes[0].http
    key = "0x" + accounts.key_of(accounts.DEVELOPER).secret.hex()
    return _run(["node", "tools.mjs", f"http://{http}", f"ws://{http}", key, str(contract.resolve())]).strip()


TOOLS: Final[tuple[Callable[[Devnet], str], ...]] = (with_web3, with_boa, with_node)


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command, cwd=_SCRIPTS, env=os.environ, capture_output=True, text=True, timeout=_COMMAND_S, check=False
    )
    if done.returncode:
        raise ToolError(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-2_000:]}\n{done.stderr[-4_000:]}")
    return done.stdout


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ToolError(otherwise)


def _raises(kind: type[BaseException], work: Callable[[], object]) -> bool:
    try:
        work()
    except kind:
        return True
    return False


def main() -> None:
    """Start a network, let every tool at it, say what each did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validators", type=int, default=4)
    arguments = parser.parse_args()
    console = Console(width=120)
    network = create_network(_FOLDER, DevnetOptions(validators=arguments.validators, residents=2))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        for tool in TOOLS:
            began = time.monotonic()
            try:
                said = tool(network)
            except ModuleNotFoundError as error:
                console.print(f"{tool.__name__}: skipped, {error}")
                continue
            console.print(f"{said}: works ({time.monotonic() - began:.1f} s)", highlight=False)
    finally:
        stop_nodes(network)
    remove_network(_FOLDER)


if __name__ == "__main__":
    main()
