"""What the background scrub finds is told once in the log, and to everybody who asks."""

from pathlib import Path

import pytest
import structlog
import trio

from alatau.app.metrics import Metrics
from alatau.app.storage_watch import register_scrub_metrics, watch_storage, why_damaged
from alatau.storage import scrub as module
from alatau.storage.scrub import NOTHING_SCRUBBED
from tests.support.solo_node import solo_node
from tests.support.waiting import eventually


@pytest.mark.trio
async def test_a_lost_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a pass, while the node serves on: log, metric and readiness; a sound one is silent."""
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    node = solo_node(tmp_path)
    list(node.store.compact())
    scrub, metrics = node.store.scrub(), Metrics()
    register_scrub_metrics(metrics, scrub)
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:  # its end waits for the thread: only then may the database close
            nursery.start_soon(watch_storage, scrub)
            await eventually(lambda: scrub.state.passes >= 2)
            assert (logs, why_damaged(scrub.state)) == ([], None)
            assert b"storage_damage_findings 0.0" in metrics.render()
            table = next((tmp_path / "store" / "db").glob("*.ldb"))
            table.unlink()
            await eventually(lambda: scrub.state.findings)
            passes = scrub.state.passes
            await eventually(lambda: scrub.state.passes > passes + 2)
            nursery.cancel_scope.cancel()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("storage.damaged", "error")]
    assert table.name in logs[0]["finding"]
    assert b"storage_damage_findings 1.0" in metrics.render()
    damage = why_damaged(scrub.state)
    assert damage is not None
    assert table.name in damage
    assert why_damaged(NOTHING_SCRUBBED) is None
    node.store.close()
