"""The methods of ``PeerService``, as the generated descriptors name them."""

from typing import Final

from alatau.transport.service import Method, methods
from alatau.wire.peer_service import PEER_SERVICE

_METHODS: Final = methods(PEER_SERVICE)
CONSENSUS: Final[Method] = _METHODS["Consensus"]
PROPOSALS: Final[Method] = _METHODS["Proposals"]
TRANSACTIONS: Final[Method] = _METHODS["Transactions"]
FETCH_BLOCKS: Final[Method] = _METHODS["FetchBlocks"]
