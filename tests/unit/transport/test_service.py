"""Descriptions of services from their descriptors."""

import pytest

from alatau.p2p.methods import PEER_SERVICE
from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.transport.service import bind, methods


def test_methods_follow_the_descriptor() -> None:
    """Path, message types and the streaming of both sides."""
    found = methods(PEER_SERVICE)
    assert list(found) == ["Consensus", "Proposals", "Transactions", "FetchBlocks"]
    fetch = found["FetchBlocks"]
    assert fetch.path == "/alatau.p2p.v1.PeerService/FetchBlocks"
    assert fetch.request is peer_service_pb2.FetchBlocksRequest
    assert fetch.response is peer_service_pb2.FetchBlocksResponse
    assert (fetch.client_streaming, fetch.server_streaming) == (False, True)


def test_an_implementation_that_lacks_a_method_is_seen_at_start() -> None:
    """The error names the method and the function that it wants."""

    class Half:
        async def consensus(self) -> None: ...

        async def proposals(self) -> None: ...

        async def transactions(self) -> None: ...

    with pytest.raises(TypeError, match=r"PeerService/FetchBlocks: no fetch_blocks\(\)"):
        bind(PEER_SERVICE, Half())
