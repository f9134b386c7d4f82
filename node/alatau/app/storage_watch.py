"""The background scrub of a running node's database: what it finds is told at once, in the log and to who asks."""

from typing import Final

import structlog
import trio

from alatau.app.metrics import Metrics
from alatau.storage.scrub import Scrub, ScrubState

_LOG: Final = structlog.get_logger(__name__)


async def watch_storage(scrub: Scrub) -> None:
    """Scrub until cancelled. What is found stays found until the node starts again: it does not heal."""
    known: set[str] = set()
    while True:
        rest_s = await trio.to_thread.run_sync(scrub.step)
        for finding in scrub.state.findings:
            if finding not in known:
                known.add(finding)
                _LOG.error("storage.damaged", finding=finding, do="stop the node, then alatau db check")
        await trio.sleep(rest_s)


def register_scrub_metrics(metrics: Metrics, scrub: Scrub) -> None:
    """What an alert rule reads."""
    metrics.gauge(
        "storage_damage_findings",
        "Things that the background scrub found damaged; 0 while the database is sound.",
        lambda: len(scrub.state.findings),
    )
    metrics.gauge(
        "storage_scrub_passes", "Times that the background scrub read everything.", lambda: scrub.state.passes
    )


def why_damaged(state: ScrubState) -> str | None:
    """For ``/readyz``: clients are better served by a node that can read all of its blocks."""
    return f"the database is damaged: {state.findings[0]}" if state.findings else None
