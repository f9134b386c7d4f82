"""``make bench-rpc``: JSON-RPC of a network of four validators, and anvil's beside it; writes ``build/bench/rpc.json``.

Calls of a view and raw transactions over kept connections, new heads to 200 sockets, and finality while 50 clients
call. anvil (from npm, @foundry-rs/anvil) runs the same bytecode on the same machine; it decides nothing with anybody.
"""

import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from alatau_devnet import accounts
from alatau_devnet.e2e_tools import ToolError, compiled
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.watch import client_of, wait_until_deciding

_FOLDER: Final = Path("build/bench/rpc-network")
_RESULT: Final = Path("build/bench/rpc.json")
_SCRIPTS: Final = Path(__file__).parent / "tools"
_ANVIL: Final = "127.0.0.1:18545"
_ANVIL_KEY: Final = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""anvil's first account, published."""
_CONNECTIONS: Final = 16
_CALLERS: Final = 50
_SUBSCRIBERS: Final = 200
_SECONDS: Final = 5
_SENT: Final = 500
_PAYMENTS: Final = 12
_COMMAND_S: Final = 120.0


def load(*arguments: object, bodies: list[str] | None = None) -> dict[str, Any]:
    """What the load script measured."""
    command = ["node", "load.mjs", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=_SCRIPTS,
        input="\n".join(bodies or []),
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"load.mjs failed:\n{done.stderr[-2_000:]}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def request(method: str, *params: Any) -> str:
    """A body."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def measure(address: str, key: str) -> dict[str, Any]:
    """Deploy the example, then calls and raw transactions of one endpoint."""
    from eth_account import Account  # noqa: PLC0415  of the development lock
    from web3 import HTTPProvider, Web3  # noqa: PLC0415

    w3, own, contract = Web3(HTTPProvider(f"http://{address}")), Account.from_key(key), compiled()
    chain_id, nonce = w3.eth.chain_id, w3.eth.get_transaction_count(own.address)
    fee = w3.eth.gas_price * 2

    def signed(number: int, **fields: Any) -> str:
        terms = {"chainId": chain_id, "nonce": number, "gas": 400_000, "maxFeePerGas": fee, "maxPriorityFeePerGas": 0}
        raw: str = own.sign_transaction({**terms, "value": 0, **fields}).raw_transaction.to_0x_hex()
        return raw

    created = w3.eth.send_raw_transaction(signed(nonce, data="0x" + contract["bytecode"][2:] + f"{5:064x}"))
    made = w3.eth.wait_for_transaction_receipt(created, timeout=60, poll_latency=0.1)["contractAddress"]
    total = {"to": made, "data": Web3.keccak(text="total()")[:4].to_0x_hex()}
    calls = load("post", address, _CONNECTIONS, _SECONDS, bodies=[request("eth_call", total, "latest")])
    sent = [request("eth_sendRawTransaction", signed(nonce + 1 + n, to=own.address, gas=21_000)) for n in range(_SENT)]
    return {"eth_call": calls, "send_raw": load("post", address, 1, 0, bodies=sent)}


def finality_ms(network: Devnet) -> float:
    """Median of payments, from offering one to its receipt."""
    took = []
    with client_of(network.nodes[1]) as client:
        wallet = client.wallet(accounts.key_of(accounts.resident(1)))
        for _ in range(_PAYMENTS):
            began = time.monotonic()
            sent = client.submit(wallet.sign(to=accounts.address_of(accounts.resident(2)), value=0, gas_limit=21_000))
            client.wait_final(sent.hash)
            took.append((time.monotonic() - began) * 1_000)
    return round(statistics.median(took), 1)


@contextmanager
def anvil() -> Iterator[str]:
    """A running anvil, one block a second, installed beside the scripts' own packages."""
    folder = _FOLDER.parent / "anvil"
    folder.mkdir(parents=True, exist_ok=True)
    install = [
        "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder),
        "@foundry-rs/anvil@1.7.1",
    ]
    subprocess.run(install, check=True, timeout=_COMMAND_S)
    host, port = _ANVIL.split(":")
    program = str(folder / "node_modules/.bin/anvil")
    process = subprocess.Popen([program, "--silent", "--host", host, "--port", port, "--block-time", "1"])
    try:
        time.sleep(2)
        yield _ANVIL
    finally:
        process.terminate()
        process.wait(10)


def measure_network(network: Devnet) -> dict[str, Any]:
    """Everything of ours."""
    address = network.nodes[0].http
    idle = finality_ms(network)
    developer = "0x" + accounts.key_of(accounts.DEVELOPER).secret.hex()
    found = measure(address, developer)
    found["ws_heads_lag"] = load("heads", address, _SUBSCRIBERS, 5)
    body = request("eth_call", {"to": "0x" + "11" * 20, "data": "0x"}, "latest")
    command = ["node", "load.mjs", "post", address, str(_CALLERS), "20"]
    with subprocess.Popen(command, cwd=_SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as callers:
        assert callers.stdin is not None
        callers.stdin.write(body.encode())
        callers.stdin.close()
        time.sleep(1)
        found["finality_ms"] = {"idle": idle, f"with_{_CALLERS}_callers": finality_ms(network)}
        if callers.poll() is not None:
            raise ToolError("the callers had stopped before the payments were final")
        callers.terminate()
    return found


def main() -> None:
    """Measure, print, write."""
    console = Console(width=120)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=_SCRIPTS, check=True, timeout=_COMMAND_S)
    network = create_network(_FOLDER, DevnetOptions(validators=4, residents=2))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        ours = measure_network(network)
    finally:
        stop_nodes(network)
    remove_network(_FOLDER)
    with anvil() as address:
        theirs = measure(address, _ANVIL_KEY)
    share = {name: round(ours[name]["per_s"] / theirs[name]["per_s"], 3) for name in theirs}
    _RESULT.write_text(json.dumps({"alatau": ours, "anvil": theirs, "share_of_anvil": share}, indent=2) + "\n")
    console.print_json(_RESULT.read_text())


if __name__ == "__main__":
    main()
