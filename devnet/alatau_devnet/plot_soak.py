"""The picture of a soak: memory, descriptors, disk for each payment and latency over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from alatau_devnet.soak_verdict import Sample


def plot(samples: Sequence[Sample], file: Path) -> None:
    """Draw ``samples`` into a PNG."""
    mpl.use("Agg")
    chart, ((memory, descriptors), (disk, latency)) = plt.subplots(2, 2, sharex=True, figsize=(11, 7))
    minutes = [sample.at_s / 60 for sample in samples]
    _lines(memory, minutes, [sample.own_mib for sample in samples], "memory without pages of files", "MiB")
    _lines(descriptors, minutes, [sample.descriptors for sample in samples], "open descriptors", "")
    _lines(disk, minutes[1:], _per_payment(samples), "disk for each payment since the beginning", "bytes")
    latency.plot(minutes, [sample.p50_ms for sample in samples], label="p50")
    latency.plot(minutes, [sample.p95_ms for sample in samples], label="p95")
    latency.set(title="time to finality", ylabel="ms", ylim=(0, None))
    latency.legend(fontsize="small")
    for below in (disk, latency):
        below.set_xlabel("minutes")
    chart.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    chart.savefig(file, dpi=110)
    plt.close(chart)


def _per_payment(samples: Sequence[Sample]) -> list[tuple[float, ...]]:
    """What each node's disk has grown by, over what became final meanwhile; from the second sample on."""
    return [
        tuple(
            (now - before) / max(sample.final - samples[0].final, 1)
            for now, before in zip(sample.disk_bytes, samples[0].disk_bytes, strict=True)
        )
        for sample in samples[1:]
    ]


def _lines(axes: Any, minutes: Sequence[float], values: Sequence[Sequence[float]], title: str, unit: str) -> None:
    """A line for each node."""
    for node in range(min(map(len, values), default=0)):
        axes.plot(minutes, [row[node] for row in values], label=f"node {node + 1}")
    axes.set(title=title, ylabel=unit, ylim=(0, None))
    axes.legend(fontsize="small")
