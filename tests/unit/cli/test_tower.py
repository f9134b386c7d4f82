"""``alatau tower``: making a home, and what commands say where they cannot go on. tests/e2e runs towers."""

from pathlib import Path

import pytest

from alatau.app.home import Home
from alatau.app.tower.home import TOWER
from alatau.client.keystore import keystore_address
from alatau.transport.certificates import authority_certificate, new_key
from tests.unit.cli.command_line import Alatau


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Certificates of a node that is not there."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority_certificate(new_key()))
    return path


def test_init_makes_a_home_that_start_takes(
    alatau: Alatau, tmp_path: Path, password_file: Path, authority: Path
) -> None:
    """The account is printed; started without a node, it says that none answers, with code 5."""
    folder = tmp_path / "tower"
    made = alatau(
        *("--home", folder, "tower", "init", "--node", "127.0.0.1:1", "--node-ca", authority, "--weak-keystore"),
        *("--listen", "127.0.0.1:7499", "--password-file", password_file, "--json"),
    )
    assert made.code == 0, made.err
    address = keystore_address(TOWER.keystore(Home(folder)))
    assert made.json()["account"] == "0x" + address.hex()
    assert "registrar" in made.err
    assert 'endpoints = "127.0.0.1:1"' in (folder / "config.toml").read_text()
    asked = alatau("--home", folder, "tower", "status")
    assert (asked.code, "Traceback" in asked.err) == (5, False)


def test_init_checks_before_it_writes(alatau: Alatau, tmp_path: Path, password_file: Path, authority: Path) -> None:
    """A node without a port, a file that holds no certificate: nothing is made."""
    folder, common = tmp_path / "tower", ("--weak-keystore", "--password-file", password_file)
    wrong = alatau("--home", folder, "tower", "init", "--node", "nowhere", "--node-ca", authority, *common)
    assert (wrong.code, "--node" in wrong.err) == (3, True)
    wrong = alatau("--home", folder, "tower", "init", "--node", "a:1", "--node-ca", password_file, *common)
    assert (wrong.code, "--node-ca" in wrong.err) == (3, True)
    assert not folder.exists()


def test_what_is_no_towers_home_is_not_started(alatau: Alatau, tmp_path: Path) -> None:
    """Start, exit and status say how to make one."""
    for command in (("start",), ("exit", "--yes"), ("status",)):
        refused = alatau("--home", tmp_path / "nothing", "tower", *command)
        assert (refused.code, "init" in refused.err) == (3, True)
