"""``make bench``: what a payment costs and how fast it is final, on a network of real processes.

Payments are transfers of the Vyper settlement token, submitted through gRPC to every node. Three phases: idle,
a steady rate (latency), full speed (throughput and cost). The load generator runs on the same machine and
its own CPU time is shown beside the nodes', since it takes its share of the cores.
"""

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import trio
from rich.console import Console
from rich.table import Table

from alatau.build_form import FORM
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.payments import PaymentLoad, open_load
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.process_usage import Usage, usage_of
from alatau_devnet.processes import running_pid
from alatau_devnet.watch import wait_until_deciding

_FOLDER: Final = Path("build/bench/network")
_RESULT: Final = Path("build/bench/payments.json")
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """What the benchmark measured. Times of this machine: compare them only with others of the same run."""

    validators: int
    payments: int
    """Final payments in all phases."""
    throughput_per_s: float
    """Final payments a second at full speed."""
    latency_p50_ms: float
    """From submission to finality at the steady rate."""
    latency_p95_ms: float
    steady_rate_per_s: float
    cpu_ms_per_payment: float
    """CPU time of all nodes together for one payment at full speed."""
    cpu_ms_per_payment_node: float
    """The same of one node."""
    load_cpu_ms_per_payment: float
    """CPU time of the load generator for one payment at full speed."""
    idle_core_percent_max: float
    """Share of one core that the busiest node takes while nothing happens."""
    rss_mb_max: float
    """Largest memory of a node in the whole run, MiB."""
    cores: int
    build: str
    """``compiled`` or ``pure``, the form that the nodes ran in."""


async def measure(network: Devnet, arguments: argparse.Namespace, console: Console) -> Result:
    """Run the phases on a running network."""
    pids = [pid for node in network.nodes if (pid := running_pid(node.home)) is not None]
    async with open_load(network, arguments.senders) as load:
        await _warm_up(load)
        console.print(f"idle for {arguments.idle_s:.0f} s ...")
        before, started = _usages(pids), time.monotonic()
        await trio.sleep(arguments.idle_s)
        idle_s = time.monotonic() - started
        idle = max(b.cpu_s - a.cpu_s for a, b in zip(before, _usages(pids), strict=True)) / idle_s

        console.print(f"{arguments.rate:.0f} payments a second for {arguments.steady_s:.0f} s ...")
        load.restart_clock()
        load.sign(math.ceil(arguments.rate * arguments.steady_s) + 1)
        await load.at_rate(arguments.rate, arguments.steady_s)
        steady = load.times

        console.print(f"full speed for {arguments.full_s:.0f} s ...")
        load.restart_clock()
        load.sign(math.ceil(arguments.expect_per_s * (arguments.full_s + 8)) + arguments.in_flight)
        before, own = _usages(pids), time.process_time()
        throughput = await load.at_full_speed(arguments.full_s, arguments.in_flight)
        after, own = _usages(pids), time.process_time() - own
        full = load.times
    cpu_s = sum(b.cpu_s - a.cpu_s for a, b in zip(before, after, strict=True))
    return Result(
        validators=len(network.nodes),
        payments=steady.final + full.final,
        throughput_per_s=round(throughput, 1),
        latency_p50_ms=round(steady.quantile_ms(50), 1),
        latency_p95_ms=round(steady.quantile_ms(95), 1),
        steady_rate_per_s=arguments.rate,
        cpu_ms_per_payment=round(cpu_s * 1_000 / full.final, 3),
        cpu_ms_per_payment_node=round(cpu_s * 1_000 / full.final / len(pids), 3),
        load_cpu_ms_per_payment=round(own * 1_000 / full.final, 3),
        idle_core_percent_max=round(idle * 100, 2),
        rss_mb_max=round(max(usage.rss_bytes for usage in after) / _MIB, 1),
        cores=os.cpu_count() or 1,
        build=FORM.build,
    )


async def _warm_up(load: PaymentLoad) -> None:
    """Let the contract be translated and the caches fill, as on a node that has been up for a while."""
    load.sign(500)
    await load.at_rate(100, 4)


def _usages(pids: list[int]) -> list[Usage]:
    return [usage_of(pid) for pid in pids]


def _table(result: Result) -> Table:
    table = Table(title=f"Token payments, {result.validators} validators, {result.cores} cores, one machine")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in asdict(result).items():
        table.add_row(name, value if isinstance(value, str) else f"{value:,}")
    return table


def main() -> None:
    """Start a network, measure, print a table and write ``build/bench/payments.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validators", type=int, default=4)
    parser.add_argument("--senders", type=int, default=256)
    parser.add_argument("--rate", type=float, default=300.0, help="payments a second of the steady phase")
    parser.add_argument("--steady-s", type=float, default=20.0)
    parser.add_argument("--full-s", type=float, default=20.0)
    parser.add_argument("--idle-s", type=float, default=15.0)
    parser.add_argument("--in-flight", type=int, default=1_500)
    parser.add_argument("--expect-per-s", type=float, default=2_500, help="payments signed per second of full speed")
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    arguments = parser.parse_args()
    console = Console()
    network = create_network(_FOLDER, DevnetOptions(arguments.validators, residents=arguments.senders))
    try:
        start_nodes(network)
        console.print("waiting for the first block ...")
        wait_until_deciding(network)
        result = trio.run(measure, network, arguments, console)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(_FOLDER)
    console.print(_table(result))
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(asdict(result), indent=2) + "\n")
    console.print(f"written to {_RESULT}")


if __name__ == "__main__":
    main()
