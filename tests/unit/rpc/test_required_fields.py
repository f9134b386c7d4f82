"""Fields that the definitions call required: an empty request is refused for exactly these."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from alatau.client import Client, RpcError
from alatau.client.exchange import METHODS
from alatau.pb.api.v1.transaction_service_pb2 import GetTransactionRequest, SenderNonce, SubmitTransactionsRequest
from alatau.transport.service import Method
from tests.support.field_behavior import all_messages, behavior, is_choice, required
from tests.support.solo_node import SoloNode, running, solo_node

PROTOS = Path(__file__).parents[3] / "protos" / "alatau"
IN_WORDS = {"GetTransactionRequest": {"hash"}, "TraceRequest": {"subject"}}
"""One of two, and a oneof: there is no option that says so, and their comments do."""


def _documented(message: Descriptor) -> set[str]:
    return required(message) | IN_WORDS.get(message.name, set())


def _unary() -> Iterator[Method]:
    return (method for method in METHODS.values() if not method.client_streaming and not method.server_streaming)


async def _refused_for(client: Client, method: Method, request: Message) -> set[str]:
    """The fields that are named, or none."""
    try:
        await client._channel.unary(method, request)
    except RpcError as error:
        return {violation.field for violation in error.field_violations}
    return set()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> SoloNode:
    """Read only here."""
    return solo_node(tmp_path_factory.mktemp("node"))


@pytest.mark.trio
async def test_an_empty_request_is_refused_for_its_required_fields(node: SoloNode) -> None:
    """Of every method; whoever generates a client reads there what a node demands."""
    assert sum(len(required(method.request.DESCRIPTOR)) for method in _unary()) > 10
    async with running(node) as served, served.connect() as client:
        for method in _unary():
            documented = _documented(method.request.DESCRIPTOR)
            assert await _refused_for(client, method, method.request()) == documented, method.path
        nobody = GetTransactionRequest(sent=SenderNonce())
        named = {f"sent.{field}" for field in required(SenderNonce.DESCRIPTOR)}
        assert await _refused_for(client, METHODS["GetTransaction"], nobody) == named


@pytest.mark.trio
async def test_an_empty_batch_of_a_stream_is_refused(node: SoloNode) -> None:
    """In its answer: the stream goes on."""
    assert required(SubmitTransactionsRequest.DESCRIPTOR) == {"transactions"}
    async with (
        running(node) as served,
        served.connect() as client,
        client._channel.stream(METHODS["SubmitTransactions"]) as stream,
    ):
        await stream.send(SubmitTransactionsRequest(sequence=1))
        answer = await anext(aiter(stream))
        assert "transactions" in answer.rejection.message


def test_every_field_of_a_request_says_what_it_is() -> None:
    """REQUIRED or OPTIONAL, at all depths; none of a oneof does."""
    for method in METHODS.values():
        for message in all_messages(method.request.DESCRIPTOR).values():
            for field in message.fields:
                said = behavior(field)
                assert said in ([set()] if is_choice(field) else [{"REQUIRED"}, {"OPTIONAL"}]), field.full_name


def test_the_comment_of_a_required_field_says_it_too() -> None:
    """Generated code carries comments where it drops options."""
    marked = re.compile(
        r"^ *//(.*)\n(?: *//.*\n)* *[\w. ]+ = \d+ \[\(google.api.field_behavior\) = (\w+)\];$", re.MULTILINE
    )
    count = 0
    for file in sorted(PROTOS.rglob("*.proto")):
        for first, kind in marked.findall(file.read_text()):
            assert first.startswith(" Required. ") == (kind == "REQUIRED"), (file.name, first)
            count += kind == "REQUIRED"
    assert count > 40
