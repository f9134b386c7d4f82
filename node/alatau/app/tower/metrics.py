"""What a tower tells Prometheus; ``docs/city/towers.md`` explains what to watch."""

from alatau.app.metrics import Metrics
from alatau.tower import store
from alatau.tower.alarms import SUBJECTS
from alatau.tower.tower import Tower


def register_tower_metrics(metrics: Metrics, tower: Tower) -> None:
    """Register them."""
    post, api = tower.post, tower.api
    metrics.gauge(
        "tower_alarm",
        "1 while something would keep the tower from contesting, by subject.",
        lambda: {(subject,): float(subject in post.alarms.on) for subject in SUBJECTS},
        labels=("subject",),
    )
    metrics.gauge("tower_height", "Up to which the tower has acted on the chain's events.", lambda: post.height)
    metrics.gauge("tower_chain_height", "The chain's last block, as far as the node says.", lambda: post.tip.height)
    metrics.gauge("tower_channels", "Channels with a voucher.", lambda: post.docket.protected)
    metrics.gauge("tower_close_requests", "Channels with a request to close.", lambda: post.docket.close_requests)
    metrics.gauge("tower_closing", "Channels that are closing.", lambda: len(post.docket.closing))
    metrics.gauge(
        "tower_contests_due",
        "Vouchers that the contract has to hear of and has not yet.",
        lambda: len(post.docket.due()),
    )
    metrics.gauge(
        "tower_canary_contested_timestamp_seconds",
        "When a contest of a canary channel last succeeded, in seconds since 1970; 0 for never.",
        lambda: store.canary(post.database).contested,
    )
    metrics.counter(
        "tower_contests_won_total", "Vouchers that the tower brought to the contract.", lambda: post.contests_won
    )
    metrics.counter(
        "tower_contests_by_others_total",
        "Vouchers that were due until somebody else brought them.",
        lambda: post.contests_by_others,
    )
    metrics.counter("tower_vouchers_taken_total", "Vouchers that were newer than what was held.", lambda: api.taken)
    metrics.counter("tower_vouchers_refused_total", "Vouchers that were refused.", lambda: api.refused)
    metrics.counter("tower_flushes_total", "Flushes of the database's log.", lambda: post.commits.flushes)
