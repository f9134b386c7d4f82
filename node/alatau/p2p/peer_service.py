"""The accepting side: the four methods of ``PeerService``."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import structlog
import trio

from alatau.p2p.counters import Counters
from alatau.p2p.handshake import BlockSource, ChainId, own_hello, read_hello
from alatau.p2p.inbox import Inbox
from alatau.p2p.member import Member
from alatau.p2p.methods import Lane
from alatau.p2p.session import Session
from alatau.p2p.settings import Settings
from alatau.p2p.table import PeerTable
from alatau.transport.call import Call
from alatau.transport.errors import Code, FieldViolation, RpcError
from alatau.transport.service import Send
from alatau.wire.session import write_session
from alatau.wire.sync import read_range, write_committed

_LOG = structlog.get_logger("alatau.p2p")


class PeerHandlers:
    """Serves peers that dialled this node."""

    def __init__(
        self,
        chain: ChainId,
        blocks: BlockSource,
        table: PeerTable,
        inbox: Inbox,
        settings: Settings,
        counters: Counters,
    ) -> None:
        self._chain = chain
        self._blocks = blocks
        self._table = table
        self._inbox = inbox
        self._settings = settings
        self._counters = counters
        self._fetches: Counter[bytes] = Counter()

    async def consensus(self, requests: AsyncIterator[Any], call: Call, send: Send) -> None:
        """The stream that a session lives and dies with."""
        member = self._member(call)
        try:
            hello = await read_hello(requests, self._chain, self._settings.handshake_timeout_s)
            session = self._table.open_session(member, hello, dialed=False, channel=None)
        except RpcError as error:
            self._counters.sessions_refused.note(error.reason)
            _LOG.warning("peer.refused", peer=member.name, reason=error.reason, detail=error.message)
            raise
        try:
            await send(write_session(own_hello(self._chain, self._blocks)))
            await session.run_lane(Lane.CONSENSUS, requests, send, partial(self._inbox.handle, session, Lane.CONSENSUS))
        finally:
            session.end("CONNECTION_LOST", by_peer=True)
            self._table.close_session(session)
        raise _ended(session)

    async def proposals(self, requests: AsyncIterator[Any], call: Call, send: Send) -> None:
        """Proposals with their blocks."""
        await self._side_lane(Lane.PROPOSALS, requests, call, send)

    async def transactions(self, requests: AsyncIterator[Any], call: Call, send: Send) -> None:
        """Gossip of transactions."""
        await self._side_lane(Lane.TRANSACTIONS, requests, call, send)

    async def fetch_blocks(self, request: Any, call: Call, send: Send) -> None:
        """Committed blocks, from ``start``; ends early at the tip, or after many bytes."""
        member = self._member(call)
        wanted = read_range(request)
        if wanted.start < 1 or not 1 <= wanted.count <= self._settings.sync_blocks_max:
            raise RpcError(
                Code.INVALID_ARGUMENT,
                "ask for 1 or more blocks from height 1 on",
                reason="RANGE_INVALID",
                field_violations=[FieldViolation("count", f"at most {self._settings.sync_blocks_max}")],
            )
        if self._fetches[member.peer_id] >= self._settings.sync_calls_per_peer_max:
            raise RpcError(
                Code.RESOURCE_EXHAUSTED, "too many fetches at once", reason="TOO_MANY_CALLS", retry_after_s=1.0
            )
        self._fetches[member.peer_id] += 1
        try:
            await self._send_blocks(member.peer_id, wanted.start, wanted.count, send)
        finally:
            self._fetches[member.peer_id] -= 1

    async def _send_blocks(self, peer_id: bytes, start: int, count: int, send: Send) -> None:
        """Send blocks, resting after each for as long as it took, however many fetches the peer has: half of the loop.

        A peer may fetch without pause. Reading and encoding a block takes a millisecond, executing it takes longer.
        """
        sent_bytes = 0
        for height in range(start, start + count):
            started = time.perf_counter()
            found = self._blocks.committed(height)
            if found is None or sent_bytes > self._settings.sync_bytes_max:
                return
            data = write_committed(*found).SerializeToString()
            took_s = time.perf_counter() - started
            sent_bytes += len(data)
            await send(data)
            await trio.sleep(took_s * self._fetches[peer_id])
            self._counters.blocks_served += 1

    async def _side_lane(self, lane: Lane, requests: AsyncIterator[Any], call: Call, send: Send) -> None:
        member = self._member(call)
        session = self._table.sessions.get(member.peer_id)
        if session is None or session.dialed:
            raise RpcError(Code.FAILED_PRECONDITION, "open a Consensus stream first", reason="NO_SESSION")
        await session.run_lane(lane, requests, send, partial(self._inbox.handle, session, lane))
        raise _ended(session)

    def _member(self, call: Call) -> Member:
        member = None if call.peer is None else self._table.member_by_key(call.peer.tls_key_hash)
        if member is None:
            raise RpcError(
                Code.PERMISSION_DENIED, "this TLS key is not, or no longer, trusted", reason="KEY_NOT_TRUSTED"
            )
        return member


def _ended(session: Session) -> RpcError:
    """Why a session is over, for the peer's log."""
    return RpcError(Code.ABORTED, session.detail or "the session ended", reason=session.reason)
