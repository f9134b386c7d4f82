"""Files for their owner's eyes."""

from pathlib import Path

import pytest

from alatau.app.private_file import PRIVATE_MODE, is_private, write_private


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Whatever the umask, and also where a partial file with a wider mode was left behind by a crash."""
    path = tmp_path / "key"
    partial = tmp_path / "key.partial"
    partial.write_bytes(b"left behind, and longer than what is written now")
    partial.chmod(0o666)
    write_private(path, b"secret")
    assert path.read_bytes() == b"secret"
    assert path.stat().st_mode & 0o777 == PRIVATE_MODE
    assert is_private(path)
    assert not partial.exists()


def test_a_file_that_others_may_read_is_told_apart(tmp_path: Path) -> None:
    """Group or others, reading or writing."""
    path = tmp_path / "key"
    path.touch()
    for mode, private in ((0o600, True), (0o400, True), (0o640, False), (0o602, False)):
        path.chmod(mode)
        assert is_private(path) is private


def test_an_existing_file_stays_as_it_is(tmp_path: Path) -> None:
    """A key is replaced on request only."""
    path = tmp_path / "key"
    write_private(path, b"one")
    with pytest.raises(FileExistsError, match="exists already"):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"
    write_private(path, b"three", replace=True)
    assert path.read_bytes() == b"three"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """The system's own error comes out, and nothing is left."""
    with pytest.raises(FileNotFoundError):
        write_private(tmp_path / "nowhere" / "key", b"one")
    assert list(tmp_path.iterdir()) == []
