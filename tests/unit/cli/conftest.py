from collections.abc import Iterator
from pathlib import Path

import pytest

from alatau.app.private_file import write_private
from alatau.cli.main import run
from tests.support.hub_city import ServedCity, served_city
from tests.support.served_network import Network, network_contracts
from tests.support.served_network import served as serve_network
from tests.support.solo_node import solo_node
from tests.unit.cli.command_line import Alatau, Outcome


@pytest.fixture
def alatau(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Alatau:
    """Run a command line in this process, as nobody who could be asked for a password."""
    for variable in ("ALATAU_HOME", "ALATAU_PASSWORD", "ALATAU_NODE", "ALATAU_CA"):
        monkeypatch.delenv(variable, raising=False)

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """A file with a password, its owner's alone."""
    path = tmp_path / "password"
    write_private(path, b"correct horse\n")
    return path


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A running network with the contracts of genesis."""
    node = solo_node(tmp_path / "node", contracts=network_contracts())
    with serve_network(node, tmp_path / "users") as network:
        yield network
    node.store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedCity]:
    """A payment hub and its chain."""
    with served_city(tmp_path) as found:
        yield found
