"""Fields that the definitions call required: an empty request is refused for exactly these."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.message import Message

from alatau.client import Client, RpcError
from alatau.client.exchange import METHODS
from alatau.pb.api.v1.transaction_service_pb2 import GetTransactionRequest, SenderNonce
from alatau.transport.service import Method
from tests.support.solo_node import SoloNode, running, solo_node

PROTOS = Path(__file__).parents[3] / "protos" / "alatau" / "api" / "v1"
_MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_REQUIRED = re.compile(
    r"^  // Required\b(?:.*\n)(?:  //.*\n)*  (?:oneof (\w+) \{|(?:repeated )?[\w.]+ (\w+) = )", re.MULTILINE
)


def _required() -> dict[str, set[str]]:
    """By message, what its comments say."""
    found: dict[str, set[str]] = {}
    for file in sorted(PROTOS.glob("*.proto")):
        for message, body in _MESSAGE.findall(file.read_text()):
            found[message] = {oneof or field for oneof, field in _REQUIRED.findall(body)}
    return found


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
    documented = _required()
    assert sum(map(len, documented.values())) > 10
    async with running(node) as served, served.connect() as client:
        for method in _unary():
            name = method.request.DESCRIPTOR.name
            assert await _refused_for(client, method, method.request()) == documented.get(name, set()), name
        nobody = GetTransactionRequest(sent=SenderNonce())
        named = {f"sent.{field}" for field in documented["SenderNonce"]}
        assert await _refused_for(client, METHODS["GetTransaction"], nobody) == named
