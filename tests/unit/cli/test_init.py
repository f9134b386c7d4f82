import stat
from pathlib import Path

from alatau.client.keystore import keystore_address, read_keystore
from alatau_devnet.ports import choose_ports
from tests.unit.cli.command_line import Alatau


def test_a_home_is_complete_but_for_the_genesis(alatau: Alatau, tmp_path: Path, password_file: Path) -> None:
    """Keys that open with the password, a certificate, a configuration that only lacks the network."""
    home = tmp_path / "home"
    ports = {kind: numbers[0] for kind, numbers in choose_ports(1).items()}
    listen = [word for kind, port in ports.items() for word in (f"--{kind}-listen", f"127.0.0.1:{port}")]
    made = alatau(
        "--home", home, "init", "--name", "Ministry", *listen, "--weak-keystore",
        "--password-file", password_file, "--json",
    )  # fmt: skip
    assert made.code == 0
    facts = made.json()
    assert facts["operator"] == "0x" + read_keystore(home / "keys/operator.json", "correct horse").address.hex()
    assert facts["voting_address"] == "0x" + keystore_address(home / "keys/voting.json").hex()
    assert f'listen = "127.0.0.1:{ports["rpc"]}"' in (home / "config.toml").read_text()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (home / "keys").iterdir())
    checked = alatau("--home", home, "config", "check")
    assert checked.code == 3
    assert checked.err.splitlines() == [
        "error: genesis.json: missing; copy the network's genesis file here, or see: alatau genesis --help"
    ]


def test_an_observer_has_no_voting_key(alatau: Alatau, tmp_path: Path) -> None:
    """And needs no password."""
    made = alatau("--home", tmp_path / "home", "init", "--name", "Auditor", "--observer", "--json")
    assert made.code == 0
    assert made.json()["voting_address"] is None
    assert not (tmp_path / "home/keys/voting.json").exists()


def test_a_home_is_not_made_over_another(alatau: Alatau, tmp_path: Path) -> None:
    """Keys would be lost."""
    alatau("--home", tmp_path / "home", "init", "--name", "A", "--observer")
    key = (tmp_path / "home/keys/tls.key").read_bytes()
    again = alatau("--home", tmp_path / "home", "init", "--name", "A", "--observer")
    assert again.code == 3
    assert "holds a node already" in again.err
    assert (tmp_path / "home/keys/tls.key").read_bytes() == key


def test_without_a_password_nothing_is_made(alatau: Alatau, tmp_path: Path) -> None:
    """The message names the three ways to give one."""
    outcome = alatau("--home", tmp_path / "home", "init", "--name", "A")
    assert outcome.code == 6
    assert "ALATAU_PASSWORD" in outcome.err
    assert not (tmp_path / "home").exists()


def test_a_wrong_endpoint_is_refused_before_anything_is_made(alatau: Alatau, tmp_path: Path) -> None:
    """The option is named."""
    outcome = alatau("--home", tmp_path / "home", "init", "--name", "A", "--observer", "--p2p-listen", "nowhere")
    assert outcome.code == 3
    assert "--p2p-listen: nowhere: expected host:port" in outcome.err
    assert not (tmp_path / "home").exists()
