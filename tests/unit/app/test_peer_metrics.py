"""The peer network's counters as Prometheus reads them."""

from alatau.app.metrics import Metrics
from alatau.app.peer_metrics import register_peer_metrics
from alatau.p2p.counters import Counters
from alatau.p2p.methods import Lane


def test_counters_appear_with_their_labels() -> None:
    """As they stand at the scrape, not at registration."""
    counters, metrics = Counters(), Metrics()
    register_peer_metrics(metrics, counters)
    counters.transactions_in = 12
    counters.dropped[Lane.PROPOSALS] += 3
    counters.throttled[Lane.CONSENSUS] += 2
    counters.sessions_refused["WRONG_GENESIS"] += 1
    text = metrics.render().decode()
    assert "p2p_transactions_received_total 12.0" in text
    assert 'p2p_messages_dropped_total{lane="proposals"} 3.0' in text
    assert 'p2p_messages_throttled_total{lane="consensus"} 2.0' in text
    assert 'p2p_sessions_refused_total{reason="WRONG_GENESIS"} 1.0' in text
