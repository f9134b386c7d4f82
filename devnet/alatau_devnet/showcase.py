"""``make devnet``: a network from nothing, a tour of what it does, a validator killed and back, figures.

Every step prints what it did in a line; the network stays up. Run again, it begins anew.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio
from rich.console import Console
from rich.table import Table

from alatau_devnet import accounts, tour
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import DEFAULT_FOLDER, Devnet, DevnetNode, create_network, start_nodes
from alatau_devnet.payments import LoadError, open_load
from alatau_devnet.plan import MINISTRIES, DevnetOptions
from alatau_devnet.process_usage import usage_of
from alatau_devnet.processes import kill_process, running_pid
from alatau_devnet.snippets import paste_ready, write_account_keystores
from alatau_devnet.watch import block_of, client_of, height_of, wait_for_height, wait_until_deciding

_OFFERED_PER_S: Final = 300
"""The load at which time to finality is stated; `make bench` finds the most that goes through."""
_LOAD_S: Final = 6.0
_WARM_UP_S: Final = 2.0
"""Code that runs often is translated on its first runs."""
_PAYMENTS_WITHOUT: Final = 5
_RECOVERY_S: Final = 20.0

_OUT: Final = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the load measured."""

    payments: int
    per_s: float
    latency_p50_ms: float
    latency_p95_ms: float
    cpu_ms_per_payment: float
    """Of one node, the mean over all."""
    rss_mb: tuple[float, ...]
    """Of each node, after the load."""


def show(folder: Path, options: DevnetOptions) -> None:
    """Run all steps. Raises ``DevnetError`` and what the tour raises."""
    _title(1, f"Genesis ceremony of {options.validators} ministries")
    network = create_network(folder, options)
    for node in network.nodes:
        _line(f"{node.name} signed its contribution", f"voting key 0x{node.voting_address.hex()}")
    _line("merged", f"transcript 0x{network.transcript_hash.hex()}")

    _title(2, "Real nodes over gRPC with mutual TLS")
    start_nodes(network)
    for node in network.nodes:
        _line(f"{node.name} runs", f"process {running_pid(node.home)}, clients at {node.rpc}")
    _line("all decide blocks", f"height {wait_until_deciding(network)}")

    _title(3, "Contracts, the reserve, settlement tokens, payment channels")
    tour.run_tour(network, _OUT)

    if len(network.nodes) >= 4:
        _title(4, "A validator is killed with -9")
        kill_and_recover(network, network.nodes[-1])

    _title(5, f"Measured on this machine: {_OFFERED_PER_S} payments a second for {_LOAD_S:.0f} s")
    _print_figures(network, trio.run(measure, network))
    keystores = write_account_keystores(network)
    _OUT.print("\n[bold green]The network is running.[/] It stays up; `make devnet-down` stops it. To paste:\n")
    print(paste_ready(network, keystores))


def kill_and_recover(network: Devnet, victim: DevnetNode) -> None:
    """Kill a validator, see blocks go on without it, start it again, see it at the same block and state."""
    others = tuple(node for node in network.nodes if node is not victim)
    before = height_of(others[0])
    pid = kill_process(victim.home)
    _line(f"{victim.name}: process {pid} killed", f"at height {before}")
    with client_of(others[0]) as client:
        payer = client.wallet(accounts.key_of(accounts.DEVELOPER))
        for _ in range(_PAYMENTS_WITHOUT):
            client.transfer(payer, accounts.address_of(accounts.MERCHANT), 1)
    went_on = wait_for_height(others, before + 1, timeout_s=30)
    _line(f"{_PAYMENTS_WITHOUT} payments became final without it", f"the others are at height {went_on}")
    start_nodes(network, (victim,))
    started = time.monotonic()
    target = height_of(others[0])
    wait_for_height([victim], target, timeout_s=60)
    seconds = time.monotonic() - started
    reference, recovered = block_of(others[0], target), block_of(victim, target)
    if recovered.hash != reference.hash or recovered.header.state_root != reference.header.state_root:
        raise DevnetError(f"{victim.name} has another block {target} than {others[0].name}")
    _line(f"{victim.name} is back and caught up", f"in {seconds:.1f} s, height {target}")
    _line("same block hash", f"0x{recovered.hash.hex()}")
    _line("same state root", f"0x{recovered.header.state_root.hex()}")
    _line("it proposes again", f"height {wait_for_proposal(others[0], victim, target)}")


def wait_for_proposal(witness: DevnetNode, builder: DevnetNode, after: int) -> int:
    """Pay until a block above height ``after`` is built by ``builder``; gives its height. Raises ``DevnetError``."""
    deadline = time.monotonic() + _RECOVERY_S
    with client_of(witness) as client:
        payer = client.wallet(accounts.key_of(accounts.DEVELOPER))
        while time.monotonic() < deadline:
            height = client.transfer(payer, accounts.address_of(accounts.MERCHANT), 1).position.height
            if client.block(height).header.beneficiary == builder.voting_address and height > after:
                return height
    raise DevnetError(f"{builder.name} has not built a block in {_RECOVERY_S:.0f} s after its return")


async def measure(network: Devnet) -> Figures:
    """Pay at a steady rate and watch."""
    count = round(_OFFERED_PER_S * (_LOAD_S + _WARM_UP_S)) + _OFFERED_PER_S
    async with open_load(network, min(network.residents, 64)) as load:
        load.sign(count)
        await load.at_rate(_OFFERED_PER_S, _WARM_UP_S)
        load.restart_clock()
        pids = [_pid(node) for node in network.nodes]
        before = [usage_of(pid).cpu_s for pid in pids]
        started = trio.current_time()
        await load.at_rate(_OFFERED_PER_S, _LOAD_S)
        elapsed = load.times.last_final_at - started
        after = [usage_of(pid) for pid in pids]
    payments = load.times.final
    cpu_s = sum(usage.cpu_s - earlier for usage, earlier in zip(after, before, strict=True)) / len(pids)
    return Figures(
        payments=payments,
        per_s=payments / elapsed,
        latency_p50_ms=load.times.quantile_ms(50),
        latency_p95_ms=load.times.quantile_ms(95),
        cpu_ms_per_payment=1000 * cpu_s / payments,
        rss_mb=tuple(usage.rss_bytes / 1e6 for usage in after),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m alatau_devnet.showcase", description=__doc__)
    most = len(MINISTRIES)
    parser.add_argument("--validators", type=int, default=4, choices=range(1, most + 1), metavar=f"1..{most}")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    given = parser.parse_args(arguments)
    try:
        show(given.folder, DevnetOptions(validators=given.validators))
    except (DevnetError, LoadError, tour.TourError) as error:
        _OUT.print(f"[bold red]failed:[/] {error}")
        return 1
    return 0


def _pid(node: DevnetNode) -> int:
    pid = running_pid(node.home)
    if pid is None:
        raise DevnetError(f"{node.name} does not run")
    return pid


def _print_figures(network: Devnet, figures: Figures) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("  payments final", f"{figures.payments}, {figures.per_s:.0f} a second")
    table.add_row("  time to finality", f"p50 {figures.latency_p50_ms:.0f} ms, p95 {figures.latency_p95_ms:.0f} ms")
    table.add_row("  CPU per payment", f"{figures.cpu_ms_per_payment:.2f} ms on each node")
    memory = ", ".join(f"{mb:.0f}" for mb in figures.rss_mb)
    table.add_row("  memory", f"{memory} MB in {len(network.nodes)} nodes")
    _OUT.print(table)


def _title(number: int, text: str) -> None:
    _OUT.print(f"\n[bold cyan]{number}. {text}[/]")


def _line(what: str, result: str) -> None:
    _OUT.print(f"  [green]done[/] {what}: [bold]{result}[/]")


if __name__ == "__main__":
    sys.exit(main())
