"""``make soak``: a steady load for as long as one likes, and whether anything grows that should not.

500 payments a second go through four real nodes; every few seconds memory, descriptors, disk and the latency of what
became final meanwhile are noted. Writes ``build/soak/report.json`` and ``build/soak/report.png``; the exit status is 1
where the verdict is FAIL.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

import trio
from rich.console import Console

from alatau.build_form import FORM
from alatau_devnet.attack.campaign import has_forked
from alatau_devnet.attack.watchers import descriptors_of
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.payments import PaymentLoad, open_load
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.plot_soak import plot
from alatau_devnet.process_usage import usage_of
from alatau_devnet.processes import running_pid
from alatau_devnet.soak_verdict import Sample, judge
from alatau_devnet.watch import wait_until_deciding

_FOLDER: Final = Path("build/soak/network")
_REPORT: Final = Path("build/soak/report.json")
_PICTURE: Final = Path("build/soak/report.png")
_PORTION_S: Final = 20.0
"""Payments are signed in portions of this many seconds, so that a long soak needs little memory here."""
_MIB: Final = 2**20


async def soak(network: Devnet, arguments: argparse.Namespace, console: Console) -> list[Sample]:
    """Keep up the load for so many minutes; a sample now and then."""
    samples: list[Sample] = []
    async with open_load(network, 256) as load:
        load.sign(500)
        await load.at_rate(100, 4)  # the contract is translated, the caches fill
        load.restart_clock()
        started = time.monotonic()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_sample, network, load, samples, arguments.every_s, console)
            while (left_s := arguments.minutes * 60 - (time.monotonic() - started)) > 0:
                portion_s = min(_PORTION_S, left_s)
                load.sign(int(arguments.rate * portion_s) + 50)
                await load.at_rate(arguments.rate, portion_s)
            nursery.cancel_scope.cancel()
    return samples


async def _sample(network: Devnet, load: PaymentLoad, samples: list[Sample], every_s: float, console: Console) -> None:
    seen, started = 0, time.monotonic()
    while True:
        await trio.sleep(every_s)
        latencies = sorted(load.times.latencies_s[seen:])
        seen += len(latencies)
        pids = [pid for node in network.nodes if (pid := running_pid(node.home)) is not None]
        sample = Sample(
            at_s=round(time.monotonic() - started, 1),
            final=load.times.final,
            p50_ms=_quantile_ms(latencies, 0.50),
            p95_ms=_quantile_ms(latencies, 0.95),
            own_mib=tuple(round(usage_of(pid).own_bytes / _MIB, 1) for pid in pids),
            descriptors=tuple(descriptors_of(pid) for pid in pids),
            disk_bytes=tuple(_disk_bytes(node.home) for node in network.nodes),
        )
        samples.append(sample)
        console.print(
            f"{sample.at_s:7.0f} s {sample.final:10,} final, p50 {sample.p50_ms} ms, p95 {sample.p95_ms} ms,"
            f" {max(sample.own_mib, default=0):.0f} MiB, {max(sample.descriptors, default=0)} descriptors,"
            f" {max(sample.disk_bytes) / _MIB:.1f} MiB on disk"
        )


def _quantile_ms(ordered_s: list[float], share: float) -> float | None:
    return round(ordered_s[int(share * (len(ordered_s) - 1))] * 1_000, 1) if ordered_s else None


def _disk_bytes(home: Path) -> int:
    """What a node has on disk, but for what it says."""
    total = 0
    for part in ("data", "wal"):
        for file in (home / part).rglob("*"):
            try:
                total += file.stat().st_size
            except FileNotFoundError:
                continue  # compacted away
    return total


def main() -> int:
    """Run the soak; gives the exit status."""
    arguments = _parser().parse_args()
    console = Console()
    network = create_network(_FOLDER, DevnetOptions(4, residents=256))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        samples = trio.run(soak, network, arguments, console)
        forked = has_forked(network)
        alive = sum(running_pid(node.home) is not None for node in network.nodes)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(_FOLDER)
    verdict = judge(samples, rate=arguments.rate, nodes_alive=alive, nodes=len(network.nodes), forked=forked)
    _REPORT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "build": FORM.build,
        "rate_per_s": arguments.rate,
        **asdict(verdict),
        "samples": [asdict(sample) for sample in samples],
    }
    _REPORT.write_text(json.dumps(document, indent=2) + "\n")
    plot(samples, _PICTURE)
    console.print(
        f"{verdict.verdict}: {verdict.payments:,} payments of {verdict.disk_bytes_per_payment} bytes on a node"
    )
    for reason in verdict.reasons:
        console.print(f"  {reason}")
    console.print(f"written to {_REPORT} and {_PICTURE}")
    return 0 if verdict.verdict == "PASS" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=500.0, help="payments a second")
    parser.add_argument("--every-s", type=float, default=5.0, help="seconds between two samples")
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
