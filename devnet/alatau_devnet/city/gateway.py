"""A connection with the hub that carries many channels, as a bank's does: tills always, phones when they pay."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from alatau.channels.forwarding.effects import SayRefused
from alatau.channels.forwarding.inputs import InputAttach
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.party.effects import (
    Carry,
    Effect,
    Reveal,
    Send,
    TellDispute,
    TellFailed,
)
from alatau.channels.party.sessions import attach_digest
from alatau.client.hub_plans import METHODS
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Stream, open_channel
from alatau.transport.errors import RpcError
from alatau.wire.channel_session import read_message, write_request
from alatau_devnet.city.actor import Actor, Clock
from alatau_devnet.service_homes import ServiceHome

_pb = channel_service_pb2
_PAUSE_S: Final = 0.3
_AGAIN_S: Final = 0.5
_ATTACHED_WITHIN_S: Final = 5.0
CHANNELS_MAX: Final = 9_000
"""On a connection; the hub takes 10,000."""


@dataclass(slots=True)
class Gateway:
    """Some actors behind one connection. :meth:`run` is its task."""

    hub: ServiceHome
    clock: Clock
    actors: dict[bytes, Actor]
    """By channel id."""
    act: Callable[[Actor, Carry | Reveal], None]
    """Brings something to the chain."""
    touched: Callable[[Actor], None]
    """Told after each step of an actor."""
    connects: int = 0
    _challenge: bytes = b""
    _asked: set[bytes] = field(default_factory=set)
    _outbox: deque[Any] = field(default_factory=deque)
    _written: trio.Event = field(default_factory=trio.Event)
    _resumed: trio.Event | None = None
    _connection: trio.CancelScope = field(default_factory=trio.CancelScope)

    def pause(self) -> None:
        """The connection ends, and none is made until :meth:`resume`."""
        self._resumed = trio.Event()
        self._connection.cancel()

    def resume(self) -> None:
        """The line is there again."""
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            if self._resumed is not None:
                await self._resumed.wait()
            self._connection = trio.CancelScope()
            with self._connection:
                await self._connect()
            await trio.sleep(_PAUSE_S)

    async def _connect(self) -> None:
        try:
            async with (
                open_channel(self.hub.endpoint, self.hub.tls) as channel,
                channel.stream(METHODS["Connect"]) as stream,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(self._write, stream)
                nursery.start_soon(self._keep_attached)
                await self._read(stream)
                nursery.cancel_scope.cancel()
        except* (RpcError, trio.BrokenResourceError):
            pass
        finally:
            self._lost()

    async def attach(self, actor: Actor) -> bool:
        """Compare vouchers, if that has not been done on this connection; False where the hub does not answer."""
        channel = actor.person.channel_id
        with trio.move_on_after(_ATTACHED_WITHIN_S):
            while not actor.core.agreed:
                if self._challenge and channel not in self._asked:
                    self._hello(actor)
                await actor.wait(0.5)
        return actor.core.agreed

    def do(self, actor: Actor, effects: Iterable[Effect]) -> None:
        """What a core wants; its state is its memory."""
        for effect in effects:
            match effect:
                case Send(request):
                    if self._challenge:
                        self._say(write_request(request))
                case Carry() | Reveal():
                    self.act(actor, effect)
                case TellFailed():
                    actor.failures[effect.outgoing.invoice_hash] = effect
                case TellDispute():
                    actor.disputes.append(effect)
        actor.wake()
        self.touched(actor)

    def drop(self, actor: Actor) -> None:
        """The actor goes off: what comes for it is not heard any more."""
        actor.off = True
        actor.core.agreed = False
        self._asked.discard(actor.person.channel_id)

    async def back(self, actor: Actor) -> None:
        """It is there again."""
        actor.off = False
        await self.attach(actor)

    def _hello(self, actor: Actor) -> None:
        self._asked.add(actor.person.channel_id)
        for effect in actor.core.hello():
            assert isinstance(effect, Send), "hello says one thing"
            assert isinstance(effect.request, InputAttach), "and it is to attach"
            digest = attach_digest(actor.core.state.domain, actor.person.channel_id, self._challenge)
            self._say(write_request(effect.request, attach_signature=actor.core.sign(digest)))

    def _say(self, message: Any) -> None:
        self._outbox.append(message)
        self._written.set()

    async def _keep_attached(self) -> None:
        """Tills that the hub did not take ask again: it may not have seen their channel yet."""
        tills = [actor for actor in self.actors.values() if actor.is_merchant]
        while True:
            await trio.sleep(_AGAIN_S)
            for till in tills:
                waits = not till.off and not till.core.agreed and till.person.channel_id not in self._asked
                if self._challenge and waits:
                    self._hello(till)

    async def _write(self, stream: Stream) -> None:
        while True:
            if not self._outbox:
                self._written = trio.Event()
                await self._written.wait()
            messages = [self._outbox.popleft() for _ in range(min(256, len(self._outbox)))]
            await stream.send(_pb.ConnectRequest(messages=messages))

    async def _read(self, stream: Stream) -> None:
        async for response in stream:
            if response.challenge:
                self._challenge = response.challenge
                self.connects += 1
                for actor in self.actors.values():
                    if (actor.is_merchant or actor.is_busy) and not actor.off:
                        self._hello(actor)
            for message in response.messages:
                channel_id, said = read_message(message)
                hearer = self.actors.get(channel_id)
                if hearer is None or hearer.off:
                    continue
                if isinstance(said, SayRefused) and said.reason in (Reason.CHANNEL_UNKNOWN, Reason.NOT_AGREED):
                    self._asked.discard(channel_id)
                self.do(hearer, hearer.core.hear(said, self.clock.now()))

    def _lost(self) -> None:
        self._challenge = b""
        self._asked.clear()
        self._outbox.clear()
        for actor in self.actors.values():
            actor.core.agreed = False
