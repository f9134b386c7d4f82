"""What connections hold, and which one gives way."""

from alatau.transport.holdings import CALL_BYTES, CallHolding, Holding, Holdings

MOST = 100 * CALL_BYTES


def opened(holdings: Holdings, source: str, closed: list[str] | None = None) -> Holding:
    """A connection of ``source``, which notes there when it is closed."""
    return holdings.open(source, lambda: None if closed is None else closed.append(source))


def test_a_call_counts_from_its_headers_until_grpc_has_done_with_it() -> None:
    """Twice over is as good as once."""
    holdings = Holdings(MOST)
    call = CallHolding(opened(holdings, "a"))
    assert holdings.total == CALL_BYTES
    call.end()
    call.end()
    assert holdings.total == 0


def test_what_came_counts_until_its_message_is_complete() -> None:
    """What a client sends beside messages is no debt once no call waits for one."""
    holdings = Holdings(MOST)
    connection = opened(holdings, "a")
    first, second = CallHolding(connection), CallHolding(connection)
    first.begin_reading()
    second.begin_reading()
    connection.came(10_000)
    first.message(4_000)
    first.end_reading()
    left = holdings.total - 2 * CALL_BYTES
    assert 5_000 < left < 6_000
    second.end_reading()
    assert holdings.total == 2 * CALL_BYTES


def test_a_stream_that_lasts_runs_up_no_debt() -> None:
    """A message each way for an hour, with the frames, pings and window updates that gRPC sends with them."""
    holdings = Holdings(MOST)
    connection = opened(holdings, "a")
    stream = CallHolding(connection)
    stream.begin_reading()
    for _ in range(36_000):
        connection.came(200 + 9 + 5 + 22)
        stream.message(200)
        stream.hand(300)
        connection.came(2 * 13 + 22 + 17 + 22)
        stream.sent(300)
    assert holdings.total <= CALL_BYTES + 1_000


def test_an_answer_counts_until_it_is_sent_or_the_call_is_over() -> None:
    """Whichever comes first."""
    holdings = Holdings(MOST)
    call = CallHolding(opened(holdings, "a"))
    call.hand(5_000)
    call.hand(3_000)
    call.sent(5_000)
    assert holdings.total == CALL_BYTES + 3_000
    call.end()
    call.sent(3_000)
    call.hand(1)
    assert holdings.total == 0


def test_a_closed_connection_holds_nothing_whatever_its_calls_do() -> None:
    """They end later than it."""
    holdings = Holdings(MOST)
    connection = opened(holdings, "a")
    call = CallHolding(connection)
    call.begin_reading()
    connection.came(5_000)
    connection.end()
    assert holdings.total == 0
    call.message(5_000)
    call.hand(7)
    call.end()
    connection.end()
    assert holdings.total == 0


def test_the_largest_connection_of_the_source_that_holds_most_gives_way() -> None:
    """Not the largest of all, whose source holds less: a batch on its way is larger than each of many small ones."""
    closed: list[str] = []
    holdings = Holdings(MOST)
    batch = opened(holdings, "honest", closed)
    batch.came(MOST // 4)
    small = [opened(holdings, "attacker", closed) for _ in range(20)]
    for index, connection in enumerate(small):
        connection.came(MOST // 25 + index)
    assert set(closed) == {"attacker"}
    assert any(connection.ended for connection in small[-4:])
    assert not batch.ended
    assert holdings.total <= MOST


def test_as_many_give_way_as_it_takes() -> None:
    """And the last one too, if nothing else helps."""
    closed: list[str] = []
    holdings = Holdings(MOST)
    for source in ("a", "b", "c"):
        opened(holdings, source, closed).came(MOST // 4)
    opened(holdings, "d", closed).came(2 * MOST)
    assert closed == ["d"]
    assert holdings.total <= MOST
