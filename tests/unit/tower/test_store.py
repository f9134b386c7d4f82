"""A tower's disk: bound to a network, found again after a restart, emptied of what is over."""

from dataclasses import replace
from pathlib import Path

import pytest

from alatau.channels.messages import channel_id
from alatau.channels.state import Phase, Window
from alatau.channels.watching import WatchedChannel
from alatau.storage.database import Database
from alatau.storage.errors import SchemaError, StoreLockedError
from alatau.tower import store
from alatau.tower.group_commit import Changes
from tests.support.channels import DOMAIN, HUB, OWNER, close_request, parties, protection
from tests.support.tower_post import NETWORK

IDENTITY = channel_id(DOMAIN, parties())


def written(database: Database) -> Changes:
    """Changes that a test writes itself."""
    return Changes(database)


def flush(changes: Changes, *writes: object) -> None:
    """Apply and write."""
    for write in writes:
        changes.apply(write).unwrap()  # type: ignore[arg-type]
    changes.write()


def test_a_database_is_of_one_network(tmp_path: Path) -> None:
    """Another chain, contract or window is refused, in words; the same one is fine."""
    database = store.open_store(tmp_path)
    assert store.stored_network(database) is None
    flush(written(database), lambda c: store.keep_network(c, NETWORK))
    assert store.stored_network(database) == NETWORK
    flush(written(database), lambda c: store.keep_network(c, NETWORK))
    for other in (
        replace(NETWORK, genesis_hash=bytes(32)),
        replace(NETWORK, contract=OWNER.address),
        replace(NETWORK, rp_id_hash=b"\x09" * 32),
    ):
        with pytest.raises(SchemaError, match="choose another home or node"):
            flush(written(database), lambda c, other=other: store.keep_network(c, other))
    database.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Two towers on one disk would each miss what the other was given."""
    database = store.open_store(tmp_path)
    with pytest.raises(StoreLockedError):
        store.open_store(tmp_path)
    database.close()


def test_another_version_is_refused(tmp_path: Path) -> None:
    """It is not read as if it were ours, and its lock is let go."""
    for schema in (b"\x01", b"\x63"):
        database = store.open_store(tmp_path)
        batch = database.batch()
        batch.put(b"Mschema", schema)
        database.write(batch)
        database.close()
    for _ in range(2):
        with pytest.raises(SchemaError, match="schema 99"):
            store.open_store(tmp_path)


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Cursor, canary, channels by phase, vouchers and requests by channel."""
    closing = WatchedChannel(parties(1), Phase.CLOSING, Window(20, 1_000))
    settled = WatchedChannel(parties(2), Phase.SETTLED, settled_block=7)
    ids = [channel_id(DOMAIN, parties(n)) for n in range(3)]
    database = store.open_store(tmp_path)
    assert (store.cursor(database), store.canary(database)) == (None, store.Canary(b"", 0))
    flush(
        written(database),
        lambda c: store.keep_channel(c, ids[0], WatchedChannel(parties())),
        lambda c: store.keep_channel(c, ids[1], closing),
        lambda c: store.keep_channel(c, ids[2], settled),
        lambda c: store.keep_protection(c, protection(3, 5)),
        lambda c: store.keep_protection(c, protection(4, 9, payer=HUB)),
        lambda c: store.keep_close_request(c, close_request(99, party=HUB)),
        lambda c: store.keep_cursor(c, 2**40),
        lambda c: store.keep_canary(c, store.Canary(b"\x09" * 32, 1_700_000_000)),
    )
    database.close()
    database = store.open_store(tmp_path)
    assert store.cursor(database) == 2**40
    assert store.canary(database) == store.Canary(b"\x09" * 32, 1_700_000_000)
    assert (list(store.closing(database)), list(store.settled_until(database, 7))) == ([ids[1]], [(7, ids[2])])
    assert list(store.settled_until(database, 6)) == []
    assert store.protections(database, ids[0], parties()) == [protection(3, 5), protection(4, 9, payer=HUB)]
    assert store.close_requests(database, ids[0], parties()) == [close_request(99, party=HUB)]
    assert list(store.protected_channels(database)) == list(store.channels_with_request(database)) == [ids[0]]
    database.close()


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    """Of the channel; others stay."""
    settled, other = WatchedChannel(parties(), Phase.SETTLED, settled_block=7), channel_id(DOMAIN, parties(1))
    database = store.open_store(tmp_path)
    flush(
        written(database),
        lambda c: store.keep_protection(c, protection(3, 5)),
        lambda c: store.keep_protection(c, protection(3, 5, payer=HUB)),
        lambda c: store.keep_close_request(c, close_request(99)),
        lambda c: store.keep_channel(c, IDENTITY, settled),
        lambda c: store.keep_channel(c, other, WatchedChannel(parties(1))),
    )
    flush(written(database), lambda c: store.forget(c, 7, IDENTITY))
    assert list(database.keys(b"N", b"\xff")) == [b"c" + other]
    database.close()
