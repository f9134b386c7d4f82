"""What a hub tells a scraper."""

from alatau.app.metrics import Metrics
from alatau.hub.hub import Hub


def register_hub_metrics(metrics: Metrics, hub: Hub) -> None:
    """All of them, from the start and at 0."""
    book, counts = hub.owner.core.book, hub.owner.counts
    metrics.gauge("hub_channels", "Channels that are open or closing.", lambda: len(book.members))
    metrics.gauge("hub_connections", "Connections of wallets and tills.", lambda: hub.service.connections)
    metrics.gauge("hub_channels_attached", "Channels whose party is connected.", lambda: len(hub.owner.sessions))
    metrics.gauge("hub_payments_under_way", "Payments locked, or owed by their payer.", lambda: len(book.payments))
    metrics.gauge("hub_chain_height", "Block up to which the chain's news has been taken.", lambda: hub.owner.height)
    metrics.gauge("hub_inputs_waiting", "Messages and news that wait for the next batch.", lambda: hub.owner.waiting)
    metrics.gauge("hub_duties", "Transactions that the chain has to take.", lambda: hub.duties.waiting)
    metrics.gauge("hub_alarms", "What an operator has to look at.", lambda: len(hub.duties.alarms))
    metrics.gauge("hub_days_not_posted", "Closed days whose root the chain lacks.", lambda: len(hub.days.waiting()))
    metrics.counter("hub_batches_total", "Batches, each with one flush of the disk.", lambda: counts.batches)
    metrics.counter("hub_inputs_total", "Messages and news that were taken.", lambda: counts.inputs)
    metrics.counter("hub_stores_total", "Records that were written.", lambda: counts.stores)
    metrics.counter("hub_messages_total", "Messages that were said to parties.", lambda: counts.messages)
    links = hub.towers.links
    label = ("tower",)
    metrics.gauge(
        "hub_tower_lag_seconds",
        "How long the oldest voucher has waited for a tower's receipt.",
        lambda: {(link.tower.endpoint,): link.lag_s for link in links},
        label,
    )
    metrics.gauge(
        "hub_tower_vouchers_waiting",
        "Channels of which a tower does not hold the newest voucher.",
        lambda: {(link.tower.endpoint,): link.feed.waiting for link in links},
        label,
    )
