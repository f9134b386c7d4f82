"""Handshake and keepalive on the wire."""

import pytest

from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.wire.consensus import read_control
from alatau.wire.peer_bounds import check_peer_message
from alatau.wire.session import Goodbye, Hello, Ping, Pong, PublicKeys, SessionMessage, read_session, write_session


@pytest.mark.parametrize(
    "message",
    [
        Hello(1, 7773, b"g" * 32, 12, "alatau/0.1", b"f" * 32),
        Goodbye("KEY_NOT_TRUSTED", "ask"),
        Ping(2**64 - 1),
        Pong(0),
        PublicKeys((b"k" * 91, b"l" * 91)),
    ],
)
def test_what_is_written_is_read(message: SessionMessage) -> None:
    """And is no consensus message."""
    data = write_session(message).SerializeToString()
    envelope = peer_service_pb2.ConsensusResponse.FromString(data)
    assert read_session(envelope) == message
    assert read_control(envelope) is None


@pytest.mark.parametrize("character", ["x", "ä", "€"], ids=["one byte", "two bytes", "three bytes"])
def test_a_long_agent_is_cut_when_written(character: str) -> None:
    """To what a receiver takes, which counts bytes; never within a character."""
    data = write_session(Hello(1, 1, bytes(32), 0, character * 500, bytes(32))).SerializeToString()
    check_peer_message("alatau.p2p.v1.ConsensusRequest", data)
    agent = peer_service_pb2.ConsensusRequest.FromString(data).hello.agent
    assert agent == character * (128 // len(character.encode()))
