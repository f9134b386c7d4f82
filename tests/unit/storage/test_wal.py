"""The consensus log: what was flushed is there, what was torn is cut off, what was damaged is refused."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.storage import wal as module
from alatau.storage.disk import Disk
from alatau.storage.errors import CorruptionError, DiskFullError, WriteFailedError
from alatau.storage.wal import WalFullError, WalRecord, WriteAheadLog
from tests.support.noting_disk import NotingDisk

RECORDS = [WalRecord(7, b"vote %d" % n * (n + 1)) for n in range(4)]


def filled(folder: Path, records: list[WalRecord] = RECORDS) -> Path:
    """A log that was flushed and closed; gives its file."""
    wal, report = WriteAheadLog.open(folder)
    assert report.records == ()
    for record in records:
        wal.append(record.height, record.payload)
    wal.flush()
    wal.close()
    return wal.path


def reopened(folder: Path) -> tuple[list[WalRecord], int]:
    """What opening finds: records and torn bytes."""
    wal, report = WriteAheadLog.open(folder)
    wal.close()
    return list(report.records), report.torn_bytes


class Refusing(Disk):
    """A disk that refuses one kind of operation."""

    def __init__(self, refused: str, number: int = errno.ENOSPC, written: int = 0) -> None:
        self.refused = refused
        self.number = number
        self.written = written
        """Bytes of the refused write that reach the file all the same."""

    def _refuse(self, operation: str) -> None:
        if operation == self.refused:
            raise OSError(self.number, os.strerror(self.number))

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """See ``Disk``."""
        if self.refused == "write":
            super().write(descriptor, data[: self.written], offset)
        self._refuse("write")
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        """See ``Disk``."""
        self._refuse("sync")
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """See ``Disk``."""
        self._refuse("truncate")
        super().truncate(descriptor, size)


def test_flushed_records_come_back(tmp_path: Path) -> None:
    """In order, with their heights; and appending goes on behind them."""
    filled(tmp_path)
    wal, report = WriteAheadLog.open(tmp_path)
    assert (list(report.records), report.torn_bytes) == (RECORDS, 0)
    wal.append(8, b"more")
    wal.flush()
    wal.close()
    assert reopened(tmp_path) == ([*RECORDS, WalRecord(8, b"more")], 0)


def test_what_was_not_flushed_may_be_lost_whole(tmp_path: Path) -> None:
    """Closing without a flush drops what was appended since; nothing before it."""
    filled(tmp_path)
    wal, _ = WriteAheadLog.open(tmp_path)
    wal.append(7, b"said to nobody")
    wal.close()
    assert reopened(tmp_path) == (RECORDS, 0)


def test_reset_empties_the_log(tmp_path: Path) -> None:
    """After a commit the file is cut to its start, and appended-but-unflushed records go with it."""
    path = filled(tmp_path)
    wal, _ = WriteAheadLog.open(tmp_path)
    wal.append(7, b"late")
    wal.reset()
    wal.append(8, b"next height")
    wal.flush()
    wal.close()
    assert reopened(tmp_path) == ([WalRecord(8, b"next height")], 0)
    assert path.stat().st_size < 40


def test_every_torn_tail_is_cut_off_and_reported(tmp_path: Path) -> None:
    """Cut at any byte, the log gives the whole records before the cut and says how much it dropped."""
    path = filled(tmp_path)
    data = path.read_bytes()
    ends = [8]
    for record in RECORDS:
        ends.append(ends[-1] + 16 + len(record.payload))
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends) - 1
        torn = cut - ends[whole] if whole >= 0 else 0
        assert reopened(tmp_path) == (RECORDS[: max(whole, 0)], torn)
        assert reopened(tmp_path) == (RECORDS[: max(whole, 0)], 0), "the repair is lasting"


@pytest.mark.parametrize("tail", [bytes(500), b"\xff" * 500, os.urandom(500)], ids=["zeros", "ones", "noise"])
def test_garbage_behind_the_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    """What a power failure leaves in a file that had grown is no record."""
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert reopened(tmp_path) == (RECORDS, 500)


def test_damage_before_valid_records_is_refused(tmp_path: Path) -> None:
    """A flipped bit anywhere but in the last record is an error that names the file and the remedy."""
    path = filled(tmp_path)
    data = path.read_bytes()
    last = len(data) - 16 - len(RECORDS[-1].payload)
    for byte in range(last):
        path.write_bytes(data[:byte] + bytes((data[byte] ^ 4,)) + data[byte + 1 :])
        with pytest.raises(CorruptionError, match="Move the file away"):
            WriteAheadLog.open(tmp_path)
        assert path.stat().st_size == len(data), "a refused log is left as it is"


def test_old_records_behind_a_lost_truncation_are_no_damage(tmp_path: Path) -> None:
    """If the cut after a commit did not reach the disk, records of the height before may lie behind the new ones."""
    path = filled(tmp_path, [WalRecord(8, b"new"), WalRecord(7, b"old" * 9), WalRecord(7, b"older")])
    data = path.read_bytes()
    path.write_bytes(data[:30] + b"\xee" + data[31:])  # the first old record, half overwritten
    assert reopened(tmp_path) == ([WalRecord(8, b"new")], len(data) - 27)


def test_another_file_is_refused(tmp_path: Path) -> None:
    """What does not begin like a log is not overwritten."""
    (tmp_path / "consensus.wal").write_bytes(b"something else entirely")
    with pytest.raises(CorruptionError, match="does not begin like a consensus log"):
        WriteAheadLog.open(tmp_path)
    assert (tmp_path / "consensus.wal").read_bytes() == b"something else entirely"


@pytest.mark.parametrize("refused", ["truncate", "sync"])
def test_a_repair_that_fails_loses_nothing(tmp_path: Path, refused: str) -> None:
    """The good records survive a repair that the disk refuses, and the next opening repairs."""
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes() + b"torn")
    with pytest.raises(WriteFailedError):
        WriteAheadLog.open(tmp_path, Refusing(refused, errno.EIO))
    assert reopened(tmp_path)[0] == RECORDS


@pytest.mark.parametrize("written", [0, 5, 20, 40])
def test_a_full_disk_stops_the_log(tmp_path: Path, written: int) -> None:
    """However much of a record got through, nothing more is written, and opening again finds all that was flushed."""
    filled(tmp_path)
    disk = Refusing("nothing")
    wal, _ = WriteAheadLog.open(tmp_path, disk)
    disk.refused, disk.written = "write", written
    wal.append(7, b"x" * 30)
    with pytest.raises(DiskFullError, match="Free some space"):
        wal.flush()
    disk.refused = "nothing"
    wal.append(7, b"y")
    with pytest.raises(WriteFailedError, match="start the node again"):
        wal.flush()
    wal.close()
    records, _ = reopened(tmp_path)
    assert records[: len(RECORDS)] == RECORDS
    assert records[len(RECORDS) :] in ([], [WalRecord(7, b"x" * 30)])


def test_a_failed_fsync_is_not_tried_again(tmp_path: Path) -> None:
    """After fsync failed the kernel may have dropped the data: a second one that succeeds would prove nothing."""
    disk = Refusing("nothing")
    wal, _ = WriteAheadLog.open(tmp_path, disk)
    disk.refused, disk.number = "sync", errno.EIO
    wal.append(1, b"x")
    with pytest.raises(WriteFailedError):
        wal.flush()
    disk.refused = "nothing"
    with pytest.raises(WriteFailedError, match="earlier write"):
        wal.flush()
    wal.close()


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A height that never ends fills its bound and stops with a reason; many records say when to write."""
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 1_000)
    monkeypatch.setattr(module, "_PENDING_BYTES_MAX", 300)
    wal, _ = WriteAheadLog.open(tmp_path)
    wal.append(3, b"x" * 100)
    assert not wal.is_crowded
    for _ in range(2):
        wal.append(3, b"x" * 100)
    assert wal.is_crowded
    wal.write()
    assert not wal.is_crowded
    assert wal.path.stat().st_size > 300
    with pytest.raises(WalFullError, match="of height 3 alone"):
        [wal.append(3, b"x" * 100) for _ in range(10)]
    assert wal.path.stat().st_size < 500, "appending alone writes nothing"
    wal.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=20))
def test_any_payload_comes_back(tmp_path_factory: pytest.TempPathFactory, items: list[tuple[int, bytes]]) -> None:
    """Payloads are opaque, also such as look like records."""
    folder = tmp_path_factory.mktemp("wal")
    records = [WalRecord(height, payload) for height, payload in items]
    filled(folder, records)
    assert reopened(folder) == (records, 0)


def test_a_rewritten_log_holds_the_new_records_and_goes_on(tmp_path: Path) -> None:
    """What was there before, flushed or not, is gone; what is appended afterwards follows."""
    log, _ = WriteAheadLog.open(tmp_path)
    for number in range(100):
        log.append(7, b"old %d" % number)
    log.flush()
    log.append(7, b"not flushed")
    before = (tmp_path / "consensus.wal").stat().st_size
    log.rewrite([(7, b"one"), (7, b"two")])
    assert (tmp_path / "consensus.wal").stat().st_size < before / 10
    log.append(7, b"three")
    log.flush()
    log.close()
    log, report = WriteAheadLog.open(tmp_path)
    assert [record.payload for record in report.records] == [b"one", b"two", b"three"]
    log.close()


class NoRename(Disk):
    """The power fails before the new log has its name."""

    def replace(self, source: Path, target: Path) -> None:
        """Never."""
        raise OSError(errno.EIO, "no")


def test_a_rewriting_that_fails_leaves_the_old_log(tmp_path: Path) -> None:
    """Whole, or not at all; and the node stops."""
    log, _ = WriteAheadLog.open(tmp_path, NoRename())
    log.append(7, b"old")
    log.flush()
    with pytest.raises(WriteFailedError):
        log.rewrite([(7, b"new")])
    log.append(7, b"more")
    with pytest.raises(WriteFailedError, match="earlier write"):
        log.flush()
    log.close()
    log, report = WriteAheadLog.open(tmp_path)
    assert [record.payload for record in report.records] == [b"old"]
    log.close()


def test_a_new_log_is_durable_by_name(tmp_path: Path) -> None:
    """A file whose name a power failure takes is as lost as its content."""
    disk = NotingDisk()
    wal, _ = WriteAheadLog.open(tmp_path, disk)
    wal.close()
    assert disk.done == ["write", "sync", "sync folder"]


def test_a_file_of_somebody_else_is_named_as_such(tmp_path: Path) -> None:
    """The operator looks at its owner, not at the disk."""
    wal, _ = WriteAheadLog.open(tmp_path, Refusing("nothing"))
    wal.close()
    wal, _ = WriteAheadLog.open(tmp_path, Refusing("write", errno.EACCES))
    wal.append(7, b"x")
    with pytest.raises(WriteFailedError, match="may not be written by this user"):
        wal.flush()
    wal.close()


def test_nothing_is_written_or_synced_twice(tmp_path: Path) -> None:
    """A log that is whole is only read; a flush without anything new costs no fsync."""
    path, disk = filled(tmp_path / "a" / "b"), NotingDisk()
    assert path.stat().st_mode & 0o777 == 0o600
    wal, _ = WriteAheadLog.open(path.parent, disk)
    wal.flush()
    assert disk.done == []
    wal.append(7, b"x")
    wal.flush()
    wal.flush()
    assert disk.done == ["write", "sync"]
    wal.append(7, b"x")
    wal.write()
    wal.reset()
    wal.flush()
    assert disk.done[2:] == ["write", "truncate"], "what was cut off needs no fsync"
    wal.rewrite([(7, b"y")])
    disk.done.clear()
    wal.flush()
    assert disk.done == []
    wal.close()


def test_after_a_failed_reset_nothing_is_written(tmp_path: Path) -> None:
    """Where the next record would go is not known."""
    disk = Refusing("truncate", errno.EIO)
    wal, _ = WriteAheadLog.open(tmp_path, Refusing("nothing"))
    wal.close()
    wal, _ = WriteAheadLog.open(tmp_path, disk)
    with pytest.raises(WriteFailedError, match="could not be written"):
        wal.reset()
    wal.append(7, b"x")
    with pytest.raises(WriteFailedError, match="earlier write"):
        wal.flush()
    wal.close()


@pytest.mark.parametrize("before", ["nothing", "write", "reset", "rewrite"])
def test_bounds_count_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    """The file may be full to the last byte, whatever was done before; so may be what waits in memory."""
    wal, _ = WriteAheadLog.open(tmp_path)
    end = {"nothing": 0, "write": 100, "reset": 0, "rewrite": 100}[before]
    if before != "nothing":
        wal.append(7, b"x" * 84)
    match before:
        case "write":
            wal.write()
        case "reset":
            wal.reset()
        case "rewrite":
            wal.rewrite([(7, b"x" * 84)])
    monkeypatch.setattr(module, "_PENDING_BYTES_MAX", 100)
    monkeypatch.setattr(module, "FILE_BYTES_MAX", len(b"ALATAUW1") + end + 100)
    wal.append(7, b"x" * 84)
    assert not wal.is_crowded
    with pytest.raises(WalFullError):
        wal.append(7, b"")
    assert wal.is_crowded
    wal.close()


def test_a_full_log_says_how_much_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In MiB."""
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 3 << 20)
    wal, _ = WriteAheadLog.open(tmp_path)
    with pytest.raises(WalFullError, match="holds 3 MiB of height 7"):
        wal.append(7, bytes(3 << 20))
    wal.close()


def test_the_largest_payload_comes_back_and_a_larger_one_is_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size beyond the bound is damage, even if all else is right."""
    monkeypatch.setattr(module, "PAYLOAD_BYTES_MAX", 100)
    filled(tmp_path, [WalRecord(7, b"x" * 100)])
    assert reopened(tmp_path) == ([WalRecord(7, b"x" * 100)], 0)
    monkeypatch.setattr(module, "PAYLOAD_BYTES_MAX", 99)
    assert reopened(tmp_path) == ([], 116)


def test_a_record_that_is_shorter_than_it_says_is_torn(tmp_path: Path) -> None:
    """Even if the checksum is that of what is there."""
    path = filled(tmp_path, [WalRecord(7, b"whole"), WalRecord(7, b"torn")])
    data = path.read_bytes()
    header = len(b"ALATAUW1") + 16 + len(b"whole")
    path.write_bytes(data[:header] + (9).to_bytes(4, "big") + data[header + 4 :])
    assert reopened(tmp_path) == ([WalRecord(7, b"whole")], 16 + len(b"torn"))


@pytest.mark.parametrize("data", [b"ALATAUX", b"x", b"ALATAUW2"])
def test_a_short_file_that_is_no_log_is_refused(tmp_path: Path, data: bytes) -> None:
    """Only a beginning of the very first bytes may be a log whose making was cut short."""
    (tmp_path / "consensus.wal").write_bytes(data)
    with pytest.raises(CorruptionError, match="does not begin like a consensus log"):
        WriteAheadLog.open(tmp_path)


def damaged(folder: Path, heights: list[int], number: int) -> Path:
    """A log of records of these heights, of which one has another payload than it had."""
    path = filled(folder, [WalRecord(height, b"record %d" % n) for n, height in enumerate(heights)])
    data, at = path.read_bytes(), len(b"ALATAUW1") + 16 + number * (16 + len(b"record 0"))
    path.write_bytes(data[:at] + b"R" + data[at + 1 :])
    return path


@pytest.mark.parametrize(
    ("heights", "number", "torn"),
    [
        ([8, 7], 0, True),
        ([8, 8, 7], 1, True),
        ([7, 8], 0, False),
        ([7, 7, 8], 1, False),
        ([7, 7, 7], 1, False),
        ([7, 7], 0, False),
    ],
)
def test_only_records_of_the_height_before_may_lie_behind_damage(
    tmp_path: Path, heights: list[int], number: int, torn: bool
) -> None:
    """They are what a lost truncation leaves; any other that is right shows that what precedes it was written."""
    path = damaged(tmp_path, heights, number)
    if torn:
        kept, size = number * 24, path.stat().st_size
        assert [record.height for record in reopened(tmp_path)[0]] == heights[:number]
        assert path.stat().st_size == len(b"ALATAUW1") + kept < size
    else:
        with pytest.raises(CorruptionError, match="valid ones follow"):
            WriteAheadLog.open(tmp_path)


def test_a_byte_too_many_before_a_record_is_damage(tmp_path: Path) -> None:
    """The record behind it is found by the number of its height."""
    path = filled(tmp_path, [WalRecord(7, b"one"), WalRecord(7, b"two")])
    data, second = path.read_bytes(), len(b"ALATAUW1") + 16 + len(b"one")
    path.write_bytes(data[:second] + b"\x00" + data[second:])
    with pytest.raises(CorruptionError, match="valid ones follow"):
        WriteAheadLog.open(tmp_path)


@pytest.mark.parametrize("size", [3, 256])
def test_a_record_behind_zeros_is_found(tmp_path: Path, size: int) -> None:
    """Where the height is 0 its number is everywhere in them, and may begin in the size that stands before it."""
    path = filled(tmp_path, [WalRecord(0, b"one"), WalRecord(0, b"x" * size)])
    data, second = path.read_bytes(), len(b"ALATAUW1") + 16 + len(b"one")
    path.write_bytes(data[:second] + bytes(9) + data[second:])
    with pytest.raises(CorruptionError, match="valid ones follow"):
        WriteAheadLog.open(tmp_path)


def test_the_number_of_the_height_in_a_payload_is_passed_over(tmp_path: Path) -> None:
    """It is looked for on behind it."""
    number = (7).to_bytes(8, "big")
    path = filled(tmp_path, [WalRecord(7, b"one"), WalRecord(7, 3 * (b"at 7:" + number)), WalRecord(7, b"three")])
    data, second = path.read_bytes(), len(b"ALATAUW1") + 16 + len(b"one")
    path.write_bytes(data[: second + 3] + b"\xff" + data[second + 4 :])
    with pytest.raises(CorruptionError, match="valid ones follow"):
        WriteAheadLog.open(tmp_path)
