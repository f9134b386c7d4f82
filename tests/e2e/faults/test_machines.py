"""Machines that misbehave: wrong clocks, ended certificates, full disks, another version of the node."""

import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import alatau
from alatau.app.home import Home
from alatau.app.private_file import write_private
from alatau.app.provision import load_tls_identity
from alatau.transport.certificates import issue_identity
from alatau_devnet.crash_storage import fill
from alatau_devnet.network import Devnet, DevnetNode, start_nodes
from alatau_devnet.processes import LOG_NAME, running_pid, start_process, stop_processes
from alatau_devnet.watch import client_of, height_of, signed_last, status_of, wait_for_height, wait_until
from tests.e2e.agreement import RECOVERY_S, assert_agreement, assert_kept, assert_recovery
from tests.e2e.background_load import paying

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
_ROOT = Path(__file__).parents[3]
_PACKAGES = (Path("node/alatau"), Path("devnet/alatau_devnet"))
_WIRE_CHANGE = "Vote prevote = 4;"
"""The line of peer_service.proto that came last: with the next one, name it here."""


@pytest.mark.parametrize("offset_s", [3_600.0, -3_600.0])
def test_a_clock_an_hour_off_is_passed_over_and_told(four_validators: Devnet, offset_s: float) -> None:
    """The others decide on, soon in round 0 again; the one that is off is told; with the right clock it signs again."""
    network = four_validators
    *others, victim = network.nodes
    with paying(network, others[0], "resident_1") as done:
        _restart_with_clock(victim, offset_s)
        assert_recovery((victim,), height_of(others[0]))
        start = height_of(others[0])
        wait_for_height(others, start + 60, 120.0)
        with client_of(others[0]) as client:
            rounds = [client.commit(height).round for height in range(start + 40, start + 60)]
        assert sum(round_ > 0 for round_ in rounds) <= 2, rounds
        status = status_of(victim)
        assert status is not None
        assert any("THE CLOCK" in warning for warning in status.warnings), status.warnings
        _restart_with_clock(victim, 0.0)
        assert wait_until(lambda: signed_last(others[0], victim.voting_address), RECOVERY_S)
    assert_agreement(network)
    assert_kept(network, done)


def test_an_ended_certificate_is_renewed_at_the_start(four_validators: Devnet) -> None:
    """A validator that was down until after its certificate's end comes back on the same key."""
    network = four_validators
    victim, others = network.nodes[1], (network.nodes[0], *network.nodes[2:])
    with paying(network, others[0], "resident_1") as done:
        stop_processes([victim.home])
        before = _put_certificate(victim, datetime.now(UTC) - timedelta(days=120))
        start_nodes(network, (victim,))
        assert_recovery((victim,), max(map(height_of, others)))
        assert wait_until(lambda: signed_last(others[0], victim.voting_address), RECOVERY_S)
    after = load_tls_identity(Home(victim.home))
    assert after.certificate_pem != before
    assert after.not_after > datetime.now(UTC) + timedelta(days=60)
    assert after.public_key == victim.tls_public_key
    assert_agreement(network)
    assert_kept(network, done)


def test_all_certificates_end_while_the_network_is_down(four_validators: Devnet) -> None:
    """After half a year in the dark every node renews its own, and they know each other by their keys."""
    network = four_validators
    wait_for_height(network.nodes, 3, RECOVERY_S)
    stop_processes(node.home for node in network.nodes)
    stood = 3
    for node in network.nodes:
        _put_certificate(node, datetime.now(UTC) - timedelta(days=120))
    start_nodes(network)
    assert_recovery(network.nodes, stood + 3)
    assert_agreement(network)


def test_a_certificate_replaced_under_load_costs_no_block(four_validators: Devnet) -> None:
    """The running node takes it; its sessions go on, and no height needs another round because of it."""
    network = four_validators
    victim, other = network.nodes[0], network.nodes[1]
    with paying(network, other, "resident_1") as done:
        before = _put_certificate(victim, datetime.now(UTC) - timedelta(days=1))
        start = height_of(other)
        assert wait_until(lambda: "certificate.taken" in _log(victim), 2 * RECOVERY_S)
        wait_for_height(network.nodes, start + 10, 60.0)
        with client_of(victim) as client:  # A new handshake, with the new certificate.
            assert client.status().height >= start
    assert load_tls_identity(Home(victim.home)).certificate_pem == before
    assert_agreement(network)
    assert_kept(network, done)


def test_a_full_disk_stops_one_node_in_order(four_validators: Devnet, tmp_path: Path) -> None:
    """It says so and ends; the others do not notice; with some room again it catches up, and nothing is lost."""
    network = four_validators
    victim, others = network.nodes[2], (*network.nodes[:2], network.nodes[3])
    stop_processes([victim.home])
    with _small_disk(victim.home / "data", 48) as filler, paying(network, others[0], "resident_1") as done:
        start_nodes(network, (victim,))
        wait_for_height((victim,), max(map(height_of, others)), RECOVERY_S)
        fill(filler, free_kib=256)
        assert wait_until(lambda: running_pid(victim.home) is None, 120.0), "it goes on with a full disk"
        assert "no room on the disk" in _log(victim)
        at = max(map(height_of, others))
        wait_for_height(others, at + 10, 60.0)
        filler.unlink()
        start_nodes(network, (victim,))
        assert_recovery((victim,), at + 10)
        assert wait_until(lambda: signed_last(others[0], victim.voting_address), RECOVERY_S)
        assert_agreement(network)
        stop_processes([victim.home])
        shutil.copytree(victim.home / "data", tmp_path / "data")
    shutil.copytree(tmp_path / "data", victim.home / "data", dirs_exist_ok=True)
    start_nodes(network, (victim,))
    assert_agreement(network)
    assert_kept(network, done)


@pytest.mark.parametrize("other", ["the next version", "the last other wire form"])
def test_nodes_change_versions_one_after_the_other(four_validators: Devnet, tmp_path: Path, other: str) -> None:
    """Each is stopped in order and started from other software, under load, and back again.

    First the same program under another version's number; then the program from before the last change of what
    validators say to each other, so that in between both forms decide together.
    """
    network = four_validators
    sources = tmp_path / "other"
    if other == "the next version":
        for package in _PACKAGES:
            shutil.copytree(_ROOT / package, sources / package.name)
    else:
        _extract_earlier(sources)
    with (sources / "alatau" / "__init__.py").open("a") as module:
        module.write('__version__ = "99.0.0"\n')
    with (
        paying(network, network.nodes[0], "resident_1") as first,
        paying(network, network.nodes[3], "resident_2") as second,
    ):
        for program, version in ((sources, "99.0.0"), (None, alatau.__version__)):
            for node in network.nodes:
                others = [n for n in network.nodes if n is not node]
                before = max(map(height_of, others))
                stop_processes([node.home])
                wait_for_height(others, before + 3, RECOVERY_S)
                _start(node, sources=program)
                assert_recovery((node,), before + 3)
                status = status_of(node)
                assert status is not None
                assert status.version == version
                assert wait_until(partial(signed_last, others[0], node.voting_address), RECOVERY_S)
    assert_agreement(network)
    assert_kept(network, first)
    assert_kept(network, second)


def _extract_earlier(folder: Path) -> None:
    """The program as it was before ``_WIRE_CHANGE``, from the history of this checkout."""
    proto = "protos/alatau/p2p/v1/peer_service.proto"
    found = _git("log", "--reverse", "--format=%H", f"-S{_WIRE_CHANGE}", "--", proto)
    if found is None or not found.strip():
        pytest.skip("the earlier program is in the history, which this checkout does not have")
    packed = _git("archive", found.decode().split()[0] + "^", "--", *map(str, _PACKAGES))
    if packed is None:
        pytest.skip("the history ends with the change")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder / "tree", filter="data")
    for package in _PACKAGES:
        (folder / "tree" / package).rename(folder / package.name)


def _git(*words: str) -> bytes | None:
    done = subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, check=False)
    return None if done.returncode else done.stdout


def _restart_with_clock(node: DevnetNode, offset_s: float) -> None:
    stop_processes([node.home])
    _start(node, ("alatau_devnet.attack.skewed_node", f"{offset_s}") if offset_s else ("alatau.cli",))


def _start(node: DevnetNode, program: Sequence[str] = ("alatau.cli",), sources: Path | None = None) -> None:
    start_process(node.home, program, sources)
    assert wait_until(lambda: running_pid(node.home) is not None, RECOVERY_S)


def _put_certificate(node: DevnetNode, issued: datetime) -> bytes:
    """Give a node a certificate of its own key that was issued then, for 90 days."""
    home = Home(node.home)
    identity = issue_identity(home.tls_key.read_bytes(), node.name, ["localhost", "127.0.0.1", "::1"], now=issued)
    write_private(home.tls_certificate, identity.certificate_pem, replace=True)
    return identity.certificate_pem


def _log(node: DevnetNode) -> str:
    return (node.home / LOG_NAME).read_text(errors="replace")


@contextmanager
def _small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """Mount a file system of ``mib`` over a folder, with what was in it; gives a file to fill it with."""
    held = folder.with_name("held")
    folder.rename(held)
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system needs the right to mount one: {mounted.stderr.strip()}")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        yield folder / "filler"
    finally:
        deadline = time.monotonic() + 30
        while subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline, f"{folder} cannot be unmounted"
            time.sleep(0.5)
