"""Handshake and keepalive of a session between two peers, and the keys that they tell each other."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.wire.bounds import sized
from alatau.wire.consensus import ConsensusEnvelope
from alatau.wire.peer_bounds import AGENT_BYTES_MAX, DETAIL_BYTES_MAX, REASON_BYTES_MAX

PROTOCOL_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a node is and which chain it is on."""

    protocol_version: int
    chain_id: int
    genesis_hash: bytes
    height: int
    """Of its last committed block."""
    agent: str
    """Software version, for people."""
    genesis_file_hash: bytes
    """Of everything that the genesis file says; block 0 does not show all of it."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a Pong with the same nonce."""

    nonce: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a Ping."""

    nonce: int


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """TLS keys (SubjectPublicKeyInfo, DER) of members that a receiver may know only by their hashes."""

    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Why the sender ends the session."""

    reason: str
    """Stable, in UPPER_SNAKE_CASE."""
    detail: str
    """For people."""


SessionMessage: TypeAlias = Hello | Ping | Pong | PublicKeys | Goodbye


def write_session(message: SessionMessage) -> ConsensusEnvelope:
    """For the Consensus stream, in either direction."""
    match message:
        case Hello(version, chain_id, genesis_hash, height, agent, genesis_file_hash):
            return p2p_pb2.ConsensusRequest(
                hello=p2p_pb2.Hello(
                    protocol_version=version,
                    chain_id=chain_id,
                    genesis_hash=genesis_hash,
                    height=height,
                    agent=_cut(agent, AGENT_BYTES_MAX),
                    genesis_file_hash=genesis_file_hash,
                )
            )
        case Ping(nonce):
            return p2p_pb2.ConsensusRequest(ping=p2p_pb2.Ping(nonce=nonce))
        case Pong(nonce):
            return p2p_pb2.ConsensusRequest(pong=p2p_pb2.Pong(nonce=nonce))
        case PublicKeys(keys):
            return p2p_pb2.ConsensusRequest(public_keys=p2p_pb2.PublicKeys(keys=keys))
        case Goodbye(reason, detail):
            return p2p_pb2.ConsensusRequest(
                goodbye=p2p_pb2.Goodbye(reason=_cut(reason, REASON_BYTES_MAX), detail=_cut(detail, DETAIL_BYTES_MAX))
            )


def read_session(envelope: ConsensusEnvelope) -> SessionMessage | None:
    """From the Consensus stream; None where it is something else. Raises ``WireError``."""
    match envelope.WhichOneof("message"):
        case "hello":
            hello = envelope.hello
            return Hello(
                protocol_version=hello.protocol_version,
                chain_id=hello.chain_id,
                genesis_hash=sized(hello.genesis_hash, 32, "genesis hash"),
                height=hello.height,
                agent=hello.agent,
                genesis_file_hash=sized(hello.genesis_file_hash, 32, "genesis file hash"),
            )
        case "ping":
            return Ping(envelope.ping.nonce)
        case "pong":
            return Pong(envelope.pong.nonce)
        case "public_keys":
            return PublicKeys(tuple(envelope.public_keys.keys))
        case "goodbye":
            return Goodbye(envelope.goodbye.reason, envelope.goodbye.detail)
        case _:
            return None


def _cut(text: str, bytes_max: int) -> str:
    return text.encode()[:bytes_max].decode(errors="ignore")
