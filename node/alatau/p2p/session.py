"""A session: the three streams between this node and one peer, whoever opened them.

It ends as a whole: when one stream ends or misbehaves, ``end`` takes the others along, with a reason.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trio

from alatau.p2p.budget import Budget
from alatau.p2p.counters import Counters
from alatau.p2p.member import Member
from alatau.p2p.methods import Lane
from alatau.p2p.send_queue import Drop, SendQueue
from alatau.p2p.settings import Settings
from alatau.transport.channel import Channel
from alatau.transport.errors import MalformedMessageError, RpcError
from alatau.transport.service import Send
from alatau.wire.bounds import WireError
from alatau.wire.session import Hello, Ping, write_session


class Session:
    """One peer, connected."""

    def __init__(
        self,
        member: Member,
        hello: Hello,
        *,
        dialed: bool,
        channel: Channel | None,
        settings: Settings,
        budget: Budget,
        ban: Callable[[str], None],
    ) -> None:
        """``budget`` is the member's; ``ban`` keeps the peer out for a reason, and ends this session."""
        self.member = member
        self.peer_id = member.peer_id
        self.hello = hello
        self.dialed = dialed
        self.channel = channel
        """To fetch blocks with; None where the peer opened the connection."""
        self.height = hello.height
        self.round_trip_ms: float | None = None
        self.reason = ""
        self.detail = ""
        """The reason in words, where there is more to say."""
        self.ended_by_peer = False
        self.ended = trio.Event()
        self.opened_at = trio.current_time()
        self.opened_at_ms = time.time_ns() // 1_000_000
        self._scopes: set[trio.CancelScope] = set()
        self._ping_sent: tuple[int, float] | None = None
        self._settings = settings
        self._budget = budget
        self._ban = ban
        self._queues = {
            Lane.CONSENSUS: SendQueue(settings.consensus_queue_max, Drop.OLDEST, settings.consensus_queue_bytes_max),
            Lane.PROPOSALS: SendQueue(settings.proposals_queue_max, Drop.OLDEST, 2 * settings.block_size_bytes_max),
            Lane.TRANSACTIONS: SendQueue(
                settings.transactions_queue_max, Drop.NEWEST, settings.transactions_queue_bytes_max
            ),
        }

    def put(self, lane: Lane, data: bytes, counters: Counters) -> None:
        """Queue an encoded message; never blocks, the lane's policy says what a full queue drops."""
        dropped = self._queues[lane].put(data)
        if dropped:
            counters.dropped[lane] += dropped
        counters.bytes_out += len(data)

    def inherit(self, replaced: "Session", counters: Counters) -> None:
        """Queue what another session with the same peer has not sent: it hears something twice rather than never."""
        for lane in Lane:
            for data in replaced.unsent(lane):
                self.put(lane, data, counters)

    def unsent(self, lane: Lane) -> list[bytes]:
        """What waits in a lane, and what is on its way."""
        return self._queues[lane].unsent()

    def queued(self, lane: Lane) -> int:
        """Messages that wait in a lane."""
        return len(self._queues[lane])

    def end(self, reason: str, detail: str = "", *, by_peer: bool = False) -> None:
        """End the session; the first reason stays. The peer is told, unless it is the one that ended it."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.detail = detail
        self.ended_by_peer = by_peer
        self.ended.set()
        for scope in self._scopes:
            scope.cancel()

    async def run_lane(
        self, lane: Lane, source: AsyncIterator[Any], send: Send, handle: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Carry one stream until the session ends; returns then."""
        with self.scope():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, lane, send)
                if lane is Lane.CONSENSUS:
                    nursery.start_soon(self._ping)
                await self._read(lane, source, handle)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Run something that ends with the session."""
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                if self.ended.is_set():
                    scope.cancel()
                yield
            finally:
                self._scopes.discard(scope)

    def pong(self, nonce: int) -> None:
        """The peer answered a ping."""
        if self._ping_sent is not None and self._ping_sent[0] == nonce:
            self.round_trip_ms = (trio.current_time() - self._ping_sent[1]) * 1_000
            self._ping_sent = None

    async def _read(self, lane: Lane, source: AsyncIterator[Any], handle: Callable[[Any], Awaitable[None]]) -> None:
        try:
            async for message in source:
                while (wait_s := self._budget.take(lane, message)) > 0:  # noqa: ASYNC110  what is not read waits there
                    await trio.sleep(wait_s)
                await handle(message)
            self.end("CLOSED", by_peer=True)
        except (MalformedMessageError, WireError) as error:  # found here: the peer's fault
            self._ban(error.reason)
        except RpcError as error:  # how the peer ended it
            self.end(error.reason, error.message, by_peer=True)
        except trio.BrokenResourceError:
            self.end("CONNECTION_LOST", by_peer=True)

    async def _write(self, lane: Lane, send: Send) -> None:
        queue = self._queues[lane]
        try:
            while True:
                await send(await queue.get())
        except trio.BrokenResourceError:
            # The reader, if the peer said why, knows better; it gets a moment to say so.
            with trio.move_on_after(1):
                await self.ended.wait()
            self.end("CONNECTION_LOST", by_peer=True)

    async def _ping(self) -> None:
        nonce = 0
        while True:
            await trio.sleep(self._settings.ping_interval_s)
            now = trio.current_time()
            if self._ping_sent is None:
                nonce += 1
                self._ping_sent = nonce, now
                self._queues[Lane.CONSENSUS].put(write_session(Ping(nonce)).SerializeToString())
            elif now - self._ping_sent[1] >= self._settings.ping_timeout_s:
                self.end("STALLED")
