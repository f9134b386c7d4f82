"""A validator that lost its sign state, on real nodes: everybody who looks is told, and its operator can decide."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alatau_devnet.network import Devnet, start_nodes
from alatau_devnet.processes import LOG_NAME, stop_processes
from alatau_devnet.watch import client_of, height_of, wait_for_height
from tests.e2e.agreement import RECOVERY_S, assert_agreement

pytestmark = pytest.mark.e2e


def _alatau(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alatau.cli", "--home", str(home), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_lost_sign_state_is_told_first_and_decided_by_the_operator(four_validators: Devnet) -> None:
    """Status and doctor say it before all else, with the command; after that the end of the silence is known."""
    network = four_validators
    node, others = network.nodes[3], network.nodes[:3]
    wait_for_height(network.nodes, 3, RECOVERY_S)
    stop_processes([node.home])
    (node.home / "sign_state.json").unlink()
    start_nodes(network, (node,))
    wait_for_height((node,), 3, RECOVERY_S)
    with client_of(node) as client:
        deadline = time.monotonic() + RECOVERY_S
        while client.status().silence != "sign_state_stale":
            assert time.monotonic() < deadline, "nobody is told"
            time.sleep(0.2)
    status = _alatau(node.home, "status")
    assert "THIS VALIDATOR DOES NOT SIGN (sign_state_stale)" in status.stdout.splitlines()[0]
    doctor = _alatau(node.home, "doctor", "--json")
    assert doctor.returncode == 1
    signing = json.loads(doctor.stdout)[0]
    assert (signing["check"], signing["level"]) == ("signing", "failure")
    assert "keys resume-signing" in signing["found"]
    assert "consensus.silent" in (node.home / LOG_NAME).read_text()
    stop_processes([node.home])
    known = max(map(height_of, others))
    resumed = _alatau(node.home, "keys", "resume-signing", "--network-height", known, "--yes", "--json")
    assert resumed.returncode == 0, resumed.stderr
    start_nodes(network, (node,))
    wait_for_height((node,), 3, RECOVERY_S)
    with client_of(node) as client:
        deadline = time.monotonic() + RECOVERY_S
        while client.status().silence != "consensus_log_lost":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        (warning,) = client.status().warnings
        assert f"from height {json.loads(resumed.stdout)['signs_from_height']} on" in warning
    assert_agreement(network)
