"""Benchmarks of the EVM: against its peers, in blocks of payments, and at its worst.

    python -m alatau_devnet.bench_evm            everything, about ten minutes; writes build/bench/evm.json
    python -m alatau_devnet.bench_evm --parts scenarios blocks

What the figures mean, and those of one machine, is in docs/benchmarks-evm.md.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from alatau.build_form import FORM
from alatau.types.chain_config import ChainConfig
from alatau_devnet.evm_bench.blocks import PAYMENTS, measure_blocks
from alatau_devnet.evm_bench.engines import Alatau, Engine, PyEvm, Specification, measure_all
from alatau_devnet.evm_bench.scenarios import Scenario, scenarios
from alatau_devnet.evm_bench.state_attacks import ENTRIES, state_rows
from alatau_devnet.evm_bench.translation import measure_translation, memory_per_contract
from alatau_devnet.evm_bench.worst import Worst, opcode_rows, precompile_rows, shape_rows

_ROOT: Final = Path(__file__).parents[2]
OUTPUT: Final = _ROOT / "build" / "bench" / "evm.json"
PARTS: Final = ("scenarios", "translation", "blocks", "worst")
WORST_BLOCK_TARGET_S: Final = 2.0
"""A validator must be done with the worst block before its peers' prevote timeouts end (docs/consensus.md)."""

_CONSOLE: Final = Console(width=120)


def main() -> int:
    """Run the parts asked for and write what they gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parts = parser.parse_args().parts
    report: dict[str, Any] = {"machine": _machine(), "build": FORM.build, "tables": {}}
    prepared = scenarios() if {"scenarios", "translation"} & set(parts) else []
    if "scenarios" in parts:
        _report_scenarios(report, prepared)
    if "translation" in parts:
        _report_translation(report, prepared)
    if "blocks" in parts:
        _report_blocks(report)
    if "worst" in parts:
        _report_worst(report)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=1) + "\n")
    _CONSOLE.print(f"written to {OUTPUT.relative_to(_ROOT)}")
    return 0


def _machine() -> dict[str, str]:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=_ROOT)
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(len(names)),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
    }


def _report_scenarios(report: dict[str, Any], prepared: list[Scenario]) -> None:
    engines: list[Engine] = [Alatau(), PyEvm(), Specification()]
    table = _table("One message call, microseconds", "message", "gas", *(e.name for e in engines), "py-evm / alatau")
    rows = report["tables"]["scenarios"] = {}
    for scenario in prepared:
        measured = rows[scenario.name] = measure_all(scenario, engines)
        times = [measured[engine.name]["microseconds"] for engine in engines]
        ratio = times[1] / times[0]
        table.add_row(scenario.name, f"{measured['alatau']['gas']:,}", *(f"{t:,.1f}" for t in times), f"{ratio:.0f}")
    transfer = rows["token transfer"]
    report["transfer_us"] = transfer["alatau"]["microseconds"]
    report["transfer_ratio_py_evm"] = transfer["py-evm"]["microseconds"] / transfer["alatau"]["microseconds"]
    _CONSOLE.print(table)


def _report_translation(report: dict[str, Any], prepared: list[Scenario]) -> None:
    table = _table(
        "From cold to hot", "message", "interpreted us", "translated us", "runs until then", "translation ms", "KiB"
    )
    rows = report["tables"]["translation"] = []
    for scenario in prepared:
        row = measure_translation(scenario)
        rows.append(asdict(row))
        table.add_row(
            row.name,
            f"{row.interpreted_us:,.0f}",
            f"{row.translated_us:,.0f}",
            str(row.runs_until_translated),
            f"{row.translation_ms:,.1f}",
            f"{row.cache_bytes / 1024:,.0f}",
        )
    _CONSOLE.print(table)
    report["cache_bytes_per_contract"] = memory_per_contract(prepared[0])
    _CONSOLE.print(f"memory of a translated token, bytes: {report['cache_bytes_per_contract']}")


def _report_blocks(report: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder:
        figures = measure_blocks(Path(folder) / "store")
    report["tables"]["blocks"] = asdict(figures)
    report["block_payment_us"] = figures.total_us
    table = _table(f"A block of {PAYMENTS:,} token payments, microseconds per payment", "step", "us")
    for name, value in (
        ("execute: EVM, receipts, trie, roots", figures.execute_us),
        ("commit: one write batch", figures.commit_us),
        ("  the same with the wait for the disk", figures.commit_wall_us),
        ("  the same with the index of accounts", figures.commit_indexed_us),
        ("both, signatures cached", figures.total_us),
        ("read the block's bytes", figures.decode_us),
        ("recover the senders, one thread", figures.recover_us),
        ("recover the senders, two threads, wall clock", figures.recover_threads_us),
        ("all in, nothing cached, one thread", figures.total_us + figures.decode_us + figures.recover_us),
    ):
        table.add_row(name, f"{value:,.1f}")
    _CONSOLE.print(table)


def _report_worst(report: dict[str, Any]) -> None:
    rows: list[Worst] = []
    for title, part in (("opcodes", opcode_rows()), ("precompiles", precompile_rows()), ("shapes", shape_rows())):
        found = sorted(part, key=lambda row: -row.worst_ms)
        rows += found
        report["tables"][title] = {row.name: {"hot_ms": row.hot_ms, "cold_ms": row.cold_ms} for row in found}
        table = _table(f"Milliseconds per million gas: {title}", title, "hot", "cold (interpreted)")
        for row in found:
            table.add_row(row.name, f"{row.hot_ms:,.1f}", "" if row.cold_ms is None else f"{row.cold_ms:,.1f}")
        _CONSOLE.print(table)
    with tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder:
        found_on_disk = [Worst(name, ms, None) for name, ms in state_rows(Path(folder) / "store")]
    rows += found_on_disk
    report["tables"]["state"] = {row.name: {"hot_ms": row.hot_ms} for row in found_on_disk}
    table = _table(f"Milliseconds per million gas: state of {ENTRIES:,} accounts and slots on disk", "attack", "ms")
    for row in found_on_disk:
        table.add_row(row.name, f"{row.hot_ms:,.1f}")
    _CONSOLE.print(table)
    worst = max(rows, key=lambda row: row.worst_ms)
    limit = ChainConfig(0, "").block_gas_limit
    report["block_gas_limit"] = limit
    report["worst_case"] = worst.name
    report["worst_ms_per_mgas"] = worst.worst_ms
    report["worst_block_s"] = worst.worst_ms * limit / 1e9
    report["block_gas_limit_for_2_s"] = int(WORST_BLOCK_TARGET_S * 1e9 / worst.worst_ms)
    _CONSOLE.print(
        f"worst: {worst.name}, {worst.worst_ms:.0f} ms per million gas. A block of the default limit, {limit:,} gas,"
        f" takes {report['worst_block_s']:.2f} s at most; {WORST_BLOCK_TARGET_S} s allow"
        f" {report['block_gas_limit_for_2_s']:,} gas."
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


if __name__ == "__main__":
    sys.exit(main())
