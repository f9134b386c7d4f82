"""What keeps a node from starting says so in a sentence, with its exit code, and harms nothing."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from alatau_devnet.network import Devnet, create_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.processes import stop_processes

pytestmark = pytest.mark.e2e


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a lone validator that was never started."""
    return create_network(tmp_path / "devnet", DevnetOptions(validators=1, residents=2)).nodes[0].home


def _start(home: Path, code: int) -> str:
    command = [sys.executable, "-m", "alatau.cli", "--home", str(home), "start"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors, done.stderr
    assert "Traceback" not in done.stderr
    return "\n".join(errors)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_second_process_on_the_same_home(standing_network: Devnet) -> None:
    """The first one is named and goes on."""
    assert "is in use by process" in _start(standing_network.nodes[0].home, code=4)


@pytest.mark.parametrize("section", ["rpc", "p2p", "metrics"])
def test_a_port_that_somebody_else_has(home: Path, section: str) -> None:
    """Each listener names its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        lines = (home / "config.toml").read_text().splitlines()
        at = lines.index(f"[{section}]")
        index = next(n for n in range(at, len(lines)) if lines[n].startswith("listen"))
        lines[index] = f'listen = "{endpoint}"'
        (home / "config.toml").write_text("\n".join(lines))
        assert str(taken.getsockname()[1]) in _start(home, code=4)


def test_a_wrong_line_in_the_configuration(home: Path) -> None:
    """By line, with what is allowed."""
    (home / "config.toml").write_text('[rpc]\nlisten = "nowhere"\n')
    assert "config.toml:2: rpc.listen" in _start(home, code=3)


def test_a_missing_and_a_wrong_genesis(home: Path) -> None:
    """A place in the document, or the command that makes one."""
    _replace(home / "genesis.json", '"chain_id": 7773', '"chain_id": 0')
    assert "config.chain_id is 0" in _start(home, code=3)
    (home / "genesis.json").unlink()
    assert "genesis.json" in _start(home, code=3)


def test_a_database_of_another_network(home: Path, standing_network: Devnet) -> None:
    """A genesis that does not fit the database is refused before anything is written."""
    node = standing_network.nodes[3]
    stop_processes([node.home])
    shutil.copytree(node.home / "data", home / "data")
    start_nodes(standing_network, (node,))
    assert "genesis" in _start(home, code=1)


def test_a_wrong_password(home: Path) -> None:
    """Nothing is tried twice."""
    (home / "keys/password").write_text("wrong\n")
    assert "password" in _start(home, code=6)
    (home / "keys/password").unlink()
    assert "keys/password cannot be read" in _start(home, code=6)


def test_a_damaged_key(home: Path) -> None:
    """Restored from a backup, not guessed at."""
    (home / "keys/voting.json").write_text("{}")
    assert "keystore" in _start(home, code=3)


def test_a_certificate_of_another_key(home: Path, standing_network: Devnet) -> None:
    """Told at start, not at the first handshake."""
    (home / "keys/tls.crt").write_bytes((standing_network.nodes[0].home / "keys/tls.crt").read_bytes())
    assert "another key" in _start(home, code=3)
