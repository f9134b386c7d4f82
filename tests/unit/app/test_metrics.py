from alatau.app.metrics import Metrics
from tests.support.scrape import samples


def test_a_value_is_read_at_each_scrape() -> None:
    """Nothing is cached between two scrapes."""
    metrics, heights = Metrics(), [7, 8]
    metrics.gauge("consensus_height", "Height.", lambda: heights.pop(0))
    assert samples(metrics)["consensus_height", ()] == 7
    assert samples(metrics)["consensus_height", ()] == 8


def test_labels_give_one_sample_each() -> None:
    """A counter by peer has a sample for each peer."""
    metrics = Metrics()
    metrics.counter("p2p_bytes_total", "Bytes.", lambda: {("a",): 1, ("b",): 2}, labels=("peer",))
    found = samples(metrics)
    assert found["p2p_bytes_total", (("peer", "a"),)] == 1
    assert found["p2p_bytes_total", (("peer", "b"),)] == 2


def test_a_histogram_counts_up_to_and_including_each_bound() -> None:
    """Buckets are cumulative, a bound belongs to its bucket, and the last bucket holds all."""
    metrics = Metrics()
    histogram = metrics.histogram("delay_seconds", "Delay.", (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 3.0):
        histogram.observe(value)
    found = samples(metrics)
    assert found["delay_seconds_bucket", (("le", "0.1"),)] == 2
    assert found["delay_seconds_bucket", (("le", "1.0"),)] == 3
    assert found["delay_seconds_bucket", (("le", "+Inf"),)] == 4
    assert found["delay_seconds_count", ()] == 4
    assert found["delay_seconds_sum", ()] == 3.65


def test_the_process_itself_is_measured() -> None:
    """Memory and CPU of the node come with every scrape."""
    found = samples(Metrics())
    assert found["process_resident_memory_bytes", ()] > 1_000_000
    assert found["process_cpu_seconds_total", ()] > 0
