import io
from pathlib import Path

import pytest

from alatau.app.log_streams import RotatingFile, UnfailingStream


def test_a_full_file_is_set_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    """No line is torn, none is lost before its file is, and the files are bounded in number and size."""
    path = tmp_path / "node.log"
    log = RotatingFile(path, size_max=100, files_max=3)
    lines = [f"{number:09}\n" for number in range(45)]
    for line in lines:
        log.write(line)
    kept = [tmp_path / name for name in ("node.log.2", "node.log.1", "node.log")]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert all(file.stat().st_size <= 100 for file in kept)
    assert "".join(file.read_text() for file in kept) == "".join(lines[20:])
    assert path.stat().st_mode & 0o007 == 0


def test_a_file_is_gone_on_with(tmp_path: Path) -> None:
    """After a restart, its size counted in."""
    path = tmp_path / "node.log"
    RotatingFile(path, 100, 2).write("a" * 89 + "\n")
    again = RotatingFile(path, 100, 2)
    again.write("b\n")
    again.write("c" * 50 + "\n")
    assert (tmp_path / "node.log.1").read_text() == "a" * 89 + "\nb\n"
    assert path.read_text() == "c" * 50 + "\n"


def test_one_file_alone_begins_anew(tmp_path: Path) -> None:
    """Where only one may be kept."""
    log = RotatingFile(tmp_path / "node.log", 10, 1)
    for text in ("12345678\n", "abcdefgh\n"):
        log.write(text)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["abcdefgh\n"]


def test_what_cannot_be_written_is_dropped(tmp_path: Path) -> None:
    """A node does not end by its log: a folder that is gone, a pipe that is closed."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = RotatingFile(folder / "node.log", 10, 2)
    (folder / "node.log").unlink()
    folder.rmdir()
    assert [log.write("123456789\n") for _ in range(3)][-1] == 0
    closed = io.StringIO()
    closed.close()
    stream = UnfailingStream(closed)
    assert stream.write("x") == 0
    stream.flush()
    with pytest.raises(OSError, match="No such file"):
        RotatingFile(folder / "node.log", 10, 2)
