from pathlib import Path

import pytest

from alatau.cli.main import run
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
    """A file with a password."""
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path
