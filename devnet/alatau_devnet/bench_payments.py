"""``make bench``: what a payment costs and how fast it is final, on a network of real processes.

Payments are transfers of the Vyper settlement token, submitted through gRPC to every node. Four phases: idle,
a steady rate (latency), full speed (throughput and cost), overload (ten times what it carries). Then full speed again
on a network of one validator. The load generator runs on the same machine and its own CPU time is shown beside the
nodes', since it takes its share of the cores.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import trio
from rich.console import Console
from rich.table import Table

from alatau.build_form import FORM
from alatau_devnet.energy import WATTS_PER_CORE, Energy, energy, rapl_joules
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.overload import Overload, overload
from alatau_devnet.payments import PaymentLoad, open_load
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.process_usage import Usage, usage_of
from alatau_devnet.processes import running_pid
from alatau_devnet.watch import wait_until_deciding

_FOLDER: Final = Path("build/bench/network")
_RESULT: Final = Path("build/bench/payments.json")
_T = TypeVar("_T")
_MIB: Final = 1024 * 1024
_OVERLOAD: Final = 10
"""Times the throughput at full speed."""
_POOL: Final = 16_384
"""Payments that a node's pool takes; as many may be accepted before the first is refused."""
_ONE_EXPECTED: Final = 3
"""A single validator carries up to three times what four on the same two cores do."""


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
    cpu_ms_per_payment_node_full: float
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
    energy: Energy
    """At full speed."""
    idle_watts_network: float
    """All nodes together while nothing happens: processor time at the stated power per core."""
    overload: Overload | None
    """None where the phase was left out."""
    one_validator_per_s: float | None = None
    """Throughput at full speed of a network of one validator, which shares the machine with the load generator only."""
    one_validator_cpu_ms_per_payment: float | None = None


async def measure(network: Devnet, arguments: argparse.Namespace, console: Console) -> Result:
    """Run the phases on a running network."""
    pids = _pids(network)
    async with open_load(network, arguments.senders) as load:
        await _warm_up(load)
        console.print(f"idle for {arguments.idle_s:.0f} s ...")
        before, started = _usages(pids), time.monotonic()
        await trio.sleep(arguments.idle_s)
        idle_s = time.monotonic() - started
        idle = [(b.cpu_s - a.cpu_s) / idle_s for a, b in zip(before, _usages(pids), strict=True)]

        console.print(f"{arguments.rate:.0f} payments a second for {arguments.steady_s:.0f} s ...")
        load.restart_clock()
        load.sign(math.ceil(arguments.rate * arguments.steady_s) + 1)
        await load.at_rate(arguments.rate, arguments.steady_s)
        steady = load.times

        console.print(f"full speed for {arguments.full_s:.0f} s ...")
        full = await _full_speed(load, pids, arguments)
        borne = None
        if arguments.overload_s:
            offered = _OVERLOAD * full.per_s
            console.print(f"{offered:,.0f} payments a second offered for {arguments.overload_s:.0f} s ...")
            load.restart_clock()
            load.sign(math.ceil(2 * full.per_s * (arguments.overload_s + 8)) + 2 * _POOL * len(pids))
            borne = await overload(load, offered, arguments.overload_s, full.per_s)
    return Result(
        validators=len(network.nodes),
        payments=steady.final + full.payments,
        throughput_per_s=round(full.per_s, 1),
        latency_p50_ms=round(steady.quantile_ms(50), 1),
        latency_p95_ms=round(steady.quantile_ms(95), 1),
        steady_rate_per_s=arguments.rate,
        cpu_ms_per_payment=round(full.cpu_s * 1_000 / full.payments, 3),
        cpu_ms_per_payment_node_full=round(full.cpu_s * 1_000 / full.payments / len(pids), 3),
        load_cpu_ms_per_payment=round(full.load_cpu_s * 1_000 / full.payments, 3),
        idle_core_percent_max=round(max(idle) * 100, 2),
        rss_mb_max=round(full.rss_bytes_max / _MIB, 1),
        cores=os.cpu_count() or 1,
        build=FORM.build,
        energy=energy(full.payments, full.cpu_s, *full.rapl_j, watts_per_core=arguments.watts_per_core),
        idle_watts_network=round(sum(idle) * arguments.watts_per_core, 3),
        overload=borne,
    )


@dataclass(frozen=True, slots=True)
class _Full:
    """What a phase at full speed took."""

    per_s: float
    payments: int
    cpu_s: float
    """Of all nodes."""
    load_cpu_s: float
    rss_bytes_max: int
    rapl_j: tuple[float | None, float | None]
    """Readings before and after."""


async def _full_speed(load: PaymentLoad, pids: list[int], arguments: argparse.Namespace) -> _Full:
    """Run a network at full speed, as one that has payments enough."""
    load.restart_clock()
    load.sign(math.ceil(arguments.expect_per_s * (arguments.full_s + 8)) + arguments.in_flight)
    before, own, joules = _usages(pids), time.process_time(), rapl_joules()
    per_s = await load.at_full_speed(arguments.full_s, arguments.in_flight)
    after, own, joules_after = _usages(pids), time.process_time() - own, rapl_joules()
    return _Full(
        per_s=per_s,
        payments=load.times.final,
        cpu_s=sum(b.cpu_s - a.cpu_s for a, b in zip(before, after, strict=True)),
        load_cpu_s=own,
        rss_bytes_max=max(usage.rss_bytes for usage in after),
        rapl_j=(joules, joules_after),
    )


async def measure_one(network: Devnet, arguments: argparse.Namespace, console: Console) -> _Full:
    """Full speed on a network of one validator."""
    async with open_load(network, arguments.senders) as load:
        await _warm_up(load)
        console.print(f"one validator at full speed for {arguments.full_s:.0f} s ...")
        arguments.expect_per_s *= _ONE_EXPECTED
        return await _full_speed(load, _pids(network), arguments)


async def _warm_up(load: PaymentLoad) -> None:
    """Let the contract be translated and the caches fill, as on a node that has been up for a while."""
    load.sign(500)
    await load.at_rate(100, 4)


def _pids(network: Devnet) -> list[int]:
    return [pid for node in network.nodes if (pid := running_pid(node.home)) is not None]


def _usages(pids: list[int]) -> list[Usage]:
    return [usage_of(pid) for pid in pids]


def _table(result: Result) -> Table:
    table = Table(title=f"Token payments, {result.validators} validators, {result.cores} cores, one machine")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in _rows(asdict(result)):
        table.add_row(name, value)
    return table


def _rows(values: dict[str, Any], of: str = "") -> Iterator[tuple[str, str]]:
    """Names and figures; those of a part under the part's name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{of}{name}.")
        else:
            yield f"{of}{name}", f"{value:,}" if isinstance(value, int | float) else str(value)


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
    parser.add_argument("--overload-s", type=float, default=15.0, help="0 leaves the phase out")
    parser.add_argument("--no-one", action="store_true", help="leave out the network of one validator")
    parser.add_argument("--watts-per-core", type=float, default=WATTS_PER_CORE, help="of a busy core")
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    arguments = parser.parse_args()
    console = Console()
    result = _on_a_network(measure, arguments.validators, arguments, console)
    if not arguments.no_one:
        one = _on_a_network(measure_one, 1, arguments, console)
        result = replace(
            result,
            one_validator_per_s=round(one.per_s, 1),
            one_validator_cpu_ms_per_payment=round(one.cpu_s * 1_000 / one.payments, 3),
        )
    console.print(_table(result))
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(asdict(result), indent=2) + "\n")
    console.print(f"written to {_RESULT}")


def _on_a_network(
    phases: Callable[[Devnet, argparse.Namespace, Console], Awaitable[_T]],
    validators: int,
    arguments: argparse.Namespace,
    console: Console,
) -> _T:
    """Run ``phases`` on a new network, and leave nothing of it behind."""
    network = create_network(_FOLDER, DevnetOptions(validators, residents=arguments.senders))
    try:
        start_nodes(network)
        console.print("waiting for the first block ...")
        wait_until_deciding(network)
        return trio.run(phases, network, arguments, console)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(_FOLDER)


if __name__ == "__main__":
    main()
