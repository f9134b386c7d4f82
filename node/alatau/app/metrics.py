"""Metrics in Prometheus' text format, read from the node when somebody asks and never pushed.

Most values exist in the node anyway, so a metric is a name, an explanation and a callable: nothing is counted twice and
nothing is paid between two scrapes. Names follow CometBFT's, so that people who ran its networks find theirs.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest

Labels: TypeAlias = tuple[str, ...]
Reading: TypeAlias = float | Mapping[Labels, float]
"""One value, or one for each combination of label values."""

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bucket bounds that tell a fast network from a slow one, and a slow one from a stalled one."""


@dataclass(slots=True, eq=False)
class Histogram:
    """A distribution. Owned by one task; a scrape on the same thread reads it whole."""

    name: str
    explanation: str
    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(frozen=True, slots=True)
class _Callback:
    name: str
    explanation: str
    labels: Labels
    read: Callable[[], Reading]
    counter: bool


class Metrics:
    """The metrics of one node."""

    def __init__(self) -> None:
        self._callbacks: list[_Callback] = []
        self._histograms: list[Histogram] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def gauge(self, name: str, explanation: str, read: Callable[[], Reading], labels: Labels = ()) -> None:
        """A value that goes up and down."""
        self._add(_Callback(name, explanation, labels, read, counter=False))

    def counter(self, name: str, explanation: str, read: Callable[[], Reading], labels: Labels = ()) -> None:
        """A value that only grows while the process lives; ``name`` ends in ``_total``."""
        assert name.endswith("_total"), "a counter's name ends in _total"
        self._add(_Callback(name, explanation, labels, read, counter=True))

    def histogram(self, name: str, explanation: str, bounds: tuple[float, ...] = SECONDS) -> Histogram:
        """A distribution to observe values into."""
        self._assert_new(name)
        histogram = Histogram(name, explanation, bounds, [0] * (len(bounds) + 1))
        self._histograms.append(histogram)
        return histogram

    def render(self) -> bytes:
        """The text that Prometheus reads (exposition format 0.0.4)."""
        return generate_latest(self._registry)

    def names(self) -> list[str]:
        """Names of the node's own metrics, for checking dashboards and alert rules against."""
        return sorted([c.name for c in self._callbacks] + [h.name for h in self._histograms])

    def describe(self) -> Iterable[Metric]:
        """Nothing: called by the registry, which otherwise would read every value at registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape."""
        for callback in self._callbacks:
            yield _family(callback)
        for histogram in self._histograms:
            yield _histogram_family(histogram)

    def _add(self, callback: _Callback) -> None:
        self._assert_new(callback.name)
        self._callbacks.append(callback)

    def _assert_new(self, name: str) -> None:
        assert name not in self.names(), f"metric {name} is registered twice"


def _family(callback: _Callback) -> Metric:
    make = CounterMetricFamily if callback.counter else GaugeMetricFamily
    family = make(callback.name, callback.explanation, labels=callback.labels)
    reading = callback.read()
    for labels, value in reading.items() if isinstance(reading, Mapping) else [((), reading)]:
        family.add_metric(labels, value)
    return family


def _histogram_family(histogram: Histogram) -> Metric:
    cumulative, buckets = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        cumulative += count
        buckets.append((bound, cumulative))
    return HistogramMetricFamily(histogram.name, histogram.explanation, buckets=buckets, sum_value=histogram.total)
