from pathlib import Path

import pytest

from tests.unit.cli.command_line import Alatau

REFERENCE = Path(__file__).parents[3] / "docs" / "operators" / "configuration.md"


@pytest.fixture
def home(alatau: Alatau, tmp_path: Path) -> Path:
    """An observer's home."""
    folder = tmp_path / "home"
    alatau("--home", folder, "init", "--name", "Auditor", "--observer")
    return folder


def test_each_wrong_line_is_named(alatau: Alatau, home: Path) -> None:
    """With what is allowed there; scripts get them as a list."""
    (home / "config.toml").write_text('[rpc]\nlisten = "x"\n[log]\nlevel = "loud"\n')
    outcome = alatau("--home", home, "config", "check")
    assert outcome.code == 3
    assert "config.toml:2: rpc.listen" in outcome.err
    assert 'config.toml:4: log.level = "loud": expected one of "debug"' in outcome.err
    problems = alatau("--home", home, "config", "check", "--json").json()["problems"]
    assert [p["source"] for p in problems] == ["config.toml:2", "config.toml:4", "genesis.json"]


def test_the_settings_in_force_are_shown(alatau: Alatau, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's overrides included."""
    monkeypatch.setenv("ALATAU_LOG_LEVEL", "debug")
    assert alatau("--home", home, "config", "show", "--json").json()["log"]["level"] == "debug"
    assert "ALATAU_RPC_LISTEN" in alatau("--home", home, "config", "show").out


def test_the_documentation_has_every_setting(alatau: Alatau) -> None:
    """Printed by the program itself; print it anew with: alatau config reference."""
    assert alatau("config", "reference").out == REFERENCE.read_text()
