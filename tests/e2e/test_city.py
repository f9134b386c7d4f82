"""A small city on real processes: its day, its incidents, its proof; and the proof turned red on purpose."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alatau_devnet.city import proof

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(480)]

_LIMIT_S = 420
"""On a machine that others use; alone it takes less than two minutes."""


def test_a_day_of_a_small_city_is_proved_to_the_tiyn(tmp_path: Path) -> None:
    """About a thousand residents, 56 shops, 2,000 payments, a hub killed five times, 40 who leave without it."""
    folder = tmp_path / "city"
    line = [sys.executable, "-m", "alatau_devnet.city", "--scale", "0.02", "--folder", str(folder)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    assert "PROVED: money in " in done.stdout
    report = (folder / "report.md").read_text()
    for told in ("killed -9 | 5 times", "the stale close is contested", "limit of the month is reached"):
        assert told in report
    for told in ("a lost phone's money is its successor's", "a court has frozen", "no name, single amount or invoice"):
        assert told in report
    document = json.loads((folder / "ledger.json").read_text())
    assert proof.check(document)[1] == []
    payer = next(account for account in document["accounts"].values() if account["paid"])
    payment = next(iter(payer["paid"]))
    payer["paid"][payment][0] += 1
    verdict, problems = proof.check(document)
    assert verdict.startswith("BROKEN")
    assert any(payment in problem for problem in problems)
