"""The folder of a process's own sockets."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from alatau.transport.socket_folder import SocketFolder


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_only_its_user_can_enter_and_closing_removes_it() -> None:
    """Mode 0700; gone with everything in it."""
    folder = SocketFolder()
    (folder.path / "0").touch()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.close()
    assert not folder.path.exists()


def test_what_a_killed_process_left_is_removed_and_a_living_one_s_stays(tmp_path: Path) -> None:
    """The next process removes the folder of one that was killed; folders in use are not touched."""
    code = (
        "from alatau.transport.socket_folder import SocketFolder\n"
        "folder = SocketFolder()\n"
        "print(folder.path, flush=True)\n"
        "input()\n"
    )
    living = SocketFolder()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}, stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        SocketFolder().close()
        assert left.exists()
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    SocketFolder().close()
    assert not left.exists()
    assert living.path.exists()
    living.close()


def test_a_stranger_s_folder_and_a_link_are_left_alone(tmp_path: Path) -> None:
    """A link by our prefix is not followed."""
    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / "alatau-sockets-link").symlink_to(target)
    SocketFolder().close()
    assert target.exists()
