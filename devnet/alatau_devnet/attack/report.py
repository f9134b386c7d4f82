"""The table of a campaign: on the terminal, as ``build/bench/attack.json``, and in ``docs/security.md``."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from alatau_devnet.attack.verdict import Measured, Row, overall

_BEGIN: Final = "<!-- attacks: written by make attack -->\n"
_END: Final = "<!-- end of attacks -->\n"
_COLUMNS: Final = ("attack", "before", "during", "after", "answered", "victim CPU", "memory", "verdict")


def table_of(rows: Sequence[Row]) -> Table:
    """Finality before, during and after, answers, CPU, memory, verdict; why an attack failed is told as it ends."""
    table = Table(title="Attacks on four validators; times of honest payments, p50 / p95 in ms")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in ("attack", "verdict") else "right")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def write_report(file: Path, rows: Sequence[Row]) -> None:
    """Write what was measured; a time that does not exist is null."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "verdict": overall([row.verdict for row in rows]).value,
        "attacks": [_finite(asdict(row)) for row in rows],
    }
    file.write_text(json.dumps(document, indent=2, default=str) + "\n")


def write_page(page: Path, rows: Sequence[Row]) -> None:
    """Replace the table between the marks in a page. Raises ``ValueError`` where it has no marks."""
    text = page.read_text()
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has no marks for the table of attacks")
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---|" + "---:|" * (len(_COLUMNS) - 2) + "---|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    page.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after)


def _cells(row: Row) -> tuple[str, ...]:
    m: Measured = row.measured
    return (
        row.attack,
        _pair(m.before_p50_ms, m.before_p95_ms),
        _pair(m.during_p50_ms, m.during_p95_ms),
        _pair(m.after_p50_ms, m.after_p95_ms),
        f"{m.answered_share:.0%}",
        f"{m.before_victim_share:.0%} to {m.victim_share:.0%}",
        f"{m.rss_most_mib:,.0f} (+{m.growth_mib:,.0f})",
        row.verdict.value,
    )


def _pair(p50_ms: float, p95_ms: float) -> str:
    return f"{_ms(p50_ms)} / {_ms(p95_ms)}"


def _ms(value: float) -> str:
    return "-" if math.isinf(value) else f"{value:,.0f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isinf(value) else value
