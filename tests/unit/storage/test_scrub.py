"""The background scrub: silent on a sound database in use, loud about what the disk loses meanwhile."""

from pathlib import Path

import pytest

from alatau.storage import scrub as module
from alatau.storage.scrub import Scrub
from tests.support.ledger import Ledger


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def one_pass(scrub: Scrub, clock: Clock) -> float:
    """Step until a pass has ended; gives the seconds of rest on the way."""
    passes, rest = scrub.state.passes, 0.0
    for _ in range(10_000):
        step = scrub.step()
        clock.now += step
        if scrub.state.passes > passes:
            return rest
        rest += step
    raise AssertionError("the pass does not end")


def scrub_of(ledger: Ledger, clock: Clock) -> Scrub:
    """A scrub of the ledger's database on a clock of ours."""
    return Scrub(ledger.store._db, clock)


def test_a_sound_database_in_use_has_no_findings(ledger: Ledger) -> None:
    """While blocks are committed and tables are compacted away under it; each pass reads all, at its pace."""
    clock = Clock()
    scrub = scrub_of(ledger, clock)
    for _ in range(3):
        one_pass(scrub, clock)
        ledger.grow(2)
        list(ledger.store.compact())
        clock.now += 61
        scrub.step()
    assert scrub.state.findings == ()
    assert scrub.state.passes == 3
    assert scrub.state.last_pass_ended_at is not None
    size = sum(len(k) + len(v) for k, v in ledger.store._db.items(b"", b"\xff"))
    assert one_pass(scrub, clock) == pytest.approx(size / module.BYTES_PER_S, rel=0.3)


def test_it_reads_in_slices(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is short however large a table is, and the next one goes on where it ended."""
    monkeypatch.setattr(module, "_SLICE_BYTES", 300)
    clock, seen = Clock(), []
    scrub = scrub_of(ledger, clock)
    read = ledger.store._db.items

    def items(start: bytes, stop: bytes) -> object:
        for key, value in read(start, stop):
            seen.append(key)
            yield key, value

    monkeypatch.setattr(type(ledger.store._db), "items", lambda _, start, stop: items(start, stop))
    one_pass(scrub, clock)
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen) == sum(1 for _ in read(b"", b"\xff"))


def tables(ledger: Ledger) -> list[Path]:
    """The table files, after everything was put into some."""
    list(ledger.store.compact())
    found = sorted((ledger.store.path / "db").glob("*.ldb"))
    assert found
    return found


@pytest.mark.parametrize("name", ["table", "MANIFEST", "CURRENT"])
def test_a_file_that_is_gone_is_found_although_it_can_still_be_read(ledger: Ledger, name: str) -> None:
    """LevelDB has it open; at the next start it would be missing."""
    clock = Clock()
    scrub = scrub_of(ledger, clock)
    folder = ledger.store.path / "db"
    lost = {"table": tables(ledger)[0], "MANIFEST": next(folder.glob("MANIFEST-*")), "CURRENT": folder / "CURRENT"}[
        name
    ]
    one_pass(scrub, clock)
    assert scrub.state.findings == ()
    lost.unlink()
    assert ledger.store.block(3) is not None
    clock.now += 61
    scrub.step()
    (finding,) = scrub.state.findings
    assert lost.name in finding
    assert "is gone" in finding
    clock.now += 61
    scrub.step()
    assert scrub.state.findings == (finding,)


def test_a_table_that_was_cut_is_found(ledger: Ledger) -> None:
    """By its size, before anybody reads what is missing."""
    clock = Clock()
    scrub = scrub_of(ledger, clock)
    table = tables(ledger)[0]
    size = table.stat().st_size
    with table.open("r+b") as file:
        file.truncate(size - 10)
    scrub.step()
    assert scrub.state.findings[0].endswith(f"has {size - 10} bytes instead of {size}")


def test_a_flipped_bit_is_found_and_the_other_tables_are_read_on(ledger: Ledger, tmp_path: Path) -> None:
    """By the checksum of its block; the damage is named once however often a pass comes by."""
    clock = Clock()
    table = max(tables(ledger), key=lambda file: file.stat().st_size)
    ledger.store.close()
    reopened = Ledger(type(ledger.store).open(tmp_path / "data"), ledger.chain)
    with table.open("r+b") as file:
        file.seek(table.stat().st_size // 3)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes((byte[0] ^ 1,)))
    scrub = scrub_of(reopened, clock)
    try:
        one_pass(scrub, clock)
        one_pass(scrub, clock)
        assert any("cannot be read" in finding for finding in scrub.state.findings)
        assert len(scrub.state.findings) < 4
    finally:
        reopened.store.close()


def test_a_file_that_the_next_start_needs_is_missed_at_the_second_look(ledger: Ledger, tmp_path: Path) -> None:
    """Once, however long it stays away; one that is being replaced, or never was there, is not."""
    clock, key, state = Clock(), tmp_path / "tls.key", tmp_path / "sign_state.json"
    key.touch()
    state.touch()
    scrub = Scrub(ledger.store._db, clock, (key, state, tmp_path / "never.json"))

    def look() -> tuple[str, ...]:
        clock.now += 61
        scrub.step()
        return scrub.state.findings

    assert look() == ()
    state.unlink()
    assert look() == ()
    state.touch()
    key.unlink()
    assert look() == ()
    for _ in range(2):
        (finding,) = look()
        assert finding.startswith(f"{key} is gone")
