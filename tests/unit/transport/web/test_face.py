"""Calls over HTTP as browsers and curl make them, against handlers that gRPC serves at the same time."""

import gc
import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
import trio
from google.protobuf.wrappers_pb2 import BytesValue
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from alatau.transport.errors import RpcError
from alatau.transport.web import exchange
from alatau.transport.web.envelope import END_OF_STREAM, PREFIX_SIZE, TRAILERS, envelope
from alatau.transport.web.holdings import HELD_BYTES_EACH_MAX
from tests.support.echo import UNARY, value
from tests.support.waiting import eventually
from tests.support.web_rig import PAGE, served

UNARY_PATH, REPEAT, ANNOUNCE = "/test.Echo/Unary", "/test.Echo/Repeat", "/test.Echo/Announce"


def base64(data: bytes) -> bytes:
    """A ``BytesValue`` in JSON."""
    return json.dumps(b64encode(data).decode()).encode()


def envelopes(body: bytes) -> list[tuple[int, bytes]]:
    """Flags and data of each."""
    found = []
    while body:
        end = PREFIX_SIZE + int.from_bytes(body[1:PREFIX_SIZE], "big")
        found.append((body[0], body[PREFIX_SIZE:end]))
        body = body[end:]
    return found


def trailers_of(body: bytes) -> dict[str, str]:
    """Of gRPC-Web."""
    return dict(line.split(": ", 1) for line in body.decode().strip().split("\r\n"))  # type: ignore[misc]


@pytest.mark.trio
async def test_curl_posts_json_and_keeps_its_connection() -> None:
    """``curl --json``: no header beside the content type is needed."""
    async with served() as node:
        client = await node.client()
        for word in (b"one", b"two"):
            answer = await client.ask("POST", UNARY_PATH, base64(word), Content_Type="application/json")
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            assert answer.body == base64(word)
        assert len(node.face.connections) == 1


@pytest.mark.trio
async def test_bytes_are_hexadecimal_where_the_caller_says_so() -> None:
    """In the request and in the answer; without the header ``0x`` is base64 like any other text."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask("POST", UNARY_PATH, b'"0xd316"', Content_Type="application/json", Alatau_Bytes="hex")
        assert answer.body == b'"0xd316"'
        answer = await client.ask("POST", UNARY_PATH, b'"0xd3"', Content_Type="application/json")
        assert answer.body == base64(b64decode(b"0xd3"))
        wrong = await client.ask("POST", UNARY_PATH, b'"0xd31"', Content_Type="application/json", Alatau_Bytes="hex")
        assert wrong.status == 400
        assert "pairs of hexadecimal digits" in json.loads(wrong.body)["message"]


@pytest.mark.trio
@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"\xff", b'{"a":' * 2_000, b'"' + b"," * 20_000 + b'"'])
async def test_what_is_no_message_in_json_is_the_callers_fault(body: bytes) -> None:
    """Whatever is wrong with it, also where it would take long to read."""
    async with served() as node:
        answer = await (await node.client()).ask("POST", UNARY_PATH, body, Content_Type="application/json")
        error = json.loads(answer.body)
        assert (answer.status, error["code"]) == (400, "invalid_argument")
        assert error["details"][0]["debug"]["reason"] == "MALFORMED_MESSAGE"


@pytest.mark.trio
async def test_an_error_has_the_details_that_grpc_has() -> None:
    """Reason, metadata, violations and when to come back, as bytes for programs and as JSON for people."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask("POST", UNARY_PATH, base64(b"refuse"), Content_Type="application/json")
        assert (answer.status, answer.headers["retry-after"]) == (400, "2")
        error = json.loads(answer.body)
        assert (error["code"], error["message"]) == ("invalid_argument", "no")
        details = {detail["type"]: detail for detail in error["details"]}
        assert set(details) == {"google.rpc.ErrorInfo", "google.rpc.RetryInfo", "google.rpc.BadRequest"}
        packed = details["google.rpc.ErrorInfo"]
        assert packed["debug"] == {
            "reason": "REFUSED", "domain": "alatau", "metadata": {"limit": "1", "retry_in_ms": "1500"}
        }  # fmt: skip
        info = ErrorInfo.FromString(b64decode(packed["value"] + "=="))
        assert info.reason == "REFUSED"
        bad = BadRequest.FromString(b64decode(details["google.rpc.BadRequest"]["value"] + "=="))
        assert bad.field_violations[0].field == "value"


@pytest.mark.trio
async def test_a_stream_of_connect_begins_at_once_and_ends_with_its_outcome() -> None:
    """Headers come before the first message, an empty object says that all went well."""
    async with served() as node:
        client = await node.client()
        body = envelope(0, base64(b"hello"))
        await client.send("POST", ANNOUNCE, body, Content_Type="application/connect+json")
        head = await client.head()
        assert (b"alatau-word", b"hello") in list(head.headers)
        client = await node.client()
        body = envelope(0, value(b"3").SerializeToString())
        answer = await client.ask("POST", REPEAT, body, Content_Type="application/connect+proto")
        *messages, last = envelopes(answer.body)
        assert [BytesValue.FromString(data).value for _, data in messages] == [b"0", b"1", b"2"]
        assert last == (END_OF_STREAM, b"{}")
        body = envelope(0, base64(b"refuse"))
        answer = await client.ask("POST", ANNOUNCE, body, Content_Type="application/connect+json")
        assert answer.status == 200
        ((flags, end),) = envelopes(answer.body)
        assert flags == END_OF_STREAM
        assert json.loads(end)["error"]["code"] == "not_found"


@pytest.mark.trio
async def test_grpc_web_has_status_and_details_in_its_last_frame() -> None:
    """As gRPC has them in trailers."""
    async with served() as node:
        client = await node.client()
        body = envelope(0, value(b"hi").SerializeToString())
        answer = await client.ask("POST", UNARY_PATH, body, Content_Type="application/grpc-web+proto")
        (_, data), (flags, trailers) = envelopes(answer.body)
        assert BytesValue.FromString(data).value == b"hi"
        assert (flags, trailers_of(trailers)) == (TRAILERS, {"grpc-status": "0"})
        body = envelope(0, value(b"refuse").SerializeToString())
        answer = await client.ask("POST", UNARY_PATH, body, Content_Type="application/grpc-web+proto")
        ((flags, trailers),) = envelopes(answer.body)
        fields = trailers_of(trailers)
        assert (flags, fields["grpc-status"], fields["grpc-message"]) == (TRAILERS, "3", "no")
        status = Status.FromString(b64decode(fields["grpc-status-details-bin"] + "=="))
        info = ErrorInfo()
        assert status.details[0].Unpack(info)
        assert info.reason == "REFUSED"


@pytest.mark.trio
async def test_a_browser_asks_first_and_is_told_who_may_call() -> None:
    """A page on the list sees status and details; one that is not on it is refused, whatever it sends."""
    async with served() as node:
        client = await node.client()
        ask = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
        allowed = await client.ask("OPTIONS", UNARY_PATH, Origin=PAGE, **ask)
        assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, PAGE)
        assert "Connect-Protocol-Version" in allowed.headers["access-control-allow-headers"]
        assert "POST" in allowed.headers["access-control-allow-methods"]
        json_type = {"Content_Type": "application/json"}
        answer = await client.ask("POST", UNARY_PATH, base64(b"x"), Origin=PAGE, **json_type)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "grpc-status-details-bin" in answer.headers["access-control-expose-headers"]
        for method in ("OPTIONS", "POST"):
            refused = await client.ask(method, UNARY_PATH, base64(b"x"), Origin="https://evil.example", **json_type)
            assert refused.status == 403
            assert "access-control-allow-origin" not in refused.headers
        assert [call.method for call in node.rig.echo.calls] == [UNARY.path]


@pytest.mark.trio
@pytest.mark.parametrize(
    ("method", "target", "content_type", "status"),
    [
        ("POST", "/test.Echo/Nothing", "application/json", 404),
        ("POST", "/alatau.p2p.v1.Peer/Hello", "application/json", 404),
        ("GET", UNARY_PATH, "application/json", 405),
        ("PUT", UNARY_PATH, "application/json", 405),
        ("OPTIONS", UNARY_PATH, "application/json", 405),
        ("POST", UNARY_PATH, "text/plain", 415),
        ("POST", UNARY_PATH, "application/connect+json", 415),
        ("POST", REPEAT, "application/json", 415),
        ("POST", UNARY_PATH, "application/json; charset=latin-1", 415),
    ],
)
async def test_what_is_no_call_is_refused_in_words(method: str, target: str, content_type: str, status: int) -> None:
    """By HTTP's own statuses, as Connect prescribes."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask(method, target, b"{}", Content_Type=content_type)
        assert answer.status == status
        assert answer.body.endswith(b"\n")
        assert node.face.calls_refused == {f"HTTP_{status}": 1}
        if status == 405:
            assert answer.headers["allow"] == "POST"


@pytest.mark.trio
async def test_a_head_is_refused_without_a_body_and_the_connection_goes_on() -> None:
    """An answer to HEAD has none (RFC 9110, 9.3.2): the next answer would be read out of it."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask("HEAD", UNARY_PATH)
        assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")
        answer = await client.ask("POST", UNARY_PATH, base64(b"x"), Content_Type="application/json")
        assert (answer.status, answer.body) == (200, base64(b"x"))


@pytest.mark.trio
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content_Encoding": "gzip"}, "unimplemented"),
        ({"Connect_Protocol_Version": "2"}, "invalid_argument"),
        ({"Connect_Timeout_Ms": "soon"}, "invalid_argument"),
        ({"Key_Bin": "%"}, "invalid_argument"),
        ({"Name": "Zo\xeb"}, "invalid_argument"),
    ],
)
async def test_headers_that_are_not_understood_are_refused(headers: dict[str, str], code: str) -> None:
    """Compression among them: a few bytes of it become many."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask("POST", UNARY_PATH, base64(b"x"), Content_Type="application/json", **headers)
        assert json.loads(answer.body)["code"] == code
        assert node.rig.echo.calls == []
        assert (node.face.calls_started, node.face.calls_refused.total()) == (0, 1)


@pytest.mark.trio
async def test_a_body_may_be_as_long_as_a_message() -> None:
    """A longer one is refused while it comes, and the connection ends with it."""
    async with served() as node:
        client = await node.client()
        body = value(b"x" * 200_000).SerializeToString()
        answer = await client.ask("POST", UNARY_PATH, body, Content_Type="application/proto")
        assert (answer.status, json.loads(answer.body)["code"]) == (429, "resource_exhausted")
        assert answer.headers["connection"] == "close"


@pytest.mark.trio
async def test_calls_over_http_count_with_those_over_grpc() -> None:
    """One address has one share, whichever way it comes."""
    async with served() as node:
        clients = [await node.client() for _ in range(4)]
        for client in clients:
            await client.send("POST", UNARY_PATH, base64(b"wait"), Content_Type="application/json")
        await eventually(lambda: node.rig.echo.started == 4)
        late = await node.client()
        answer = await late.ask("POST", UNARY_PATH, base64(b"x"), Content_Type="application/json")
        error = json.loads(answer.body)
        assert (answer.status, error["details"][0]["debug"]["reason"]) == (429, "TOO_MANY_CALLS")
        assert node.rig.server.calls_refused["TOO_MANY_CALLS"] == 1
        await clients[0].stream.aclose()
        await eventually(lambda: node.rig.echo.cancelled == 1)
        answer = await late.ask("POST", UNARY_PATH, base64(b"x"), Content_Type="application/json")
        assert answer.status == 200


@pytest.mark.trio
async def test_a_handler_ends_with_its_deadline() -> None:
    """As with gRPC; the answer says so."""
    async with served() as node:
        client = await node.client()
        answer = await client.ask(
            "POST", UNARY_PATH, base64(b"wait"), Content_Type="application/json", Connect_Timeout_Ms="50"
        )
        assert (answer.status, json.loads(answer.body)["code"]) == (504, "deadline_exceeded")
        body = envelope(0, value(b"wait").SerializeToString())
        answer = await client.ask("POST", REPEAT, body, Content_Type="application/grpc-web", Grpc_Timeout="50m")
        ((_, trailers),) = envelopes(answer.body)
        assert trailers_of(trailers)["grpc-status"] == "4"
        assert node.rig.echo.cancelled == 2


@pytest.mark.trio
async def test_a_client_that_goes_ends_its_stream() -> None:
    """Nothing is computed for nobody."""
    async with served() as node:
        client = await node.client()
        await client.send(
            "POST", REPEAT, envelope(0, value(b"forever").SerializeToString()), Content_Type="application/grpc-web"
        )
        await client.head()
        await client.stream.aclose()
        await eventually(lambda: node.rig.echo.cancelled == 1)
        await eventually(lambda: len(node.face.connections) == 0)


@pytest.mark.trio
async def test_who_sleeps_over_a_stream_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is kept, so it may not wait for ever."""
    monkeypatch.setattr(exchange, "TAKE_S", 0.2)
    async with served() as node:
        client = await node.client()
        await client.send(
            "POST", REPEAT, envelope(0, value(b"forever").SerializeToString()), Content_Type="application/grpc-web"
        )
        await eventually(lambda: node.rig.echo.started == 1)
        assert (node.face.calls_under_way, node.face.calls_started) == (1, 1)
        await eventually(lambda: len(node.face.connections) == 0)
        assert (node.rig.echo.cancelled, node.face.calls_under_way) == (1, 0)
        assert node.face.connections.refused == {"ANSWER_TIMEOUT": 1}


@pytest.mark.trio
@pytest.mark.parametrize("part", [b"", b"POST /test.Echo/Unary HTTP/1.1\r\n"])
async def test_who_asks_slowly_loses_the_connection(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    """Half a request, or none, holds no place for long."""
    monkeypatch.setattr("alatau.transport.web.face.HEAD_S", 0.2)
    monkeypatch.setattr(exchange, "HEAD_S", 0.2)
    async with served() as node:
        client = await node.client()
        if part:
            await client.stream.send_all(part)
        with trio.fail_after(10):
            assert await client.stream.receive_some(100) == b""
        await eventually(lambda: node.face.connections.refused == ({"REQUEST_TIMEOUT": 1} if part else {}))


@pytest.mark.trio
async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that was begun ends too."""
    monkeypatch.setattr(exchange, "BODY_S", 0.2)
    async with served() as node:
        client = await node.client()
        head = (
            "POST /test.Echo/Unary HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        await client.stream.send_all(head.encode() + b'"')
        with trio.fail_after(10):
            assert await client.stream.receive_some(100) == b""
        await eventually(lambda: node.face.held_bytes == 0)
        await eventually(lambda: node.face.connections.refused == {"REQUEST_TIMEOUT": 1})


@pytest.mark.trio
async def test_one_address_cannot_make_the_node_keep_all_it_may() -> None:
    """Another always finds room."""
    async with served() as node:
        node.face.holdings.take("127.0.0.1", HELD_BYTES_EACH_MAX)
        client = await node.client()
        answer = await client.ask("POST", UNARY_PATH, base64(b"x"), Content_Type="application/json")
        error: dict[str, Any] = json.loads(answer.body)
        assert (answer.status, error["details"][0]["debug"]["reason"]) == (429, "SERVER_BUSY")


@pytest.mark.trio
async def test_a_refusal_keeps_nothing_of_its_request() -> None:
    """An error that its own frames know waits for the collector, which runs seldom, and 4 MB may wait with it."""
    async with served() as node:
        client = await node.client()
        gc.collect()
        gc.disable()
        before = {id(one) for one in gc.get_objects() if isinstance(one, RpcError)}
        try:
            for body in (b'"not base64"', base64(b"refuse")):
                answer = await client.ask("POST", UNARY_PATH, body, Content_Type="application/json")
                assert answer.status == 400
            answer = await client.ask("POST", UNARY_PATH, b"", Content_Type="application/json", Connect_Timeout_Ms="x")
            assert answer.status == 400
            await client.ask("POST", UNARY_PATH, bytes(200_000), Content_Type="application/proto")
            await client.stream.aclose()
            await eventually(lambda: len(node.face.connections) == 0)
            kept = [one for one in gc.get_objects() if isinstance(one, RpcError) and id(one) not in before]
            assert kept == []
        finally:
            gc.enable()


@pytest.mark.trio
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01 garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, b"431"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"4"),
    ],
)
async def test_what_is_no_http_1_1_is_refused(sent: bytes, status: bytes) -> None:
    """TLS, HTTP/2, heads without end."""
    async with served() as node:
        client = await node.client()
        await client.stream.send_all(sent)
        with trio.fail_after(10):
            assert (await client.stream.receive_some(100)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.trio
async def test_streams_of_requests_are_for_grpc() -> None:
    """A browser cannot send them."""
    async with served() as node:
        client = await node.client()
        body = envelope(0, value(b"x").SerializeToString())
        answer = await client.ask("POST", "/test.Echo/Count", body, Content_Type="application/grpc-web")
        ((_, trailers),) = envelopes(answer.body)
        assert trailers_of(trailers)["grpc-status"] == "12"
