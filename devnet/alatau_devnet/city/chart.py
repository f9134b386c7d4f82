"""The picture of a day: payments a second, latency, money, what waits for towers; and when something died."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from alatau_devnet.city.population import TIYN
from alatau_devnet.city.view import Sample

_SMOOTH = 5
"""Samples over which a rate is taken."""


def draw(samples: Sequence[Sample], deaths: Sequence[tuple[float, str]], file: Path) -> None:
    """Draw a day into a PNG; ``deaths`` are seconds of the day with a word."""
    mpl.use("Agg")
    chart, (rate, latency, waiting) = plt.subplots(3, 1, sharex=True, figsize=(11, 8))
    at = [sample.at_s for sample in samples]
    rate.plot(at, _rates(samples), color="tab:blue")
    rate.set(ylabel="payments a second", ylim=(0, None), title="A day of the city")
    total = rate.twinx()
    total.plot(at, [sample.held / TIYN / 1e6 for sample in samples], color="tab:green", linewidth=0.8)
    total.set_ylabel("money held, million KZT", color="tab:green")
    total.set_ylim(0, None)
    latency.plot(at, [sample.p50_ms or None for sample in samples], color="tab:orange")
    latency.set(ylabel="median latency, ms", ylim=(0, None))
    waiting.plot(at, [sample.under_way for sample in samples], label="customers at tills")
    waiting.plot(at, [sample.feed_waiting for sample in samples], label="vouchers on their way to a tower")
    waiting.set(ylabel="waiting", ylim=(0, None), xlabel="seconds")
    waiting.legend(fontsize="small")
    for axes in (rate, latency, waiting):
        for second, _ in deaths:
            axes.axvline(second, color="tab:red", linewidth=0.8, linestyle="--")
    for second, word in deaths:
        rate.annotate(word, (second, 1.0), xycoords=("data", "axes fraction"), rotation=90, fontsize=7, va="top")
    _hours(latency, samples)
    chart.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    chart.savefig(file, dpi=110)
    plt.close(chart)


def _rates(samples: Sequence[Sample]) -> list[float]:
    rates = []
    for number, sample in enumerate(samples):
        before = samples[max(number - _SMOOTH, 0)]
        rates.append((sample.paid - before.paid) / max(sample.at_s - before.at_s, 1.0))
    return rates


def _hours(axes: object, samples: Sequence[Sample]) -> None:
    """The city's hours above the seconds."""
    marks, last = [], -1
    for sample in samples:
        if int(sample.hour) > last and int(sample.hour) % 3 == 0:
            last = int(sample.hour)
            marks.append((sample.at_s, f"{last}:00"))
    above = axes.secondary_xaxis("top")  # type: ignore[attr-defined]
    above.set_xticks([at for at, _ in marks], [text for _, text in marks], fontsize=7)
