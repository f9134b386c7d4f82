"""What is read of a process."""

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alatau_devnet.process_usage import usage_of

_SIZE = 64 * 1024 * 1024


def test_what_a_process_makes_is_its_own_and_what_it_maps_is_not(tmp_path: Path) -> None:
    """LevelDB maps its tables: they are resident, and no leak."""
    path = tmp_path / "table"
    path.write_bytes(bytes(_SIZE))
    before = usage_of(os.getpid())
    made = bytearray(b"x") * _SIZE
    after_making = usage_of(os.getpid())
    assert after_making.own_bytes - before.own_bytes > _SIZE * 0.9
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[at] for at in range(0, _SIZE, 4096)) == 0
        after_mapping = usage_of(os.getpid())
    assert after_mapping.rss_bytes - after_making.rss_bytes > _SIZE * 0.9
    assert after_mapping.own_bytes - after_making.own_bytes < _SIZE * 0.1
    assert len(made) == _SIZE


def test_a_process_that_is_gone_has_no_usage() -> None:
    """A node that died between two readings."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(ProcessLookupError):
        usage_of(gone.pid)
