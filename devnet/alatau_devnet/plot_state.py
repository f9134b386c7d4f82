"""Draw what ``alatau_devnet.bench_state`` measured: ``python -m alatau_devnet.plot_state state.json state.png``.

A program of its own, so that the memory of the drawing library is not measured with the store's.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt


def plot(sizes: list[dict[str, Any]], file: Path) -> None:
    """Time, memory and disk over the number of accounts."""
    mpl.use("Agg")
    accounts = [entry["accounts"] for entry in sizes]
    chart, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4))
    for field, label in (
        ("total_us", "trie and commit"),
        ("trie_us", "trie alone"),
        ("process_us", "with compactions"),
    ):
        left.plot(accounts, [entry[field] for entry in sizes], "o-", label=label)
    left.set(title="Processor time per changed key", ylabel="µs", ylim=(0, None))
    for field, label in (("rss_anon_mb", "measured"), ("memory_bound_mb", "bound")):
        middle.plot(accounts, [entry[field] for entry in sizes], "o-", label=label)
    middle.set(title="Memory of the process", ylabel="MiB", ylim=(0, None))
    right.plot(accounts, [entry["disk_bytes_per_account"] for entry in sizes], "o-", label="database")
    right.set(title="Disk per account", ylabel="bytes", ylim=(0, 400))
    for axes in (left, middle, right):
        axes.set(xscale="log", xlabel="accounts")
        axes.legend()
        axes.grid(alpha=0.3)
    chart.tight_layout()
    chart.savefig(file, dpi=120)


def main() -> int:
    """Read, draw, write."""
    source, target = map(Path, sys.argv[1:3])
    plot(json.loads(source.read_text())["sizes"], target)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
