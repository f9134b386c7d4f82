"""``alatau db check --online``: beside a node that has its database open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alatau.app.home import Home, lock_home
from alatau.app.startup import open_node
from alatau.cli.exit_codes import ExitCode
from alatau.storage.store import Store
from alatau_devnet.network import create_network
from alatau_devnet.plan import DevnetOptions
from tests.unit.cli.command_line import Alatau


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """The home of a node that runs: its database is open, and its home is locked."""
    home = Home(create_network(tmp_path / "network", DevnetOptions(validators=1, residents=2)).nodes[0].home)
    with open_node(home, {}, None):
        pass
    with lock_home(home):
        store = Store.open(home.database)
        try:
            list(store.compact())
            yield home
        finally:
            store.close()


def test_a_database_in_use_is_checked_on_a_copy(home: Home, alatau: Alatau) -> None:
    """It is sound, and nothing of the copy stays. Without ``--online`` the running node is in the way."""
    outcome = alatau("--home", str(home.folder), "db", "check", "--online", "--json")
    assert (outcome.code, outcome.json()) == (ExitCode.OK, {"ok": True, "height": 0, "findings": []})
    assert list(home.folder.glob("check-*")) == []
    assert alatau("--home", str(home.folder), "db", "check").code == ExitCode.IN_USE


def test_a_table_that_is_gone_is_damage(home: Home, alatau: Alatau) -> None:
    """The node still reads it; the check says what the next start would."""
    next((home.database / "db").glob("*.ldb")).unlink()
    outcome = alatau("--home", str(home.folder), "db", "check", "--online")
    assert outcome.code == ExitCode.DAMAGED
    assert "damaged" in outcome.err
    assert list(home.folder.glob("check-*")) == []
