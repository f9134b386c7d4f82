"""The table of a campaign, and the same as ``build/attack/report.json``."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from alatau_devnet.attack.verdict import Row, Verdict


def table_of(rows: Sequence[Row]) -> Table:
    """Attack, finality before, during and after, memory, verdict; why an attack failed is told as it ends."""
    table = Table(title="Attacks on four validators; times of honest payments, p50 / p95 in ms")
    for name in ("attack", "before", "during", "after", "answered", "memory MiB", "verdict"):
        table.add_column(name, justify="left" if name in ("attack", "verdict") else "right")
    for row in rows:
        m = row.measured
        table.add_row(
            row.attack,
            _pair(m.before_p50_ms, m.before_p95_ms),
            _pair(m.during_p50_ms, m.during_p95_ms),
            _pair(m.after_p50_ms, m.after_p95_ms),
            f"{m.answered_share:.0%}",
            f"{m.rss_most_mib:,.0f} (+{m.growth_mib:,.0f})",
            row.verdict.value,
        )
    return table


def write_report(file: Path, rows: Sequence[Row]) -> None:
    """Write what was measured; a time that does not exist is null."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "verdict": (Verdict.FAIL if any(row.verdict is Verdict.FAIL for row in rows) else Verdict.PASS).value,
        "attacks": [_finite(asdict(row)) for row in rows],
    }
    file.write_text(json.dumps(document, indent=2, default=str) + "\n")


def _pair(p50_ms: float, p95_ms: float) -> str:
    return f"{_ms(p50_ms)} / {_ms(p95_ms)}"


def _ms(value: float) -> str:
    return "-" if math.isinf(value) else f"{value:,.0f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isinf(value) else value
