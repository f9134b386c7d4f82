"""A copy of a store in use: whole, of one moment, and nothing of the original is touched."""

import threading
from pathlib import Path

import pytest

from alatau.storage.check import Finding
from alatau.storage.checkpoint import copy_store
from alatau.storage.errors import CorruptionError
from alatau.storage.store import Store
from tests.support.ledger import Ledger


def checked(folder: Path) -> tuple[int, list[str]]:
    """Open the copy and check all of it; gives its height and what was found."""
    store = Store.open(folder)
    try:
        assert store.tip is not None
        return store.tip.number, [step.what for step in store.check() if isinstance(step, Finding)]
    finally:
        store.close()


def test_the_copy_is_sound_and_takes_no_room(ledger: Ledger, tmp_path: Path) -> None:
    """Tables are the same files; opening and checking the copy changes none of them, and the original goes on."""
    list(ledger.store.compact())
    ledger.grow(3)
    before = {file.name: file.read_bytes() for file in (ledger.store.path / "db").glob("*.ldb")}
    copy_store(ledger.store.path, tmp_path / "copy")
    linked = list((tmp_path / "copy" / "db").glob("*.ldb"))
    assert linked
    assert all(file.samefile(ledger.store.path / "db" / file.name) for file in linked)
    assert checked(tmp_path / "copy") == (14, [])
    assert {name: (ledger.store.path / "db" / name).read_bytes() for name in before} == before
    ledger.grow()
    assert ledger.store.tip is not None
    assert ledger.store.tip.number == 15


def test_copies_made_while_blocks_are_committed_are_sound(ledger: Ledger, tmp_path: Path) -> None:
    """Each is of some height between, never torn."""
    enough = threading.Event()
    heights = []

    def copy() -> None:
        for number in range(3):
            copy_store(ledger.store.path, tmp_path / f"copy-{number}")
        enough.set()

    thread = threading.Thread(target=copy)
    thread.start()
    while not enough.is_set():
        ledger.grow()
        if ledger.blocks[-1][0].block.header.number % 7 == 0:
            list(ledger.store.compact())
    thread.join()
    for number in range(3):
        height, findings = checked(tmp_path / f"copy-{number}")
        assert findings == []
        heights.append(height)
    assert heights == sorted(heights)


def test_a_lost_table_is_found(ledger: Ledger, tmp_path: Path) -> None:
    """The copy cannot be opened, which says so; the node in use notices nothing."""
    list(ledger.store.compact())
    max((ledger.store.path / "db").glob("*.ldb"), key=lambda file: file.stat().st_size).unlink()
    copy_store(ledger.store.path, tmp_path / "copy")
    with pytest.raises(CorruptionError):
        checked(tmp_path / "copy")


def test_a_database_without_its_first_file_cannot_be_copied(ledger: Ledger, tmp_path: Path) -> None:
    """The message names the file and the remedy."""
    (ledger.store.path / "db" / "CURRENT").unlink()
    with pytest.raises(CorruptionError, match="CURRENT is missing"):
        copy_store(ledger.store.path, tmp_path / "copy")
