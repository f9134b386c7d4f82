"""Before a validator signs: hear where the network stands, and fetch what it decided meanwhile.

A home that was restored from a backup is as old in its sign state as in its chain, so the two agree, and the node would
sign once more at heights at which it has signed already. Nobody but its peers can tell. So a validator that starts
on a chain waits until validators with which it could decide anything have said where they stand (alone it could
decide nothing anyway), and fetches and checks the blocks that they have and it has not. Only then does consensus
begin, and the sign state is compared with the commits of the chain as it is now (``start_input``).

Two validators that both wait tell each other their heights, so a network that starts as a whole goes on at once.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog
import trio

from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected, Input, InTransactionsAvailable
from alatau.consensus.messages import StatusMessage
from alatau.engine.block_sync import PORTION, Fetched
from alatau.engine.chain_view import ChainView
from alatau.engine.peers import Peers

_LOG = structlog.get_logger(__name__)

_HELD_MAX: Final = 1_024
"""Events kept for consensus meanwhile: greetings of more peers than a network has. Of more, the oldest are dropped,
which peers say again."""

Event: TypeAlias = Input | Fetched


class Joining:
    """One start of one node."""

    def __init__(
        self, view: ChainView, peers: Peers, validator: bytes, apply: Callable[[Fetched], Awaitable[bool]]
    ) -> None:
        """Wire it up; ``apply`` checks and commits fetched blocks, and says whether any was good."""
        self._view = view
        self._peers = peers
        self._validator = validator
        self._apply = apply
        self._heights: dict[bytes, int] = {}
        """What each peer said it decides."""
        self._failed: set[bytes] = set()
        """Peers that could not show what they claimed."""
        self._held: deque[Event] = deque(maxlen=_HELD_MAX)
        self._transactions = False
        self.fetching = False
        """Whether blocks are being fetched."""

    async def run(self, events: trio.MemoryReceiveChannel[Event]) -> tuple[Event, ...]:
        """Return once it is known where the network stands, and this node stands there; gives what came meanwhile."""
        waiting = False
        while True:
            ahead = self._ahead()
            if ahead is not None:
                await self._fetch(ahead)
            elif self._knows():
                break
            else:
                if not waiting:
                    _LOG.info("consensus.listening", height=self._view.height, validators=len(self._heights))
                waiting = True
                self._note(await events.receive())
        return (*self._held, *((InTransactionsAvailable(),) if self._transactions else ()))

    def _knows(self) -> bool:
        """Whether validators with which this one could decide have said where they stand; or it is none itself."""
        validators = self._view.validators[self._view.height + 1]
        if self._validator not in validators.by_address:
            return True
        heard = self._heights.keys() | {self._validator}
        return validators.has_quorum(sum(validators.power_of(v) for v in heard if v in validators.by_address))

    def _ahead(self) -> bytes | None:
        """Whoever claims most above our own height, and has not failed."""
        claims = [(h, p) for p, h in self._heights.items() if h > self._view.height + 1 and p not in self._failed]
        return max(claims)[1] if claims else None

    async def _fetch(self, peer: bytes) -> None:
        self.fetching = True
        try:
            fetched = Fetched(*await self._peers.fetch_blocks(peer, self._view.height + 1, PORTION))
            if not await self._apply(fetched):
                self._failed.add(peer)
        finally:
            self.fetching = False

    def _note(self, event: Event) -> None:
        match event:
            case InTransactionsAvailable():
                self._transactions = True
                return
            case InPeerConnected(peer):
                self._peers.send(peer, StatusMessage(self._view.height + 1, 0, self._view.tip.hash))
                self._failed.discard(peer)
            case InPeerDisconnected(peer):
                self._heights.pop(peer, None)
            case InMessage(peer, StatusMessage(height)) if peer in self._heights or len(self._heights) < _HELD_MAX:
                self._heights[peer] = height
            case _:
                pass
        self._held.append(event)
