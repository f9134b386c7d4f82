"""Reading by GET, as Connect has it: which methods take it, in which encodings, and who may not."""

import json
from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
import trio
from google.protobuf.json_format import MessageToJson

from alatau.pb.api.v1 import state_service_pb2
from alatau.transport.service import Method
from tests.support.http import HttpClient, http_client
from tests.support.solo_node import RESIDENT, SoloNode, running, solo_node

PAGE = "https://bank.example"
ACCOUNT = "/alatau.api.v1.StateService/GetAccount"
STATUS = "/alatau.api.v1.NodeService/GetStatus"
SUBMITS = {"SubmitTransaction", "BatchSubmitTransactions", "SubmitTransactions", "SubmitAndWait"}
STREAMS = {"SubscribeBlocks", "SubscribeLogs"}
REQUEST = state_service_pb2.GetAccountRequest(address=RESIDENT.address)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> SoloNode:
    """Read only here, so one is enough."""
    return solo_node(tmp_path_factory.mktemp("node"))


def _json_query() -> str:
    return f"connect=v1&encoding=json&message={quote(MessageToJson(REQUEST))}"


def _binary_query() -> str:
    return f"connect=v1&encoding=proto&base64=1&message={urlsafe_b64encode(REQUEST.SerializeToString()).decode()}"


@pytest.mark.trio
async def test_reads_take_get_and_nothing_else_does(node: SoloNode) -> None:
    """A method that changes something, or streams, answers 405 and names what it takes."""
    async with running(node) as served:
        client = await http_client(await served.serve_http())
        endpoints: list[Method] = [method for service in served.api.services for method, _ in service.endpoints]
        names = {method.path.rpartition("/")[2] for method in endpoints}
        assert names >= SUBMITS | STREAMS
        for method in endpoints:
            answer = await client.ask("GET", method.path)
            if method.path.rpartition("/")[2] in SUBMITS | STREAMS:
                assert (answer.status, answer.headers["allow"]) == (405, "POST"), method.path
            else:
                assert answer.status in (200, 400, 404), method.path
                assert answer.headers["content-type"] == "application/json"
                put = await client.ask("PUT", method.path)
                assert (put.status, put.headers["allow"]) == (405, "GET, POST")
        await trio.aclose_forcefully(client.stream)


@pytest.mark.trio
async def test_a_get_answers_as_the_post_does(node: SoloNode) -> None:
    """In JSON and protobuf, with the message as text, as base64 and as bytes; no cache keeps a copy."""
    async with running(node) as served:
        client = await http_client(await served.serve_http())
        text, binary = MessageToJson(REQUEST).encode(), REQUEST.SerializeToString()
        for query, body in (
            (_json_query(), text),
            (_binary_query(), binary),
            (f"encoding=proto&message={quote(binary)}", binary),
            (f"base64=1&encoding=json&message={_base64(text)}", text),
        ):
            content_type = "application/json" if body is text else "application/proto"
            got = await client.ask("GET", f"{ACCOUNT}?{query}")
            posted = await client.ask("POST", ACCOUNT, body, Content_Type=content_type)
            assert (got.status, got.headers["content-type"], got.body) == (200, content_type, posted.body)
            assert (got.headers["cache-control"], got.headers["vary"]) == ("no-store", "Origin")
        answer = state_service_pb2.GetAccountResponse.FromString(
            (await client.ask("GET", f"{ACCOUNT}?{_binary_query()}")).body
        )
        assert answer.account.address == RESIDENT.address
        hexadecimal = quote(json.dumps({"address": f"0x{RESIDENT.address.hex()}"}))
        got = await client.ask("GET", f"{ACCOUNT}?message={hexadecimal}", Alatau_Bytes="hex")
        assert json.loads(got.body)["account"]["address"] == f"0x{RESIDENT.address.hex()}"
        await trio.aclose_forcefully(client.stream)


def _base64(text: bytes) -> str:
    return urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.trio
@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("message=%7B", "MALFORMED_MESSAGE"),
        ("encoding=proto&message=%FF", "MALFORMED_MESSAGE"),
        ("base64=1&message=%2A", "INVALID_REQUEST"),
        ("connect=v2&message=%7B%7D", "INVALID_REQUEST"),
        ("encoding=xml", "INVALID_REQUEST"),
        ("", "INVALID_REQUEST"),
    ],
)
async def test_a_bad_query_is_the_callers_fault(node: SoloNode, query: str, reason: str) -> None:
    """The reason says why; nothing is guessed, and an empty message lacks its address."""
    async with running(node) as served:
        client = await http_client(await served.serve_http())
        answer = await client.ask("GET", f"{ACCOUNT}?{query}")
        assert answer.status == 400
        assert json.loads(answer.body)["details"][0]["debug"]["reason"] == reason
        await trio.aclose_forcefully(client.stream)


@pytest.mark.trio
async def test_a_message_too_long_for_a_query_is_refused_by_its_length(node: SoloNode) -> None:
    """431: a query is part of the head."""
    async with running(node) as served:
        client = await http_client(await served.serve_http())
        call = "/alatau.api.v1.TransactionService/Call?connect=v1&encoding=json&message=%7B%7D&padding="
        for length, status in ((16_384 - 150, 400), (16_384, 431), (60_000, 431)):
            answer = await client.ask("GET", call + "x" * length)
            assert answer.status == status
            assert (b"send a POST" in answer.body) is (status == 431)
        await trio.aclose_forcefully(client.stream)


@pytest.mark.trio
async def test_pages_read_by_get_as_they_post(node: SoloNode) -> None:
    """One on the list sees the answer; another gets none, nor one that comes under a name of its own."""
    async with running(node) as served:
        plain = await http_client(await served.serve_http(origins=frozenset({PAGE})))
        listed = await plain.ask("GET", STATUS, Origin=PAGE)
        assert (listed.status, listed.headers["access-control-allow-origin"]) == (200, PAGE)
        foreign = await plain.ask("GET", STATUS, Origin="https://evil.example")
        assert (foreign.status, "chainId" in foreign.body.decode()) == (403, False)
        for host, status in (("evil.example:7301", 421), ("localhost:7301", 200), ("[::1]:7301", 200)):
            assert await _status_by(plain, host) == status
        assert (await plain.ask("GET", STATUS)).status == 200, "the connection is still good"
        await trio.aclose_forcefully(plain.stream)


async def _status_by(client: HttpClient, host: str) -> int:
    client.host = host
    try:
        return (await client.ask("GET", STATUS)).status
    finally:
        client.host = "127.0.0.1"
