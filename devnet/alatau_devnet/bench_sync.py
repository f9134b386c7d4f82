"""``make bench-sync``: how fast a node that was away catches up, on a network of real processes.

One validator of four is stopped, the others decide payments at full speed, then the load ends and the node starts
again. It fetches the blocks from its peers, checks every signature and executes every transaction. Measured is the
time between the first and the last height that it reports; what starting a process takes does not count.
"""

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import trio
from rich.console import Console

from alatau.build_form import FORM
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, DevnetNode, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.payments import open_load
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.process_usage import usage_of
from alatau_devnet.processes import running_pid, stop_processes
from alatau_devnet.watch import client_of, height_of, wait_until_deciding

_FOLDER: Final = Path("build/bench/sync-network")
_RESULT: Final = Path("build/bench/sync.json")
_POLL_S: Final = 0.05
_START_S: Final = 60.0
_CATCH_UP_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Result:
    """What catching up took. Times of this machine, on which the peers run too."""

    payments: int
    """In the blocks that the node executed between the two readings."""
    blocks: int
    seconds: float
    payments_per_s: float
    cpu_ms_per_payment: float
    """Processor time of the node; of two cores it may use more than the elapsed time."""
    cores: int
    build: str
    """``compiled`` or ``pure``, the form that the nodes ran in."""


def measure(network: Devnet, arguments: argparse.Namespace, console: Console) -> Result:
    """Run the phases on a running network."""
    *others, away = network.nodes
    stop_processes([away.home])
    missed_from = height_of(others[0])
    console.print(f"one node is away; about {arguments.payments:,} payments are decided ...")
    trio.run(_pay, replace(network, nodes=tuple(others)), arguments)
    target = height_of(others[0])
    console.print(f"it starts again, {target - missed_from} blocks behind ...")
    start_nodes(network, (away,))
    pid = running_pid(away.home)
    assert pid is not None, "start_nodes waits until the node holds its home"
    first, began, before = _first_height(away)
    if first >= target:
        raise DevnetError("the node had caught up before its first answer: let it miss more (--payments)")
    height = said = first
    with client_of(away) as client:  # One connection: a handshake for each look would take the node's time.
        while height < target:
            if time.monotonic() > began + _CATCH_UP_S:
                raise DevnetError(f"the node is at height {height} of {target} after {_CATCH_UP_S:.0f} s")
            time.sleep(_POLL_S)
            height = client.status().height
            if height >= said + (target - first) // 10:
                said = height
                console.print(f"  height {height:,} of {target:,}, {time.monotonic() - began:.1f} s")
    seconds, cpu_s = time.monotonic() - began, usage_of(pid).cpu_s - before
    payments = _payments(others[0], first + 1, height)
    return Result(
        payments=payments,
        blocks=height - first,
        seconds=round(seconds, 2),
        payments_per_s=round(payments / seconds, 1),
        cpu_ms_per_payment=round(cpu_s * 1_000 / payments, 3),
        cores=os.cpu_count() or 1,
        build=FORM.build,
    )


async def _pay(network: Devnet, arguments: argparse.Namespace) -> None:
    async with open_load(network, arguments.senders) as load:
        load.sign(2 * arguments.payments + arguments.in_flight)
        while load.times.final < arguments.payments:
            await load.at_full_speed(math.ceil(arguments.payments / 5_000), arguments.in_flight)


def _first_height(node: DevnetNode) -> tuple[int, float, float]:
    """The node's height when it first answers, the time then and the processor time that it has used."""
    deadline = time.monotonic() + _START_S
    while (height := height_of(node)) < 0:
        if time.monotonic() > deadline:
            raise DevnetError(f"{node.name} does not answer after {_START_S:.0f} s")
        time.sleep(_POLL_S)
    pid = running_pid(node.home)
    assert pid is not None, "it has just answered"
    return height, time.monotonic(), usage_of(pid).cpu_s


def _payments(node: DevnetNode, first: int, last: int) -> int:
    """How many transactions the blocks of these heights have."""
    with client_of(node) as client:
        return sum(len(client.block(height).transaction_hashes) for height in range(first, last + 1))


def main() -> None:
    """Start a network, measure, print and write ``build/bench/sync.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=40_000, help="decided while the node is away, at least")
    parser.add_argument("--senders", type=int, default=256)
    parser.add_argument("--in-flight", type=int, default=1_500)
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    arguments = parser.parse_args()
    console = Console()
    network = create_network(_FOLDER, DevnetOptions(residents=arguments.senders))
    try:
        start_nodes(network)
        console.print("waiting for the first block ...")
        wait_until_deciding(network)
        result = measure(network, arguments, console)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(_FOLDER)
    for name, value in asdict(result).items():
        console.print(f"{name:20} {value:>10}")
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(asdict(result), indent=2) + "\n")
    console.print(f"written to {_RESULT}")


if __name__ == "__main__":
    main()
