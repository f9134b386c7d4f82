"""Messages in protobuf's JSON form."""

import json

import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from alatau.pb.api.v1.event_service_pb2 import ListLogsRequest
from alatau.pb.api.v1.transaction_service_pb2 import BatchSubmitTransactionsRequest
from alatau.transport.errors import Code, RpcError
from alatau.transport.web.json_form import (
    JSON_BYTES_MAX,
    JSON_ENTRIES_MAX,
    LONG_BYTES,
    from_json,
    json_of,
    to_json,
)


@pytest.mark.trio
async def test_hexadecimal_reaches_bytes_in_lists_and_inner_messages() -> None:
    """By the names of the definitions and by those of JSON."""
    text = {"filter": {"addresses": ["0x" + "ab" * 20], "topics": [{"any_of": ["0x" + "cd" * 32]}]}, "pageSize": 5}
    message = await from_json(ListLogsRequest, json.dumps(text).encode(), None, as_hex=True)
    assert list(message.filter.addresses) == [b"\xab" * 20]
    assert list(message.filter.topics[0].any_of) == [b"\xcd" * 32]
    again = json.loads(json_of(message, as_hex=True))
    assert again["filter"] == {"addresses": ["0x" + "ab" * 20], "topics": [{"anyOf": ["0x" + "cd" * 32]}]}
    assert await from_json(ListLogsRequest, json_of(message, as_hex=False), None, as_hex=False) == message


@pytest.mark.trio
async def test_a_long_message_is_the_same_as_a_short_one() -> None:
    """A thread converts it."""
    message = BatchSubmitTransactionsRequest(transactions=[b"\x01" * 1_000] * (LONG_BYTES // 500))
    for as_hex in (False, True):
        text = await to_json(message, as_hex=as_hex)
        assert await from_json(BatchSubmitTransactionsRequest, text, None, as_hex=as_hex) == message


@pytest.mark.trio
@pytest.mark.parametrize("text", [b'"' + b"A" * JSON_BYTES_MAX + b'"', b"[" + b"," * (JSON_ENTRIES_MAX + 1)])
async def test_what_would_take_long_is_refused_unread(text: bytes) -> None:
    """With the bounds as values."""
    with pytest.raises(RpcError) as refused:
        await from_json(BytesValue, text, None, as_hex=False)
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
        await from_json(ListLogsRequest, text, None, as_hex=True)
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.trio
async def test_the_bounds_of_a_request_hold_for_json_too() -> None:
    """The check is shown what the message is in binary."""
    seen: list[tuple[str, bytes]] = []
    message = await from_json(BytesValue, b'"AQ=="', lambda name, data: seen.append((name, data)), as_hex=False)
    assert seen == [("google.protobuf.BytesValue", message.SerializeToString())]
