"""Finding logs: the same answers as reading every receipt, in bounded steps."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alatau.storage import log_index, store
from alatau.storage.log_index import FoundLog, LogCursor, LogQuery, logs_of, matches
from alatau.types.receipt import Log
from alatau_devnet.synthetic_chain import TOKEN, TRANSFER_TOPIC
from tests.support.ledger import Ledger


def by_reading_everything(ledger: Ledger, query: LogQuery) -> list[FoundLog]:
    """The plain answer."""
    return [
        found
        for height in range(query.first, min(query.last, len(ledger.blocks) - 1) + 1)
        for found in logs_of(height, ledger.blocks[height][0].receipts)
        if matches(found.log, query)
    ]


def by_asking(ledger: Ledger, query: LogQuery) -> list[FoundLog]:
    """The store's answer, page by page."""
    logs: list[FoundLog] = []
    cursor: LogCursor | None = None
    while True:
        page = ledger.store.logs(query, cursor)
        assert len(page.logs) <= query.limit
        logs += page.logs
        if page.next is None:
            return logs
        if cursor is not None:
            assert cursor < page.next, "each page goes on where the last ended"
        cursor = page.next


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_same_as_reading_everything(ledger: Ledger, data: st.DataObject) -> None:
    """Any mix of addresses, topics by position, ranges and page sizes."""
    people = [person.rjust(32, b"\0") for person in ledger.chain.people[:8]]
    anyone = st.lists(st.sampled_from(people), max_size=4).map(tuple)
    query = LogQuery(
        first=data.draw(st.integers(0, 13)),
        last=data.draw(st.integers(0, 13)),
        addresses=data.draw(st.sampled_from([(), (TOKEN,), (TOKEN, bytes(20)), (bytes(20),)])),
        topics=data.draw(
            st.sampled_from([(), ((TRANSFER_TOPIC,),), ((),)]).flatmap(
                lambda first: st.tuples(st.just(first), anyone, anyone).map(lambda t: (*t[0], *t[1:]) if t[0] else ())
            )
        ),
        limit=data.draw(st.integers(1, 7)),
    )
    assert by_asking(ledger, query) == by_reading_everything(ledger, query)


@pytest.mark.parametrize("addresses", [(), (TOKEN,)])
def test_work_is_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, addresses: tuple[bytes, ...]) -> None:
    """A query over a long range comes in pages of bounded work, also where nothing matches."""
    monkeypatch.setattr(store, "STEPS_MAX", log_index.BLOCK_STEPS)
    query = LogQuery(0, 11, addresses)
    assert by_asking(ledger, query) == by_reading_everything(ledger, query)
    first = ledger.store.logs(query)
    assert {found.height for found in first.logs} <= {0, 1}
    assert first.next is not None


def test_positions_count_through_the_block(ledger: Ledger) -> None:
    """Log indices run through all transactions of a block."""
    found = ledger.store.logs(LogQuery(5, 5)).logs
    assert [entry.transaction_index for entry in found] == [0, 1, 2, 3]
    assert all(b.log_index == a.log_index + 1 for a, b in pairwise(found))


def test_rollback_takes_logs_back(ledger: Ledger) -> None:
    """After a rollback the logs of later blocks are gone from every index."""
    list(ledger.store.rollback(5))
    ledger.blocks = ledger.blocks[:6]
    for query in (LogQuery(0, 99, (TOKEN,)), LogQuery(0, 99, (), ((TRANSFER_TOPIC,),))):
        assert by_asking(ledger, query) == by_reading_everything(ledger, query) != []


def test_conditions_by_position() -> None:
    """An empty condition holds for any topic and for none; another needs its topic at its place."""
    log = Log(TOKEN, (b"a" * 32, b"b" * 32), b"")
    a, b, c = ((letter * 32,) for letter in (b"a", b"b", b"c"))
    for topics in ((), (a,), ((), b), (a, b), (c + a,), ((), (), ()), (a, (), ())):
        assert matches(log, LogQuery(0, 0, (), topics)), topics
    for topics in ((b,), (c,), ((), a), (a, a), ((), (), c)):
        assert not matches(log, LogQuery(0, 0, (), topics)), topics
    assert not matches(log, LogQuery(0, 0, (bytes(20),)))
