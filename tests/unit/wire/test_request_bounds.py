"""What a request holds is counted before it is parsed."""

import pytest

from alatau.pb.api.v1 import event_service_pb2, transaction_service_pb2
from alatau.wire.bounds import WireError
from alatau.wire.request_bounds import ENTRIES_MAX, check_request

BATCH = transaction_service_pb2.BatchSubmitTransactionsRequest
LOGS = event_service_pb2.ListLogsRequest


def test_the_longest_batch_passes() -> None:
    """Eight times over, too: that it is too long is for the service to say."""
    for count in (2_048, ENTRIES_MAX):
        data = BATCH(transactions=[bytes(200)] * count).SerializeToString()
        check_request(BATCH.DESCRIPTOR.full_name, data)


@pytest.mark.parametrize("size", [0, 1, 200])
def test_one_entry_more_is_refused(size: int) -> None:
    """Empty or not."""
    data = BATCH(transactions=[bytes(size)] * (ENTRIES_MAX + 1)).SerializeToString()
    with pytest.raises(WireError, match="more than 16384 entries"):
        check_request(BATCH.DESCRIPTOR.full_name, data)


def test_entries_of_messages_inside_are_counted_with_the_others() -> None:
    """A filter with a hundred positions of a thousand topics each."""
    request = LOGS()
    for _ in range(100):
        request.filter.topics.add(any_of=[bytes(32)] * 1_000)
    with pytest.raises(WireError):
        check_request(LOGS.DESCRIPTOR.full_name, request.SerializeToString())
    del request.filter.topics[10:]
    check_request(LOGS.DESCRIPTOR.full_name, request.SerializeToString())


def test_fields_that_nobody_knows_are_counted_too() -> None:
    """The parser keeps them."""
    unknown = b"\xf8\x01\x01" * (ENTRIES_MAX + 1)
    with pytest.raises(WireError):
        check_request(BATCH.DESCRIPTOR.full_name, unknown)


@pytest.mark.parametrize(
    "data", [b"\x0a\xff\xff\xff\x7f" + bytes(40_000), b"\xff" * 40_000, b"\x0b" * 16_000 + b"\x0a" * 20_000]
)
def test_what_is_no_message_is_left_to_the_parser_or_refused(data: bytes) -> None:
    """Without an end, or with numbers that are too long; never anything but this error."""
    try:
        check_request(BATCH.DESCRIPTOR.full_name, data)
    except WireError as error:
        assert "entries" in str(error)  # noqa: PT017  either is right
