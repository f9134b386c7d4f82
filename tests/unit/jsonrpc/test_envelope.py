"""Requests, batches, notifications and what is neither, as a client of any library may send them."""

import json
from typing import Any

import pytest

from alatau.jsonrpc.envelope import BATCH_MAX
from tests.support.jsonrpc_rig import JsonNode, json_node
from tests.support.solo_node import SoloNode


def _request(id_: Any = 1, **changes: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": "eth_chainId", "params": []} | changes


@pytest.mark.trio
async def test_ids_come_back_as_they_came(node: SoloNode) -> None:
    """Of any JSON type, in a request that is done and in one that is not."""
    async with json_node(node) as asked:
        for id_ in (0, -1, 2**70, 1.5, "", "é☃", None, True, [1, {"a": None}], {"x": []}):
            status, answer = await asked.post(_request(id_))
            assert (status, answer) == (200, {"jsonrpc": "2.0", "id": id_, "result": "0x1e5d"})
            status, answer = await asked.post(_request(id_, method="eth_nothing"))
            assert (status, answer["id"], answer["error"]["code"]) == (200, id_, -32601)
            assert "result" not in answer


@pytest.mark.trio
async def test_a_batch_is_answered_in_order_without_its_notifications(node: SoloNode) -> None:
    """Each request for itself; only notifications are answered by nothing."""
    async with json_node(node) as asked:
        quiet = _request()
        del quiet["id"]
        status, answers = await asked.post(
            [_request(1), quiet, _request("b", method="eth_fillTransaction"), 5, _request(3)]
        )
        assert status == 200
        assert [answer["id"] for answer in answers] == [1, "b", None, 3]
        assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600, None]
        assert await asked.post(quiet) == (204, None)
        assert await asked.post([quiet, quiet]) == (204, None)


@pytest.mark.trio
async def test_a_batch_that_is_too_large_is_an_array_of_errors(node: SoloNode) -> None:
    """One for each id, so that no caller waits for ever; the connection stays."""
    async with json_node(node) as asked:
        status, answers = await asked.post([_request(number) for number in range(BATCH_MAX + 1)])
        assert (status, len(answers)) == (200, BATCH_MAX + 1)
        assert {(answer["error"]["code"], "result" in answer) for answer in answers} == {(-32600, False)}
        assert [answer["id"] for answer in answers] == list(range(BATCH_MAX + 1))
        assert await asked.ask("eth_chainId") == "0x1e5d"
        status, answers = await asked.post([_request(number) for number in range(BATCH_MAX)])
        assert [answer["result"] for answer in answers] == ["0x1e5d"] * BATCH_MAX


@pytest.mark.trio
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b'{"id": NaN}', -32700),
        (b"[" * 50_000, -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b"null", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": {}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": ["0x1"]}', -32602),
        (b"[" + b"1," * 70_000 + b"1]", -32600),
    ],
)
async def test_what_is_no_request_is_an_error_of_its_code(node: SoloNode, body: bytes, code: int) -> None:
    """With HTTP 200, and the connection goes on."""
    async with json_node(node) as asked:
        status, answer = await asked.post(body)
        assert (status, answer["error"]["code"]) == (200, code)
        assert await asked.ask("eth_chainId") == "0x1e5d"


@pytest.mark.trio
async def test_unknown_fields_and_missing_params_are_no_error(node: SoloNode) -> None:
    """Some tools send them."""
    async with json_node(node) as asked:
        for changes in ({"params": None}, {"extra": {"a": 1}}):
            _, answer = await asked.post(_request(**changes))
            assert answer["result"] == "0x1e5d"
        without = _request()
        del without["params"]
        assert (await asked.post(without))[1]["result"] == "0x1e5d"


@pytest.mark.trio
async def test_only_json_is_taken(node: SoloNode) -> None:
    """A form that a page could send without asking is not."""
    async with json_node(node) as asked:
        answer = await asked.client.ask("POST", "/", json.dumps(_request()).encode(), Content_Type="text/plain")
        assert answer.status == 415
    async with json_node(node) as asked:
        answer = await asked.client.ask("GET", "/")
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.trio
async def test_pages_that_are_not_listed_get_nothing(node: SoloNode) -> None:
    """As for the other services."""
    async with json_node(node) as asked:
        assert (await _post_from(asked, "https://elsewhere.example")).status == 403


async def _post_from(asked: JsonNode, origin: str) -> Any:
    body = json.dumps(_request()).encode()
    return await asked.client.ask("POST", "/", body, Content_Type="application/json", Origin=origin)
