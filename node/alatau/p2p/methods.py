"""The methods of ``PeerService``: a lane for each stream of a session, and the check of what they carry."""

from enum import StrEnum
from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.transport.errors import Code, MalformedMessageError
from alatau.transport.service import Method, methods
from alatau.wire.bounds import WireError
from alatau.wire.peer_bounds import check_peer_message

PEER_SERVICE: Final[ServiceDescriptor] = peer_service_pb2.DESCRIPTOR.services_by_name["PeerService"]


def within_bounds(message: str, data: bytes) -> None:
    """A ``transport.service.Check``: what a peer's message may hold; raises ``MalformedMessageError``."""
    try:
        check_peer_message(message, data)
    except WireError as error:
        raise MalformedMessageError(Code.INVALID_ARGUMENT, str(error), reason=error.reason) from error


_METHODS: Final = methods(PEER_SERVICE, within_bounds)
CONSENSUS: Final[Method] = _METHODS["Consensus"]
PROPOSALS: Final[Method] = _METHODS["Proposals"]
TRANSACTIONS: Final[Method] = _METHODS["Transactions"]
FETCH_BLOCKS: Final[Method] = _METHODS["FetchBlocks"]


class Lane(StrEnum):
    """A stream of a session, with a queue of its own: nothing in one lane waits for another."""

    CONSENSUS = "consensus"
    PROPOSALS = "proposals"
    TRANSACTIONS = "transactions"
