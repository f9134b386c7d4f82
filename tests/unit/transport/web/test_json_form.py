"""Messages in protobuf's JSON form."""

import json
from collections.abc import Callable
from typing import TypeVar

import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from alatau.pb.api.v1.event_service_pb2 import ListLogsRequest
from alatau.pb.api.v1.transaction_service_pb2 import BatchSubmitTransactionsRequest
from alatau.transport.errors import Code, RpcError
from alatau.transport.web.json_form import (
    JSON_BYTES_MAX,
    JSON_ENTRIES_MAX,
    LONG_BYTES,
    LONG_ENTRIES,
    from_json,
    json_of,
    to_json,
)

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Where these tests do what is long: nowhere else."""
    return work()


@pytest.mark.trio
async def test_hexadecimal_reaches_bytes_in_lists_and_inner_messages() -> None:
    """By the names of the definitions and by those of JSON."""
    text = {"filter": {"addresses": ["0x" + "ab" * 20], "topics": [{"any_of": ["0x" + "cd" * 32]}]}, "pageSize": 5}
    message = await from_json(ListLogsRequest, json.dumps(text).encode(), None, aside, as_hex=True)
    assert list(message.filter.addresses) == [b"\xab" * 20]
    assert list(message.filter.topics[0].any_of) == [b"\xcd" * 32]
    again = json.loads(json_of(message, as_hex=True))
    assert again["filter"] == {"addresses": ["0x" + "ab" * 20], "topics": [{"anyOf": ["0x" + "cd" * 32]}]}
    assert await from_json(ListLogsRequest, json_of(message, as_hex=False), None, aside, as_hex=False) == message


@pytest.mark.trio
async def test_a_long_message_is_the_same_as_a_short_one() -> None:
    """A thread converts it."""
    message = BatchSubmitTransactionsRequest(transactions=[b"\x01" * 1_000] * (LONG_BYTES // 500))
    for as_hex in (False, True):
        text = await to_json(message, aside, as_hex=as_hex)
        assert await from_json(BatchSubmitTransactionsRequest, text, None, aside, as_hex=as_hex) == message


@pytest.mark.trio
async def test_what_is_long_is_done_aside() -> None:
    """By its bytes, and in a request by its values: what is short never waits for a turn."""
    done: list[int] = []

    async def count(work: Callable[[], T]) -> T:
        done.append(1)
        return work()

    short = b'{"transactions":[' + b",".join([b'""'] * (LONG_ENTRIES - 1)) + b"]}"
    await from_json(BatchSubmitTransactionsRequest, short, None, count, as_hex=False)
    await to_json(BatchSubmitTransactionsRequest(transactions=[b"x" * 1_000]), count, as_hex=False)
    assert done == []
    await from_json(BatchSubmitTransactionsRequest, short.replace(b"]", b',"",""]'), None, count, as_hex=False)
    await from_json(BytesValue, b'"' + b"AAAA" * (LONG_BYTES // 4) + b'"', None, count, as_hex=False)
    await to_json(BytesValue(value=bytes(LONG_BYTES)), count, as_hex=False)
    assert len(done) == 3


@pytest.mark.trio
@pytest.mark.parametrize("text", [b'"' + b"A" * JSON_BYTES_MAX + b'"', b"[" + b"," * (JSON_ENTRIES_MAX + 1)])
async def test_what_would_take_long_is_refused_unread(text: bytes) -> None:
    """With the bounds as values."""
    with pytest.raises(RpcError) as refused:
        await from_json(BytesValue, text, None, aside, as_hex=False)
    assert refused.value.metadata["entries_max"] == str(JSON_ENTRIES_MAX)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b'{"pageSze": 5}', "pageSze"),
        (b'{"filter": {"addresses": ["ab"]}}', "'ab' is not 0x"),
        (b'{"filter": {"addresses": [5]}}', "addresses"),
        (b'{"filter": 5}', "filter"),
    ],
)
async def test_a_mistake_is_named(text: bytes, word: str) -> None:
    """An unknown name among them: it would else be a filter that filters nothing."""
    with pytest.raises(RpcError, match=word) as refused:
        await from_json(ListLogsRequest, text, None, aside, as_hex=True)
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.trio
async def test_the_bounds_of_a_request_hold_for_json_too() -> None:
    """The check is shown what the message is in binary."""
    seen: list[tuple[str, bytes]] = []
    message = await from_json(BytesValue, b'"AQ=="', lambda name, data: seen.append((name, data)), aside, as_hex=False)
    assert seen == [("google.protobuf.BytesValue", message.SerializeToString())]
