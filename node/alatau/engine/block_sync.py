"""Fetching decided blocks from peers that are ahead.

One request at a time: the bottleneck of catching up is executing blocks, not fetching them. The network fetches
the next portions from other peers while one executes.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from alatau.engine.peers import Peers
from alatau.types.block import Block
from alatau.types.vote import Commit

PORTION: Final = 64
"""Blocks asked for at once: at most a few seconds of execution when they are full."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Blocks with the commits that decide them, as a peer gave them: nothing is checked yet."""

    peer: bytes
    blocks: Sequence[tuple[Block, Commit]]
    """Empty where nobody delivered."""


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
            fetched = Fetched(*await self._peers.fetch_blocks(peer, height, PORTION))
        finally:
            self.running = False
        await self._deliver(fetched)
