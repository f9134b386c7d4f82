import stat
import subprocess
import sys
from pathlib import Path

import pytest

from alatau.app.home import HomeError, HomeInUseError, create_home, home_user, lock_home, open_home
from alatau.app.private_file import write_private


def test_a_new_home_is_its_owners_alone(tmp_path: Path) -> None:
    """Folders are 0700, files 0600."""
    home = create_home(tmp_path / "home")
    write_private(home.config_file, b"")
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.config_file.stat().st_mode) == 0o600


def test_a_home_is_not_made_twice_and_not_opened_before(tmp_path: Path) -> None:
    """Both errors say what to do."""
    with pytest.raises(HomeError, match="alatau --home"):
        open_home(tmp_path)
    home = create_home(tmp_path)
    write_private(home.config_file, b"")
    with pytest.raises(HomeError, match="holds a node already"):
        create_home(tmp_path)
    assert open_home(tmp_path) == home


def test_a_second_process_is_kept_out_and_told_who_is_inside(tmp_path: Path) -> None:
    """Two nodes with one voting key would sign against each other."""
    home = create_home(tmp_path)
    program = (
        "import sys, pathlib; from alatau.app.home import Home, lock_home\n"
        f"with lock_home(Home(pathlib.Path({str(tmp_path)!r}))):\n print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(HomeInUseError, match=f"in use by process {other.pid}"), lock_home(home):
            pass
        assert home_user(home) == other.pid
        other.kill()
        other.wait()
        assert home_user(home) is None
        with lock_home(home):
            assert home.lock_file.exists()
