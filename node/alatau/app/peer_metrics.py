"""What the peer network counted, as metrics."""

from collections.abc import Callable, Mapping

from alatau.app.metrics import Labels, Metrics
from alatau.p2p.counters import Counters


def register_peer_metrics(metrics: Metrics, counters: Counters) -> None:
    """Register the counters of the peer network; ``docs/networking.md`` explains the reasons in their labels."""
    for name, explanation, read in (
        ("p2p_sessions_opened_total", "Sessions with peers that began.", lambda: counters.sessions_opened),
        ("p2p_send_bytes_total", "Bytes queued for peers, before encryption.", lambda: counters.bytes_out),
        ("p2p_transactions_received_total", "Transactions that peers showed first.", lambda: counters.transactions_in),
        (
            "p2p_transactions_duplicate_total",
            "Transactions received again from another peer.",
            lambda: counters.transactions_duplicate,
        ),
        ("p2p_transactions_sent_total", "Transactions sent, once for each peer.", lambda: counters.transactions_out),
        ("blocksync_blocks_served_total", "Blocks given to peers that catch up.", lambda: counters.blocks_served),
        ("blocksync_blocks_fetched_total", "Blocks fetched while catching up.", lambda: counters.blocks_fetched),
    ):
        metrics.counter(name, explanation, read)
    for name, explanation, label, counted in (
        ("p2p_sessions_ended_total", "Sessions that ended.", "reason", counters.sessions_ended),
        ("p2p_sessions_refused_total", "Peers that were refused.", "reason", counters.sessions_refused),
        ("p2p_dials_failed_total", "Attempts to reach a peer that failed.", "reason", counters.dials_failed),
        ("p2p_bans_total", "Peers kept out for misbehaviour.", "reason", counters.bans),
        ("p2p_messages_received_total", "Messages received.", "kind", counters.messages_in),
        ("p2p_messages_sent_total", "Messages sent, once for each peer.", "kind", counters.messages_out),
        ("p2p_messages_dropped_total", "Messages that a slow peer's full queue dropped.", "lane", counters.dropped),
        (
            "p2p_messages_throttled_total",
            "Times that a message waited because its sender had used its budget.",
            "lane",
            counters.throttled,
        ),
    ):
        metrics.counter(name, explanation, _labelled(counted), labels=(label,))


def _labelled(counted: Mapping[str, int]) -> Callable[[], Mapping[Labels, float]]:
    return lambda: {(str(label),): value for label, value in counted.items()}
