"""Handshake and keepalive on the wire."""

import pytest

from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.wire.consensus import read_control
from alatau.wire.errors import WireError
from alatau.wire.session import Hello, Ping, Pong, PublicKeys, SessionMessage, read_session, write_session


@pytest.mark.parametrize(
    "message",
    [Hello(1, 7773, b"g" * 32, 12, "alatau/0.1"), Ping(2**64 - 1), Pong(0), PublicKeys((b"k" * 91, b"l" * 91))],
)
def test_what_is_written_is_read(message: SessionMessage) -> None:
    """And is no consensus message."""
    data = write_session(message).SerializeToString()
    envelope = peer_service_pb2.ConsensusResponse.FromString(data)
    assert read_session(envelope) == message
    assert read_control(envelope) is None


def test_a_long_agent_is_cut_when_written_and_refused_when_read() -> None:
    """It is for people, not for filling logs."""
    assert read_session(write_session(Hello(1, 1, bytes(32), 0, "x" * 500))) == Hello(1, 1, bytes(32), 0, "x" * 128)
    envelope = write_session(Hello(1, 1, bytes(32), 0, "x"))
    envelope.hello.agent = "x" * 129
    with pytest.raises(WireError, match="agent"):
        read_session(envelope)


@pytest.mark.parametrize("keys", [(b"k",) * 1_025, (b"k" * 129,)], ids=["too many", "too long"])
def test_keys_are_bounded(keys: tuple[bytes, ...]) -> None:
    """In number and size."""
    with pytest.raises(WireError):
        read_session(write_session(PublicKeys(keys)))
