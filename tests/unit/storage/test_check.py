"""The check of the whole database: silent on a sound one, and each kind of damage has its finding."""

import re
from pathlib import Path

import plyvel
import pytest

from alatau.storage.check import Finding, Progress
from alatau.storage.store import Store
from alatau_devnet.synthetic_chain import TOKEN
from tests.support.ledger import Ledger


def findings(store: Store) -> list[str]:
    """What the check has to say."""
    return [step.what for step in store.check() if isinstance(step, Finding)]


def test_a_sound_database_has_no_findings(ledger: Ledger) -> None:
    """At every height, with accounts and storage coming and going; progress runs to its end."""
    for _ in range(6):
        assert findings(ledger.store) == []
        ledger.grow()
    reports = [step for step in ledger.store.check() if isinstance(step, Progress)]
    assert {report.phase for report in reports} == {"blocks", "history", "flat tables"}
    assert all(report.done <= report.total or not report.total for report in reports)


def keys(db: plyvel.DB, prefix: bytes) -> list[bytes]:
    """The keys under a prefix."""
    return list(db.iterator(prefix=prefix, include_value=False))


DAMAGES = {
    "flat account changed": (b"a", lambda db, k: db.put(k[5], db.get(k[6])), "the flat table and the trie differ"),
    "flat account missing": (b"a", lambda db, k: db.delete(k[5]), "the trie has .* accounts, the flat table"),
    "flat account to spare": (b"a", lambda db, k: db.put(b"a" + b"\x01" * 20, db.get(k[0])), "the flat table and"),
    "flat slot changed": (b"s" + TOKEN, lambda db, k: db.put(k[3], b"\x09"), "slot 0x.* differ"),
    "flat slot missing": (b"s" + TOKEN, lambda db, k: db.delete(k[3]), "the trie has .* slots, the flat table"),
    "trie node changed": (b"nA", lambda db, k: db.put(k[3], db.get(k[4])), "not the one that its parent names"),
    "trie node missing": (b"nA", lambda db, k: db.delete(k[-1]), "accounts/.* is missing"),
    "trie node to spare": (b"nA", lambda db, k: db.put(k[-1] + b"0", b"\xc0" * 40), "belongs to nothing"),
    "storage trie to spare": (b"nO", lambda db, k: db.put(b"nO" + bytes(32), db.get(k[0])), "belongs to no account"),
    "storage node missing": (b"nO", lambda db, k: db.delete(k[-1]), "storage of 0x.* is missing"),
    "header changed": (b"h", lambda db, k: db.put(k[3], db.get(k[4])), "does not follow its parent"),
    "block missing": (b"b", lambda db, k: db.delete(k[3]), "block 3: a record of it is missing"),
    "block of another height": (b"b", lambda db, k: db.put(k[3], db.get(k[4])), "transactions are not those"),
    "receipts of another": (b"r", lambda db, k: db.put(k[3], db.get(k[4])), "receipts are not those"),
    "hash index missing": (b"x", lambda db, k: db.delete(k[0]), "hash index does not lead"),
    "receipts unreadable": (b"r", lambda db, k: db.put(k[3], b"\xc1"), "cannot be read"),
    "history missing": (b"j", lambda db, k: db.delete(k[0]), "history of block 1 is missing"),
    "history cut": (b"i", lambda db, k: db.put(k[0], db.get(k[0])[:-8]), "does not fit its index"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(ledger: Ledger, tmp_path: Path, damage: str) -> None:
    """A record that is changed, missing or to spare is named."""
    prefix, harm, expected = DAMAGES[damage]
    ledger.store.close()
    db = plyvel.DB(str(tmp_path / "data" / "db"))
    harm(db, keys(db, prefix))
    db.close()
    ledger.store = Store.open(tmp_path / "data")
    found = findings(ledger.store)
    assert any(re.search(expected, what) for what in found), found
