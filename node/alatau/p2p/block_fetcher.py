"""Catching up from several peers at once.

The engine asks for one portion of blocks after the other. While it executes one, the next ones are fetched here,
each from another peer, so that a slow peer delays only its own portion. Who fails is passed over: a portion that
a peer did not deliver is asked of the next one that claims to have it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import structlog
import trio

from alatau.p2p.table import PeerTable
from alatau.transport.errors import RpcError
from alatau.types.block import Block
from alatau.types.vote import Commit
from alatau.wire.bounds import WireError

_LOG = structlog.get_logger("alatau.p2p")

Blocks: TypeAlias = list[tuple[Block, Commit]]
Fetch: TypeAlias = Callable[[bytes, int, int], Awaitable[Blocks]]
"""(peer id, first height, how many) -> blocks; raises ``RpcError`` or ``WireError``."""

AHEAD_MAX: Final = 3
"""Portions fetched ahead: as many as each of four validators has peers. Bounds memory at that many full answers."""

_UNUSED_S: Final = 30.0
"""A portion that nobody took for this long is dropped: consensus has carried on by itself."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Blocks in ascending order without a gap, and who gave them. Nothing is proven yet."""

    peer_id: bytes
    blocks: Blocks


@dataclass(slots=True)
class _Portion:
    """Blocks on their way."""

    peer_id: bytes
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    done: trio.Event = field(default_factory=trio.Event)
    blocks: Blocks = field(default_factory=list)
    """Empty until done, and where the peer failed."""


class BlockFetcher:
    """Fetches portions, the next ones ahead of their use."""

    def __init__(self, table: PeerTable, fetch: Fetch) -> None:
        self._table = table
        self._fetch = fetch
        self._ahead: dict[int, _Portion] = {}
        """First height -> portion."""
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Let portions be fetched ahead, until cancelled; without it every fetch waits for its own answer."""
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    async def get(self, preferred: bytes, start: int, count: int) -> Fetched:
        """The next blocks from ``start``, at most ``count``, from ``preferred`` or whoever has them; or none."""
        portion = self._ahead.pop(start, None)
        for height in [height for height in self._ahead if height < start + count]:
            self._drop(height)  # the portions no longer meet without a gap
        fetched = None
        if portion is not None:
            await portion.done.wait()
            portion.scope.cancel()
            fetched = Fetched(portion.peer_id, portion.blocks) if portion.blocks else None
        if fetched is None:
            fetched = await self._ask_in_turn(preferred, start, count)
        if len(fetched.blocks) == count:  # there is more to come
            self._fetch_ahead(start + count, count)
        return fetched

    def forget(self, peer_id: bytes) -> None:
        """A peer gave a bad block: what else it gave is not to be used."""
        for start, portion in tuple(self._ahead.items()):
            if portion.peer_id == peer_id:
                self._drop(start)

    async def _ask_in_turn(self, preferred: bytes, start: int, count: int) -> Fetched:
        others = [peer_id for peer_id in self._holders(start) if peer_id != preferred]
        for peer_id in (preferred, *others):
            blocks = await self._try(peer_id, start, count)
            if blocks:
                return Fetched(peer_id, blocks)
        _LOG.warning("sync.failed", start=start, detail="no peer that claims to have this block delivers it")
        return Fetched(preferred, [])

    async def _try(self, peer_id: bytes, start: int, count: int) -> Blocks:
        """Ask one peer; empty where it fails."""
        try:
            blocks = await self._fetch(peer_id, start, count)
        except (RpcError, WireError) as error:
            _LOG.warning("sync.peer_failed", peer_id=peer_id.hex(), start=start, reason=error.reason)
            return []
        session = self._table.sessions.get(peer_id)
        if not blocks and session is not None:  # it claimed a height that it does not have
            _LOG.warning("sync.peer_empty", peer_id=peer_id.hex(), start=start, claimed=session.height)
            session.height = min(session.height, start - 1)
        return blocks

    def _fetch_ahead(self, start: int, count: int) -> None:
        if self._nursery is None:
            return
        busy = {portion.peer_id for portion in self._ahead.values() if not portion.done.is_set()}
        free = [peer_id for peer_id in self._holders(start) if peer_id not in busy]
        while free and len(self._ahead) < AHEAD_MAX:
            while start in self._ahead:
                start += count
            # The last in the list has been idle for longest; who does not reach that far is of no use here.
            peer_id = free.pop()
            if self._table.sessions[peer_id].height < start:
                continue
            portion = self._ahead[start] = _Portion(peer_id)
            self._nursery.start_soon(self._fill, portion, start, count)

    async def _fill(self, portion: _Portion, start: int, count: int) -> None:
        with portion.scope:
            portion.blocks = await self._try(portion.peer_id, start, count)
            portion.done.set()
            await trio.sleep(_UNUSED_S)
            self._drop(start)

    def _holders(self, height: int) -> list[bytes]:
        """Connected peers that claim to have a block."""
        return [peer_id for peer_id, session in self._table.sessions.items() if session.height >= height]

    def _drop(self, height: int) -> None:
        portion = self._ahead.pop(height)
        portion.scope.cancel()
        portion.done.set()
