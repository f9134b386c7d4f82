"""The live view in the terminal: how far the day is, what it pays a second, what is held; and samples for the chart."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

import trio
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from alatau_devnet.city.incidents import Diary
from alatau_devnet.city.population import TIYN
from alatau_devnet.city.schedule import hour_of

_SAMPLE_S: Final = 1.0
_SHOWN: Final = 9


@dataclass(frozen=True, slots=True)
class Sample:
    """The city at one moment."""

    at_s: float
    """Since the start of the day."""
    hour: float
    paid: int
    under_way: int
    held: int
    """Tiyn in channels, by the contract."""
    height: int
    feed_waiting: int
    """Vouchers that a tower has not signed for, the worse of the two."""
    p50_ms: float
    """Of the payments since the sample before; 0 without any."""


@dataclass(slots=True)
class View:
    """One a run. Quiet where the output is no terminal: then it prints a line now and then."""

    console: Console
    diary: Diary
    samples: list[Sample] = field(default_factory=list)
    _progress: Progress = field(init=False)
    _steps: dict[str, TaskID] = field(default_factory=dict)
    _live: Live | None = None
    _rates: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=6))

    def __post_init__(self) -> None:
        """Bars for what is counted."""
        self._progress = Progress(
            TextColumn("{task.description:<22}"), BarColumn(36), MofNCompleteColumn(), TimeElapsedColumn()
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.console.is_terminal:
            self._live = Live(self._screen(), console=self.console, refresh_per_second=4)
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the last picture."""
        if self._live is not None:
            self._live.update(self._screen())
            self._live.__exit__(None, None, None)

    def begin(self, name: str, total: int) -> None:
        """Something with so many parts."""
        self._steps[name] = self._progress.add_task(name, total=total)
        self._say(f"{name}: {total:,}")

    def step(self, name: str, count: int) -> None:
        """So many more are done."""
        self._progress.advance(self._steps[name], count)
        self._show()

    def note(self, text: str) -> None:
        """Something that happened."""
        self.diary.note(text)
        self._say(text)
        self._show()

    async def watch(self, sample: Callable[[float], Sample]) -> None:
        """Sample the day until cancelled."""
        started, said = time.monotonic(), 0
        while True:
            await trio.sleep(_SAMPLE_S)
            taken = sample(time.monotonic() - started)
            self.samples.append(taken)
            self._rates.append((taken.at_s, taken.paid))
            self._progress.update(self._steps["payments"], completed=taken.paid)
            self._show()
            if len(self.samples) % 10 == 0:
                self._say(
                    f"{_clock(taken.hour)}  {taken.paid:,} paid, {self._rate():.0f}/s, {taken.under_way} under way,"
                    f" {taken.held / TIYN:,.0f} KZT held, block {taken.height}"
                )
            while said < len(self.diary.lines):
                self._say(self.diary.lines[said][1])
                said += 1

    def _rate(self) -> float:
        (first_at, first), (last_at, last) = self._rates[0], self._rates[-1]
        return (last - first) / max(last_at - first_at, _SAMPLE_S)

    def _say(self, text: str) -> None:
        if self._live is None:
            self.console.print(text, highlight=False)

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._screen())

    def _screen(self) -> Group:
        parts: list[object] = [self._progress]
        if self.samples:
            now = self.samples[-1]
            table = Table.grid(padding=(0, 3))
            for name, value in (
                ("hour of the day", _clock(now.hour)),
                ("paid", f"{now.paid:,}"),
                ("payments a second", f"{self._rate():.0f}"),
                ("under way", f"{now.under_way:,}"),
                ("money held", f"{now.held / TIYN:,.2f} KZT"),
                ("block", f"{now.height:,}"),
                ("vouchers for towers", f"{now.feed_waiting:,}"),
                ("latency (median)", f"{now.p50_ms:.0f} ms"),
            ):
                table.add_row(name, value)
            parts.append(Panel(table, title="the city now", title_align="left"))
        if self.diary.lines:
            lines = [f"{at:6.1f} s  {text}" for at, text in self.diary.lines[-_SHOWN:]]
            parts.append(Panel(Text("\n".join(lines)), title="what happened", title_align="left"))
        return Group(*parts)  # type: ignore[arg-type]


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{int(hour % 1 * 60):02d}"


def clock_at(share: float) -> str:
    """``18:42`` at a share of the day."""
    return _clock(hour_of(share))
