"""Storage survives its process: the short form of ``python -m alatau_devnet.crash_storage``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
def test_killed_writers_leave_a_whole_store() -> None:
    """Killed at every write and at many random moments, or out of room, a store is at h or h + 1, and goes on."""
    command = [sys.executable, "-m", "alatau_devnet.crash_storage", "--kills", "120", "--heights", "1", "--json"]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("node", "devnet", "."))
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["random_kills"] == 120
    assert summary["boundary_kills"] > 40, "every write of a height and of opening was hit"
    assert summary["full_disks"] > 20
    assert summary["heights_committed"] > 100
