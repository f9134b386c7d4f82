"""The seam through which everything is written."""

import os
from pathlib import Path

import pytest

from alatau.storage.disk import Disk, atomic_write


def test_writes_land_where_they_should(tmp_path: Path) -> None:
    """All bytes, at the offset; and a cut takes effect."""
    descriptor = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    disk = Disk()
    disk.write(descriptor, b"abcdef", 0)
    disk.write(descriptor, b"XY", 2)
    disk.sync(descriptor)
    assert (tmp_path / "f").read_bytes() == b"abXYef"
    disk.truncate(descriptor, 3)
    os.close(descriptor)
    assert (tmp_path / "f").read_bytes() == b"abX"


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take fewer bytes than it is given."""
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: whole(fd, data[:3], offset))
    descriptor = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    Disk().write(descriptor, b"0123456789", 5)
    os.close(descriptor)
    assert (tmp_path / "f").read_bytes() == bytes(5) + b"0123456789"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new content is there, private, and nothing is left beside it."""
    path = tmp_path / "f"
    for content in (b"one", b"another"):
        atomic_write(Disk(), path, content)
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_free_room_is_known(tmp_path: Path) -> None:
    """As statvfs tells it to a user without privileges."""
    status = os.statvfs(tmp_path)
    assert 0 < Disk().free_bytes(tmp_path) <= status.f_blocks * status.f_frsize
