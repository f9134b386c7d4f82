"""Opening and reading LevelDB: damage of every file is found, and the error says what to do."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest

from alatau.storage.database import MIB, DatabaseOptions
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import CorruptionError, DiskFullError, SchemaError, StorageError, WriteFailedError
from alatau.storage.store import Store, StoreOptions
from alatau_devnet.synthetic_chain import SyntheticChain
from tests.support.ledger import SEED, Ledger

REMEDY = "Restore a backup|sync again"


@pytest.fixture
def closed(ledger: Ledger, tmp_path: Path) -> Path:
    """The folder of a store with table files as well as a log, closed."""
    list(ledger.store.compact())
    ledger.grow(3)
    ledger.store.close()
    return tmp_path / "data"


def files(folder: Path, *patterns: str) -> list[Path]:
    """The database's files of some kinds."""
    found = [path for pattern in patterns for path in sorted((folder / "db").glob(pattern))]
    assert found, f"there are {patterns}"
    return found


def flips(data: bytes, count: int) -> Iterator[bytes]:
    """``data`` with one byte changed, at places spread over it."""
    for place in sorted({n * (len(data) - 1) // count for n in range(count + 1)}):
        yield data[:place] + bytes((data[place] ^ 0x55,)) + data[place + 1 :]


def open_like_new(folder: Path, tmp_path: Path) -> int:
    """Open a copy, so that the damaged original stays; give the tip's height."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    store = Store.open(copy)
    try:
        return store.tip.number
    finally:
        store.close()


@pytest.mark.parametrize("kind", ["*.ldb", "*.log", "MANIFEST-*", "CURRENT"])
def test_flipped_bytes_are_found_at_opening(closed: Path, tmp_path: Path, kind: str) -> None:
    """Wherever a byte of a file is changed, opening refuses with the remedy, or nothing that matters was hit."""
    refused = 0
    for path in files(closed, kind):
        data = path.read_bytes()
        for damaged in flips(data, 40):
            path.write_bytes(damaged)
            try:
                height = open_like_new(closed, tmp_path)
            except CorruptionError as error:
                refused += "Restore a backup" in str(error)
            else:
                # Bytes that nothing reads: padding, a file that is superseded. Nothing may be lost by it.
                assert height == 14
        path.write_bytes(data)
    assert refused > 0
    assert open_like_new(closed, tmp_path) == 14


@pytest.mark.parametrize("kind", ["*.ldb", "*.log", "MANIFEST-*", "CURRENT"])
def test_missing_files_are_found_at_opening(closed: Path, tmp_path: Path, kind: str) -> None:
    """So is a file that is gone; LevelDB alone would begin a new database in place of one without CURRENT."""
    for path in files(closed, kind):
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(CorruptionError, match=REMEDY):
            open_like_new(closed, tmp_path)
        path.write_bytes(data)


def test_a_database_that_is_gone_is_noticed(closed: Path) -> None:
    """Where blocks were committed, an empty folder is a loss and not a beginning."""
    shutil.rmtree(closed / "db")
    with pytest.raises(CorruptionError, match="the database is gone"):
        Store.open(closed)


def test_a_torn_log_gives_the_height_before(ledger: Ledger, tmp_path: Path) -> None:
    """Cut anywhere within its last batch, as a crash may, the log yields the height before, whole."""
    ledger.store.close()
    folder = tmp_path / "data"
    ledger.store = Store.open(folder)
    ledger.grow()
    ledger.store.close()
    (log,) = [path for path in files(folder, "*.log") if path.stat().st_size]
    data = log.read_bytes()
    (folder / "tip").unlink()  # the batch was never acknowledged
    for cut in [*range(1, len(data), max(1, len(data) // 60)), len(data) - 1]:
        log.write_bytes(data[:cut])
        assert open_like_new(folder, tmp_path) == 11
    log.write_bytes(data)
    assert open_like_new(folder, tmp_path) == 12
    ledger.store = Store.open(folder)


def test_another_schema_is_refused(closed: Path) -> None:
    """A database of a later version, and one of another program, are left alone."""
    db = plyvel.DB(str(closed / "db"))
    db.put(b"Mschema", b"99")
    db.close()
    with pytest.raises(SchemaError, match="schema version 99, this program reads 1"):
        Store.open(closed)
    db = plyvel.DB(str(closed / "db"))
    db.delete(b"Mschema")
    db.close()
    with pytest.raises(CorruptionError, match="block 14 was committed, but"):
        Store.open(closed)
    (closed / "tip").unlink()  # another program's database has none
    with pytest.raises(SchemaError, match="no database of this program"):
        Store.open(closed)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        (b"h", b"\xc0", "cannot be read"),
        (b"b", None, "header and block"),
        (b"c", None, "commit is missing"),
        (b"nA", b"\xc0", "another root"),
    ],
)
def test_a_tip_that_does_not_fit_is_refused(closed: Path, key: bytes, value: bytes | None, what: str) -> None:
    """Header, block, commit and root node of the tip must belong together."""
    full = key if key == b"nA" else key + (14).to_bytes(8, "big")
    db = plyvel.DB(str(closed / "db"))
    if value is None:
        db.delete(full)
    else:
        db.put(full, value)
    db.close()
    with pytest.raises(CorruptionError, match=what):
        Store.open(closed)


def test_damage_in_a_large_database_is_found_by_reading(ledger: Ledger, tmp_path: Path) -> None:
    """Where opening does not read everything, a read of a damaged block still refuses to answer."""
    list(ledger.store.compact())
    ledger.store.close()
    largest = max(files(tmp_path / "data", "*.ldb"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    for place in range(1_000, len(data) // 2, 50):
        data[place] ^= 0xFF
    largest.write_bytes(data)
    unread = StoreOptions(DatabaseOptions(verify_bytes_max=0))
    with pytest.raises(CorruptionError, match="Stop the node"):
        read_all(tmp_path / "data", unread)


def read_all(folder: Path, options: StoreOptions) -> None:
    """Read every block and account."""
    store = Store.open(folder, options)
    try:
        for height in range(store.tip.number + 1):
            store.block(height)
            store.receipts(height)
        for person in SyntheticChain(SEED).people:
            store.state().account(person)
    finally:
        store.close()


class FullDisk(Disk):
    """A disk without room, as ``free_bytes`` tells or as a write finds out."""

    def __init__(self) -> None:
        self.free = 1 << 40
        self.failing: Exception | None = None

    def free_bytes(self, folder: Path) -> int:
        """See ``Disk``."""
        return self.free

    def write_batch(self, batch: Batch) -> None:
        """See ``Disk``."""
        if self.failing:
            raise self.failing
        super().write_batch(batch)


def test_too_little_room_refuses_before_writing(tmp_path: Path) -> None:
    """A commit without room writes nothing, and the same commit goes through once there is room."""
    disk = FullDisk()
    ledger = Ledger(Store.open(tmp_path, disk=disk), SyntheticChain(1))
    ledger.grow(3)
    executed, commit = ledger.chain.next()
    disk.free = 10 * MIB
    with pytest.raises(DiskFullError, match="10 MiB left, 16 MiB needed"):
        ledger.store.commit(executed, commit)
    assert ledger.store.tip.number == 2
    disk.free = 100 * MIB
    ledger.store.commit(executed, commit)
    assert ledger.store.tip.number == 3
    ledger.store.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (plyvel.IOError("IO error: 000012.log: No space left on device"), DiskFullError),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), DiskFullError),
        (plyvel.IOError("IO error: 000012.log: Input/output error"), WriteFailedError),
    ],
)
def test_a_write_that_fails_ends_all_writing(tmp_path: Path, error: Exception, kind: type[StorageError]) -> None:
    """What LevelDB's log then holds is unknown until it is opened again; the store refuses to go on before."""
    disk = FullDisk()
    ledger = Ledger(Store.open(tmp_path, disk=disk), SyntheticChain(1))
    ledger.grow(3)
    executed, commit = ledger.chain.next()
    disk.failing = error
    with pytest.raises(kind):
        ledger.store.commit(executed, commit)
    disk.failing = None
    with pytest.raises(WriteFailedError, match="start the node again"):
        ledger.store.commit(executed, commit)
    ledger.store.close()
    ledger.store = Store.open(tmp_path)
    assert ledger.store.tip.number == 2
    ledger.store.commit(executed, commit)
    ledger.store.close()
