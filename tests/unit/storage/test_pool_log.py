"""The pool's log: what was appended comes back, whatever happened to the files meanwhile."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alatau.crypto.keccak import keccak256
from alatau.storage.disk import Disk
from alatau.storage.pool_log import PoolLog, read_pool_log


def tx(number: int, size: int = 120) -> bytes:
    """Bytes that pass for a transaction."""
    return keccak256(number.to_bytes(8, "big")).ljust(size, b"\0")


def test_what_was_appended_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    """Without close, flush or anything else: as kill -9 leaves it."""
    PoolLog(tmp_path).append([tx(1), tx(2)])
    second = PoolLog(tmp_path)
    second.append([tx(3), tx(1)])
    assert read_pool_log(tmp_path) == [tx(1), tx(2), tx(3)]


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    """The first start."""
    assert read_pool_log(tmp_path / "none") == []


def test_what_was_replaced_does_not_come_back(tmp_path: Path) -> None:
    """Else the pool would take the old one first and refuse the new; one that came again after it does."""
    log = PoolLog(tmp_path)
    log.append([tx(1)])
    log.append([tx(2)], [keccak256(tx(1))])
    assert read_pool_log(tmp_path) == [tx(2)]
    log.append([tx(1)], [keccak256(tx(2))])
    assert read_pool_log(tmp_path) == [tx(1)]


def test_a_turn_leaves_what_waits_and_what_came_since(tmp_path: Path) -> None:
    """Everything older is removed, in whatever order the writes come."""
    log = PoolLog(tmp_path, segment_bytes=300)
    log.append([tx(1), tx(2), tx(3)])
    assert log.full
    number = log.turn()
    assert not log.full
    log.append([tx(4)], [keccak256(tx(2))])
    log.keep(number, [tx(1), tx(2)])
    assert read_pool_log(tmp_path) == [tx(1), tx(4)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2.kept", "2.log"]


@pytest.mark.parametrize("fails", ["write", "sync", "replace"])
def test_a_turn_that_the_disk_refuses_removes_nothing(fails: str, tmp_path: Path) -> None:
    """The older segments hold it all until the new file is durable."""

    class Full(Disk):
        broken = False

    def refuse(*_: object) -> None:
        if Full.broken:
            raise OSError(28, "no space left")
        getattr(super(Full, disk), fails)(*_)

    disk = Full()
    setattr(disk, fails, refuse)
    log = PoolLog(tmp_path, disk)
    log.append([tx(1), tx(2)])
    number = log.turn()
    Full.broken = True
    with pytest.raises(OSError, match="no space"):
        log.keep(number, [tx(1), tx(2)])
    assert read_pool_log(tmp_path) == [tx(1), tx(2)]


def test_a_write_that_failed_halfway_is_written_over(tmp_path: Path) -> None:
    """The disk was full for a moment: what is appended later is not lost behind half a record."""

    class Half(Disk):
        broken = True

        def write(self, descriptor: int, data: bytes, offset: int) -> None:
            if self.broken:
                super().write(descriptor, data[: len(data) // 2], offset)
                raise OSError(28, "no space left")
            super().write(descriptor, data, offset)

    disk = Half()
    log = PoolLog(tmp_path, disk)
    with pytest.raises(OSError, match="no space"):
        log.append([tx(1)])
    disk.broken = False
    log.append([tx(2)])
    log.append([tx(3)])
    assert read_pool_log(tmp_path) == [tx(2), tx(3)]


@given(cut=st.integers(0, 700))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_tail_loses_only_what_it_tore(cut: int, tmp_path: Path) -> None:
    """Cut anywhere: the records before the cut are all there."""
    folder = tmp_path / str(cut)
    PoolLog(folder).append([tx(n) for n in range(5)])
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    size = 120 + 13
    assert read_pool_log(folder) == [tx(n) for n in range(min(5, cut // size))]
    path.unlink()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_loses_only_the_records_that_it_touches(seed: int, tmp_path: Path) -> None:
    """Bytes are overwritten anywhere; nothing raises, nothing invented comes back, the untouched records do."""
    folder = tmp_path / str(seed)
    PoolLog(folder).append([tx(n) for n in range(8)])
    (path,) = folder.iterdir()
    chance, data = Random(seed), bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    end = min(len(data), at + chance.randrange(1, 200))
    data[at:end] = chance.randbytes(end - at)
    path.write_bytes(data)
    size = 120 + 13
    untouched = [n for n in range(8) if (n + 1) * size <= at or n * size >= end]
    found = read_pool_log(folder)
    assert set(found) <= {tx(n) for n in range(8)}
    assert [t for t in found if t in {tx(n) for n in untouched}] == [tx(n) for n in untouched]
    path.unlink()


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """What is no segment is neither read nor removed, and a folder in the way of one does not stop the reading."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "x.log").write_bytes(b"?")
    log = PoolLog(tmp_path)
    log.append([tx(1)])
    log.keep(log.turn(), [tx(1)])
    assert read_pool_log(tmp_path) == [tx(1)]
    assert {"notes.txt", "x.log"} <= {p.name for p in tmp_path.iterdir()}


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Transactions that wait are nobody else's business before they are in a block."""
    log = PoolLog(tmp_path / "pool")
    log.append([tx(1)])
    log.keep(log.turn(), [tx(1)])
    assert (tmp_path / "pool").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "pool").iterdir())
