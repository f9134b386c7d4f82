"""The one task that steps the hub's core: everything that waits becomes one batch, one durable write, then it is said.

While a batch is computed and written in a thread, the next one gathers: the busier the hub, the more payments share a
flush. Nothing is said, and nothing goes to the chain, before the batch that it came from is on the disk.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import trio

from alatau.channels.forwarding.core import Batch, HubCore
from alatau.channels.forwarding.effects import Act, DoSend, Message, Store
from alatau.channels.forwarding.inputs import Input, InputBlock
from alatau.channels.forwarding.limits import Moment
from alatau.hub.store import HubStore
from alatau.transport.one_thread import OneThread

BATCH_MAX: Final = 512
"""Inputs in a batch: about a tenth of a second of work, so that nothing waits longer behind it."""
WAITING_MAX: Final = 8_192
"""Inputs that wait: two seconds of work. Whoever brings more waits with them."""

_WRITER: Final = OneThread("hub owner")


class Session(Protocol):
    """Where a party is reached."""

    def say(self, channel_id: bytes, message: Message) -> None:
        """Hand a message over; never waits."""


@dataclass(frozen=True, slots=True)
class ChainNews:
    """What some blocks brought, in order."""

    inputs: Sequence[Input]
    height: int
    """Up to which all is told."""


@dataclass(slots=True)
class Counts:
    """For the metrics."""

    batches: int = 0
    inputs: int = 0
    stores: int = 0
    messages: int = 0


@dataclass(slots=True)
class Owner:
    """The core with its disk. :meth:`run` is its task."""

    core: HubCore
    store: HubStore
    moment_of: Callable[[int], Moment]
    """The hub's moment at a height of the chain, by its own clock and calendar."""
    act: Callable[[Act], None]
    """Does what is no message to a party; never waits."""
    height: int = 0
    """Of the chain, in the newest batch."""
    stored: Callable[[Sequence[Store]], None] = lambda _stores: None
    """Told what is on the disk now; never waits."""
    sessions: dict[bytes, Session] = field(default_factory=dict)
    """Channel -> where its party is connected."""
    counts: Counts = field(default_factory=Counts)
    _waiting: deque[Input | ChainNews] = field(default_factory=deque)
    _wake: trio.Event = field(default_factory=trio.Event)
    _room: trio.Event = field(default_factory=trio.Event)

    @property
    def waiting(self) -> int:
        """Inputs that wait for the next batch."""
        return len(self._waiting)

    async def put(self, told: Input | ChainNews) -> None:
        """Hand an input over; waits while too many do."""
        while len(self._waiting) >= WAITING_MAX:
            await self._room.wait()
        self.put_nowait(told)

    def put_nowait(self, told: Input | ChainNews) -> None:
        """Hand an input over, whatever waits: for what is bounded otherwise."""
        self._waiting.append(told)
        self._wake.set()

    async def prune(self, before_day: int, most: int) -> int:
        """Forget entries of days before ``before_day``, at most ``most``, between two batches; gives how many went."""
        return await trio.to_thread.run_sync(self.store.prune, before_day, most, limiter=_WRITER.limiter)

    async def write(self, what: Callable[[], None]) -> None:
        """Have something else written, between two batches."""
        await trio.to_thread.run_sync(what, limiter=_WRITER.limiter)

    async def run(self) -> None:
        """Step batch by batch until cancelled; a batch that was begun is finished."""
        moment = self.moment_of(self.height)
        self.core.resume(moment)
        for act in self.core.finish(moment).acts:
            self._do(act)
        while True:
            if not self._waiting:
                self._wake = trio.Event()
                await self._wake.wait()
            taken = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
            self._room.set()
            self._room = trio.Event()
            batch = await trio.to_thread.run_sync(self._step, taken, limiter=_WRITER.limiter)
            self.stored(batch.stores)
            for act in batch.acts:
                self._do(act)

    def _step(self, taken: Sequence[Input | ChainNews]) -> Batch:
        told_height = None
        moment = self.moment_of(self.height)
        for told in taken:
            if isinstance(told, ChainNews):
                self.height = told_height = max(self.height, told.height)
                moment = self.moment_of(self.height)
                for news in told.inputs:
                    self.core.take(news, moment)
                self.core.take(InputBlock(), moment)
            else:
                self.core.take(told, moment)
        batch = self.core.finish(moment)
        self.store.write(batch.stores, told_height)
        self.counts.batches += 1
        self.counts.inputs += len(taken)
        self.counts.stores += len(batch.stores)
        return batch

    def _do(self, act: Act) -> None:
        if isinstance(act, DoSend):
            session = self.sessions.get(act.channel_id)
            if session is not None:
                self.counts.messages += 1
                session.say(act.channel_id, act.message)
        else:
            self.act(act)
