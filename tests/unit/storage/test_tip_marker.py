"""The marker beside the database."""

from pathlib import Path

import pytest

from alatau.storage.database import DatabaseOptions
from alatau.storage.disk import Disk
from alatau.storage.errors import CorruptionError
from alatau.storage.store import Store, StoreOptions
from alatau.storage.tip_marker import TipMarker, read_marker
from alatau_devnet.synthetic_chain import SyntheticChain
from tests.support.ledger import Ledger


def test_the_last_height_is_read_back(tmp_path: Path) -> None:
    """Also by a marker that was opened again, and after a lower one (rollback)."""
    path = tmp_path / "tip"
    assert read_marker(path) is None
    for height in (3, 2**40, 5):
        marker = TipMarker(path, Disk())
        marker.write(height)
        marker.close()
        assert read_marker(path) == height
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_marker_says_nothing(tmp_path: Path) -> None:
    """Every flipped bit and every cut is noticed."""
    path = tmp_path / "tip"
    marker = TipMarker(path, Disk())
    marker.write(1234)
    marker.close()
    data = path.read_bytes()
    for byte in range(len(data)):
        path.write_bytes(data[:byte] + bytes((data[byte] ^ 1,)) + data[byte + 1 :])
        assert read_marker(path) is None
        path.write_bytes(data[:byte])
        assert read_marker(path) is None


def test_a_database_behind_its_marker_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """If committed blocks vanish from the database, opening says which."""
    ledger.store.close()
    marker = TipMarker(tmp_path / "data" / "tip", Disk())
    marker.write(13)
    marker.close()
    with pytest.raises(CorruptionError, match="block 13 was committed, but the database ends at 11"):
        Store.open(tmp_path / "data")


def test_a_marker_behind_its_database_is_renewed(ledger: Ledger, tmp_path: Path) -> None:
    """A crash between the batch and the marker is no loss."""
    ledger.store.close()
    marker = TipMarker(tmp_path / "data" / "tip", Disk())
    marker.write(10)
    marker.close()
    ledger.store = Store.open(tmp_path / "data")
    assert ledger.store.tip.number == 11
    assert read_marker(tmp_path / "data" / "tip") == 11


def test_no_marker_runs_ahead_of_an_unsynced_database(tmp_path: Path) -> None:
    """Where commits are not fsynced, a block that a power failure takes is no corruption."""
    ledger = Ledger(Store.open(tmp_path, StoreOptions(DatabaseOptions(sync=False))), SyntheticChain(1))
    ledger.grow(3)
    ledger.store.close()
    assert read_marker(tmp_path / "tip") is None
    store = Store.open(tmp_path)
    assert store.tip.number == 2
    assert read_marker(tmp_path / "tip") == 2
    store.close()
