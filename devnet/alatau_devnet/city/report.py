"""What a run leaves for people: a report in Markdown, with figures and what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from alatau_devnet.city.incidents import Diary
from alatau_devnet.city.population import TIYN, Size
from alatau_devnet.city.privacy import Findings
from alatau_devnet.city.street import Figures


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a report tells."""

    scale: float
    size: Size
    p256: int
    """Residents with a key of the phones' curve."""
    figures: Figures
    diary: Diary
    gas: Mapping[str, int]
    phase_s: Mapping[str, float]
    hub_down_s: Sequence[float]
    revealed: int
    vouchers_fed: int
    """To both towers, by residents and merchants; the hub's own are not in it."""
    exit_blocks: int
    exit_gas: int
    privacy: Findings
    proof: str
    problems: Sequence[str]
    minutes: float
    load: float
    """Of the machine when the day ended."""

    @property
    def succeeded(self) -> bool:
        """Whether all is as it should be."""
        return not self.problems and not self.privacy.found and not self.diary.failed


def percentile_ms(latencies_s: Sequence[float], percent: int) -> float:
    """Milliseconds within which so many of a hundred payments passed; 0 of too few."""
    return quantiles(latencies_s, n=100, method="inclusive")[percent - 1] * 1_000 if len(latencies_s) > 1 else 0.0


def render(outcome: Outcome, chart: str | None) -> str:
    """The report."""
    figures, size = outcome.figures, outcome.size
    rows = [
        ("residents", f"{size.residents:,}, {outcome.p256:,} of them with P-256 keys"),
        ("merchants", f"{size.merchants:,}"),
        ("payments", f"{figures.paid:,} of {size.payments:,} and those of the incidents; {figures.gave_up:,} given up"),
        ("paid to merchants", f"{figures.volume / TIYN:,.2f} KZT"),
        ("refunds", f"{figures.refunds:,}"),
        ("refusals, tried again", ", ".join(f"{name} {n:,}" for name, n in figures.refused.most_common()) or "none"),
        ("latency, median and 99th", _latency(figures.latencies_s)),
        ("hub killed -9", f"{len(outcome.hub_down_s)} times, away {_seconds(outcome.hub_down_s)}"),
        ("secrets brought on chain", f"{outcome.revealed:,}"),
        ("vouchers fed to towers", f"{outcome.vouchers_fed:,}, and the hub's own"),
        ("mass exit", f"{size.exits:,} channels, {outcome.exit_gas:,} gas, {outcome.exit_blocks:,} blocks"),
        ("opening", f"{outcome.gas['open'] // (size.residents + size.merchants):,} gas a channel"),
        ("looked for in the chain", _privacy(outcome.privacy)),
        ("time", f"{outcome.minutes:.1f} minutes; load {outcome.load:.1f}"),
    ]
    parts = [
        f"# A day of the city, at scale {outcome.scale:g}",
        "",
        f"**{outcome.proof}**",
        "",
        *(f"* {problem}" for problem in (*outcome.problems[:20], *outcome.diary.failed, *outcome.privacy.found[:20])),
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        *([f"![The day]({chart})", ""] if chart else []),
        "## What happened",
        "",
        *(f"* {at:6.1f} s: {text}" for at, text in outcome.diary.lines),
        "",
        "## Where the time went",
        "",
        "| phase | seconds |",
        "|---|---|",
        *(f"| {name} | {seconds:.1f} |" for name, seconds in outcome.phase_s.items()),
        "",
    ]
    return "\n".join(parts)


def _latency(latencies_s: Sequence[float]) -> str:
    return f"{percentile_ms(latencies_s, 50):.0f} ms, {percentile_ms(latencies_s, 99):.0f} ms"


def _seconds(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f} s" for value in values) or "never"


def _privacy(findings: Findings) -> str:
    found = f"{len(findings.found)} finds" if findings.found else "no name, single amount or invoice"
    return f"{findings.transactions:,} transactions, {findings.bytes / 1e6:.1f} MB: {found}"
