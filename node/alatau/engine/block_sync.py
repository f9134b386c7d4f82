"""Fetching decided blocks from peers that are ahead.

One request at a time: the bottleneck of catching up is executing blocks, not fetching them. The network fetches
the next portions from other peers while one executes.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
import trio

from alatau.engine.peers import Fetched, FetchError, Peers

_LOG = structlog.get_logger(__name__)

PORTION: Final = 64
"""Blocks asked for at once: at most a few seconds of execution when they are full."""


class BlockSync:
    """Asks peers for blocks, one request at a time."""

    def __init__(self, nursery: trio.Nursery, peers: Peers, deliver: Callable[[Fetched], Awaitable[None]]) -> None:
        self._nursery = nursery
        self._peers = peers
        self._deliver = deliver
        self.running = False
        """Whether a request is under way: the node is behind."""

    def request(self, peer: bytes, height: int) -> None:
        """Fetch from ``height`` on; a request while another runs is only a reminder, and ignored."""
        if self.running:
            return
        self.running = True
        self._nursery.start_soon(self._fetch, peer, height)

    async def _fetch(self, peer: bytes, height: int) -> None:
        fetched = Fetched(peer, ())
        try:
            fetched = await self._peers.fetch_blocks(peer, height, PORTION)
        except FetchError as error:
            _LOG.warning("sync.fetch_failed", peer=peer.hex(), height=height, error=str(error))
        finally:
            self.running = False
        await self._deliver(fetched)
