"""A channel over a connection: the party's core with its disk, its hub and the chain's height.

Whatever the core wants stored is stored before anything is sent. When the connection breaks, it is made again, and the
two compare their vouchers; whoever waits for an outcome goes on waiting, since only hub or chain can say what it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import trio

from alatau.channels.forwarding.effects import SayRefused
from alatau.channels.forwarding.inputs import InputAttach, Request
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice, invoice_digest
from alatau.channels.party.core import NEVER_TAKEN, Now, PartyCore
from alatau.channels.party.effects import (
    Carry,
    Effect,
    Put,
    PutChain,
    PutChannel,
    PutIncoming,
    PutOutgoing,
    PutRefund,
    Reveal,
    Send,
    Tell,
    TellConsent,
    TellFailed,
    TellRefusal,
)
from alatau.channels.party.records import Incoming, Outgoing, OutgoingPhase
from alatau.channels.party.sessions import attach_digest
from alatau.channels.transition import Change
from alatau.client.hub_plans import METHODS
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel, Stream
from alatau.transport.errors import Code, RpcError
from alatau.wire.bounds import WireError
from alatau.wire.channel_session import read_message, write_request

_pb = channel_service_pb2

_PAUSE_S: Final = 0.5
"""Before the connection is made again."""
_PUTS: Final = (PutChannel, PutOutgoing, PutIncoming, PutRefund, PutChain)


class Keeper(Protocol):
    """Where a party keeps what it knows."""

    def keep(self, puts: Iterable[Put]) -> None:
        """All or none, durable when this returns."""

    def agreed(self) -> None:
        """The two sides have compared their vouchers: a folder that came from a backup is as good as any other."""


class PaymentFailedError(Exception):
    """The payment came to nothing, and its amount is free again. The text says why; the merchant may try again."""

    def __init__(self, note: str, reason: Reason | None, details: Mapping[str, str]) -> None:
        super().__init__(note)
        self.reason = reason
        """The hub's; None where it did not refuse: the lock ran out, or the merchant did not take it."""
        self.details = details
        """Values by name: of a limit ``period``, ``limit``, ``used``, ``frees``, in token units and seconds."""


class HubRefusedError(Exception):
    """The hub does not do what was asked for. The text says why; nothing was signed away."""


@dataclass(slots=True)
class Link:
    """One channel of one account."""

    core: PartyCore
    keeper: Keeper
    clock: Callable[[], float]
    """Seconds since 1970."""
    fee: Callable[[int], int]
    """What the hub takes for an amount."""
    lock_blocks: int
    """How long a lock of ours lives."""
    carry: Callable[[Carry | Reveal], None]
    """Brings something to the chain."""
    tell: Callable[[Tell], None] = lambda _told: None
    """What the person is to know."""
    height: int = 0
    """Of the chain."""
    connected: trio.Event = field(default_factory=trio.Event)
    """Set while the two agree."""
    _stream: Stream | None = None
    _outbox: list[Request] = field(default_factory=list)
    _written: trio.Event = field(default_factory=trio.Event)
    _changed: trio.Event = field(default_factory=trio.Event)
    _challenge: bytes = b""
    _answer: TellConsent | TellRefusal | None = None
    _failures: dict[bytes, TellFailed] = field(default_factory=dict)
    """By hash of the invoice, of this process's life."""

    async def run(self, channel: Channel) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                async with channel.stream(METHODS["Connect"]) as stream, trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, stream)
                    await self._read(stream)
                    nursery.cancel_scope.cancel()
            except* (RpcError, trio.BrokenResourceError) as group:
                refused = group.subgroup(_is_final)
                if refused is not None:
                    raise refused from None
            finally:
                self._lost()
            await trio.sleep(_PAUSE_S)

    async def pay(self, signed: SignedInvoice) -> Outgoing:
        """Pay, and wait for the outcome. Asked again, even by a hundred tasks, it is the same payment.

        Raises:
            PaymentFailedError: it came to nothing.
            ChannelError: nothing was signed: too little money, expired, another hub's.
        """
        digest = invoice_digest(self.core.state.domain, signed.invoice)
        again = digest in self.core.outgoing
        while not self._begin(signed, digest):
            await self._changed.wait()
        while True:
            outgoing = self.core.outgoing[digest]
            if outgoing.phase is OutgoingPhase.PAID:
                return outgoing
            if again and outgoing.phase is OutgoingPhase.CANCELLED and outgoing.note == NEVER_TAKEN:
                again = False  # it was signed by a process that died before it had said so
                while not self._begin(signed, digest):
                    await self._changed.wait()
                continue
            if outgoing.phase in (OutgoingPhase.CANCELLED, OutgoingPhase.REFUSED):
                failed = self._failures.get(digest, TellFailed(outgoing))
                raise PaymentFailedError(outgoing.note, failed.reason, failed.details)
            await self._changed.wait()

    def _begin(self, signed: SignedInvoice, digest: bytes) -> bool:
        known = self.core.outgoing.get(digest)
        if known is not None and known.phase in (OutgoingPhase.OFFERED, OutgoingPhase.TAKEN, OutgoingPhase.PAID):
            return True
        if not self.core.agreed or any(o.phase is OutgoingPhase.OFFERED for o in self.core.outgoing.values()):
            return False
        fee = self.fee(signed.invoice.amount)
        self.do(self.core.pay(signed, fee, self.lock_blocks, self.now()))
        return True

    def invoice(self, amount: int, secret: bytes, *, seconds: int, details: bytes = b"") -> Incoming:
        """Ask to be paid. Raises ``InvalidInvoiceError``."""
        before = set(self.core.incoming)
        self.do(self.core.invoice(amount, secret, self.now(), seconds=seconds, details=details))
        (made,) = set(self.core.incoming) - before
        return self.core.incoming[made]

    async def paid(self, secret_hash: bytes) -> Incoming:
        """Wait until an invoice is paid."""
        while self.core.incoming[secret_hash].paid_time == 0:
            await self._changed.wait()
        return self.core.incoming[secret_hash]

    async def refund(self, secret_hash: bytes, amount: int) -> None:
        """Pay back, and wait until the hub has passed it on. Raises ``InvalidVoucherError``."""
        await self.connected.wait()
        self.do(self.core.refund(secret_hash, amount, self.now()))
        while self.core.refunding is not None:
            await self._changed.wait()

    async def close(self, deadline: int) -> None:
        """Agree with the hub on how to divide the channel, and wait for its signature.

        Raises:
            ChannelError: payments are pending.
            HubRefusedError: it does not agree.
        """
        await self.connected.wait()
        self._answer = None
        self.do(self.core.close(deadline, self.now()))
        while not _signed_by_both(self.core):
            if isinstance(self._answer, TellRefusal):
                raise HubRefusedError(self._answer.text)
            await self._changed.wait()

    async def withdraw(self, amount: int, deadline: int) -> TellConsent:
        """Ask the hub to let money out, and wait for its consent.

        Raises:
            ChannelError: so much is not there.
            HubRefusedError: it does not consent.
        """
        await self.connected.wait()
        self._answer = None
        self.do(self.core.withdraw(amount, deadline))
        while self._answer is None:
            await self._changed.wait()
        if isinstance(self._answer, TellRefusal):
            raise HubRefusedError(self._answer.text)
        return self._answer

    async def changed(self) -> None:
        """Wait until anything of the channel has changed."""
        await self._changed.wait()

    def now(self) -> Now:
        """The chain's height, as the party knows it itself, and its clock."""
        return Now(self.height, int(self.clock()))

    def learn(self, changes: Iterable[Change], height: int, *, note: bool) -> None:
        """All that the chain tells up to a decided block; written together, with ``note`` its height, too."""
        effects: list[Effect] = [effect for change in changes for effect in self.core.news(change, self.now())]
        self.height = height
        if effects or note:
            parties = self.core.state.parties
            taken = (self.core.withdrawn.get(parties.a, 0), self.core.withdrawn.get(parties.b, 0))
            effects.append(PutChain(height, taken))
        self.do([*effects, *self.core.expire(self.now())])

    def do(self, effects: Sequence[Effect]) -> None:
        """Store all, then do the rest in order."""
        puts: list[Put] = [effect for effect in effects if isinstance(effect, _PUTS)]
        if puts:
            self.keeper.keep(puts)
        for effect in effects:
            match effect:
                case Send(request):
                    if self._stream is not None:
                        self._outbox.append(request)
                        self._written.set()
                case Carry() | Reveal():
                    self.carry(effect)
                case TellConsent() | TellRefusal():
                    self._answer = effect
                case TellFailed():
                    self._failures[effect.outgoing.invoice_hash] = effect
                    self.tell(effect)
                case _ if not isinstance(effect, _PUTS):
                    self.tell(effect)
        self._changed.set()
        self._changed = trio.Event()

    async def _read(self, stream: Stream) -> None:
        async for response in stream:
            if response.challenge:
                self._challenge = response.challenge
                self._stream = stream
                self.do(self.core.hello())
            for message in response.messages:
                try:
                    channel_id, said = read_message(message)
                except WireError as error:
                    raise RpcError(
                        Code.UNIMPLEMENTED, f"the hub speaks otherwise: {error}", reason="MALFORMED"
                    ) from error
                if channel_id != self.core.state.id:
                    continue
                if isinstance(said, SayRefused) and said.reason is Reason.CHANNEL_UNKNOWN:
                    return  # the hub has not seen the opening yet: connect again in a while
                self.do(self.core.hear(said, self.now()))
                if self.core.agreed and not self.connected.is_set():
                    self.keeper.agreed()
                    self.connected.set()

    async def _write(self, stream: Stream) -> None:
        while True:
            if not self._outbox:
                self._written = trio.Event()
                await self._written.wait()
            requests, self._outbox = self._outbox, []
            messages = [write_request(one, attach_signature=self._attach_signature(one)) for one in requests]
            await stream.send(_pb.ConnectRequest(messages=messages))

    def _attach_signature(self, request: Request) -> bytes:
        if not isinstance(request, InputAttach):
            return b""
        return self.core.sign(attach_digest(self.core.state.domain, request.channel_id, self._challenge))

    def _lost(self) -> None:
        self._stream = None
        self._challenge = b""
        self._outbox.clear()
        self.core.agreed = False
        if self.connected.is_set():  # Whoever waits for a connection goes on waiting.
            self.connected = trio.Event()


def _signed_by_both(core: PartyCore) -> bool:
    agreement = core.state.agreement
    return agreement is not None and None not in (agreement.signature_a, agreement.signature_b)


def _is_final(error: Any) -> bool:
    return isinstance(error, RpcError) and error.code in (Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED)
