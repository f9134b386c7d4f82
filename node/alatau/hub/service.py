"""``ChannelService``: connections of wallets and tills, their channels, and what they may ask."""

import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import trio

from alatau.books.errors import NotInBookError
from alatau.channels.forwarding.effects import Message, SayRefused
from alatau.channels.forwarding.inputs import InputAttach, InputDetach, InputWithdraw, Request
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.messages import Domain, signed_by
from alatau.channels.party.sessions import attach_digest, attached_by, statement_digest
from alatau.client.tower_feeding import TowerError
from alatau.hub.day_proofs import DayProofs
from alatau.hub.owner import Owner
from alatau.hub.store import HubStore, Line
from alatau.hub.towers import Towers
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.call import Call
from alatau.transport.errors import Code, RpcError
from alatau.transport.service import Service, bind
from alatau.wire.amount import write_amount
from alatau.wire.bounds import WireError
from alatau.wire.channel_session import Attachment, read_request, write_message
from alatau.wire.day_proof import write_day_proof

_pb = channel_service_pb2

MESSAGES_MAX: Final = 256
"""Messages in one request."""
CHANNELS_MAX: Final = 10_000
"""Channels on one connection: a bank's gateway carries many."""
UNREAD_MAX: Final = 4_096
"""Messages that wait for a slow reader; then its connection ends, and it attaches again."""
CLOCK_S: Final = 60
"""How far a request's time may be from the hub's clock."""
_PAGE_MAX: Final = 1_000
_PAGE: Final = 100
_DAYS_MAX: Final = 400

Send = Callable[[_pb.ConnectResponse], Awaitable[None]]


@dataclass(slots=True)
class Connection:
    """One stream, and the channels that are attached on it."""

    challenge: bytes
    channels: set[bytes] = field(default_factory=set)
    _unread: deque[_pb.HubMessage] = field(default_factory=deque)
    _wake: trio.Event = field(default_factory=trio.Event)
    overrun: bool = False

    def say(self, channel_id: bytes, message: Message) -> None:
        """Hand a message over; a reader that is too slow loses its connection."""
        if len(self._unread) >= UNREAD_MAX:
            self.overrun = True
        else:
            self._unread.append(write_message(channel_id, message))
        self._wake.set()

    async def send_all(self, send: Send) -> None:
        """Send what is said, all that waits in one answer, until the reader is too slow."""
        await send(_pb.ConnectResponse(challenge=self.challenge))
        while True:
            await send(_pb.ConnectResponse(messages=await self.unread()))

    async def unread(self) -> list[_pb.HubMessage]:
        """All that waits, at most ``MESSAGES_MAX``, as soon as there is something.

        Raises:
            RpcError: the reader is too slow; it has to connect and attach again.
        """
        while not self.overrun:
            if self._unread:
                return [self._unread.popleft() for _ in range(min(MESSAGES_MAX, len(self._unread)))]
            self._wake = trio.Event()
            await self._wake.wait()
        raise RpcError(
            Code.RESOURCE_EXHAUSTED, "the answers are not read; connect and attach again", reason="SERVER_BUSY"
        )


class ChannelService:
    """Serves wallets and tills."""

    def __init__(
        self,
        owner: Owner,
        store: HubStore,
        domain: Domain,
        clock: Callable[[], float],
        towers: Towers | None = None,
    ) -> None:
        self._owner = owner
        self._store = store
        self._domain = domain
        self._clock = clock
        self._towers = towers
        self._proofs = DayProofs(store.journal)
        self.connections = 0

    def service(self) -> Service:
        """To be served."""
        return bind(_pb.DESCRIPTOR.services_by_name["ChannelService"], self)

    async def get_hub(self, _request: _pb.GetHubRequest, _call: Call) -> _pb.GetHubResponse:
        """What a party has to know."""
        book = self._owner.core.book
        policy = book.policy
        return _pb.GetHubResponse(
            address=book.hub,
            chain_id=self._domain.chain_id,
            contract=self._domain.contract,
            height=self._owner.height,
            fee_base=write_amount(policy.fees.base),
            fee_parts_per_million=policy.fees.parts_per_million,
            lock_blocks_min=policy.lock_blocks_min,
            lock_blocks_max=policy.lock_blocks_max,
            limits=[
                _pb.TierLimits(
                    tier=tier,
                    payment=write_amount(limits.payment),
                    day=write_amount(limits.day),
                    month=write_amount(limits.month),
                )
                for tier, limits in sorted(policy.tiers.items())
            ],
        )

    async def connect(self, requests: AsyncIterator[_pb.ConnectRequest], _call: Call, send: Send) -> None:
        """Vouchers in both directions, until the party leaves."""
        with self.connected() as connection:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.send_all, send)
                async for request in requests:
                    await self.take(connection, request.messages)
                nursery.cancel_scope.cancel()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection; its channels are detached at the end."""
        connection = Connection(secrets.token_bytes(32))
        self.connections += 1
        try:
            yield connection
        finally:
            self.connections -= 1
            self._leave(connection)

    async def list_payments(self, request: _pb.ListPaymentsRequest, _call: Call) -> _pb.ListPaymentsResponse:
        """A page of a channel's statement, for its party."""
        member = self._owner.core.book.members.get(request.channel_id)
        if member is None:
            raise RpcError(Code.NOT_FOUND, "the hub knows no channel of this id", reason="CHANNEL_UNKNOWN")
        self._check_asker(request.channel_id, member.party, request.time, request.signature)
        if not 0 <= request.to_day - request.from_day <= _DAYS_MAX:
            raise RpcError(
                Code.INVALID_ARGUMENT,
                f"to_day must be from_day or up to {_DAYS_MAX} days later",
                reason="INVALID_REQUEST",
            )
        size = min(request.page_size or _PAGE, _PAGE_MAX)
        after = _place(request)
        lines: list[_pb.PaymentLine] = []
        last = b""
        for place, line in self._store.lines(request.channel_id, request.from_day, request.to_day, after):
            if len(lines) == size:
                return _pb.ListPaymentsResponse(lines=lines, next_page_token=last.hex())
            lines.append(_line(line))
            last = place
        return _pb.ListPaymentsResponse(lines=lines)

    async def get_day_proof(self, request: _pb.GetDayProofRequest, _call: Call) -> _pb.GetDayProofResponse:
        """A party's proof that a day of its channel is in the book that was posted."""
        member = self._owner.core.book.members.get(request.channel_id)
        if member is None:
            raise RpcError(Code.NOT_FOUND, "the hub knows no channel of this id", reason="CHANNEL_UNKNOWN")
        self._check_asker(request.channel_id, member.party, request.time, request.signature)
        try:
            proof = await self._proofs.proof(request.day, request.channel_id)
        except NotInBookError as error:
            raise RpcError(Code.NOT_FOUND, str(error), reason="NOT_IN_BOOK") from error
        return write_day_proof((proof.totals, proof.entry, proof.index, proof.siblings))

    async def take(self, connection: Connection, messages: Sequence[_pb.PartyMessage]) -> None:
        """What a party says, in order. Raises ``RpcError`` for what cannot be read."""
        if len(messages) > MESSAGES_MAX:
            raise RpcError(
                Code.INVALID_ARGUMENT, f"{len(messages)} messages, at most {MESSAGES_MAX}", reason="INVALID_REQUEST"
            )
        for message in messages:
            try:
                said = read_request(message)
            except WireError as error:
                raise RpcError(Code.INVALID_ARGUMENT, str(error), reason="INVALID_REQUEST") from error
            if isinstance(said, Attachment):
                await self._attach(connection, said)
            elif said.channel_id in connection.channels:
                await self._owner.put(self._completed(said))
            else:
                connection.say(said.channel_id, SayRefused(Reason.NOT_AGREED, "attach to the channel first"))

    async def _attach(self, connection: Connection, attachment: Attachment) -> None:
        said: InputAttach = attachment.said
        member = self._owner.core.book.members.get(said.channel_id)
        if member is None:
            text = "the hub knows no open channel of this id; if it was just opened, wait until the hub has seen it"
            connection.say(said.channel_id, SayRefused(Reason.CHANNEL_UNKNOWN, text))
            return
        digest = attach_digest(self._domain, said.channel_id, connection.challenge)
        if not attached_by(self._domain, said.channel_id, digest, attachment.signature, member.party):
            text = "Attach is not signed by the channel's party over this connection's challenge"
            connection.say(said.channel_id, SayRefused(Reason.SIGNATURE_INVALID, text))
            return
        if len(connection.channels) >= CHANNELS_MAX:
            raise RpcError(
                Code.RESOURCE_EXHAUSTED, f"a connection carries at most {CHANNELS_MAX} channels", reason="SERVER_BUSY"
            )
        connection.channels.add(said.channel_id)
        before = self._owner.sessions.get(said.channel_id)
        if isinstance(before, Connection) and before is not connection:
            before.channels.discard(said.channel_id)
        self._owner.sessions[said.channel_id] = connection
        if not member.agreed and self._towers is not None:
            try:
                said = await self._towers.with_what_they_hold(member.state.parties, said)
            except TowerError as error:
                text = f"the hub was restored, and compares with its towers first: {error}; attach again later"
                connection.say(said.channel_id, SayRefused(Reason.NOT_AGREED, text))
                return
        await self._owner.put(said)

    def _completed(self, said: Request) -> Request:
        if isinstance(said, InputWithdraw):
            party = self._owner.core.book.members[said.channel_id].party
            return replace(said, message=replace(said.message, participant=party))
        return said

    def _leave(self, connection: Connection) -> None:
        for channel_id in connection.channels:
            if self._owner.sessions.get(channel_id) is connection:
                del self._owner.sessions[channel_id]
                self._owner.put_nowait(InputDetach(channel_id))

    def _check_asker(self, channel_id: bytes, party: bytes, time: int, signature: bytes) -> None:
        now = int(self._clock())
        if abs(now - time) > CLOCK_S:
            raise RpcError(
                Code.INVALID_ARGUMENT, f"time is {time}, the hub's clock says {now}", reason="INVALID_REQUEST"
            )
        digest = statement_digest(self._domain, channel_id, time)
        if not signed_by(digest, signature, party, self._domain.rp_id_hash):
            raise RpcError(
                Code.PERMISSION_DENIED, "the request is not signed by the channel's party", reason="SIGNATURE_INVALID"
            )


def _place(request: _pb.ListPaymentsRequest) -> bytes:
    try:
        place = bytes.fromhex(request.page_token)
    except ValueError as error:
        raise RpcError(
            Code.INVALID_ARGUMENT, "page_token is not one of this service", reason="INVALID_REQUEST"
        ) from error
    if place and place[1:33] != request.channel_id:
        raise RpcError(Code.INVALID_ARGUMENT, "page_token is another channel's", reason="INVALID_REQUEST")
    return place


def _line(line: Line) -> _pb.PaymentLine:
    payment, refund = line.payment, line.refund
    kind = line.kind.value
    if refund is not None:
        return _pb.PaymentLine(
            kind=kind,  # type: ignore[arg-type]  # the same numbers
            invoice_hash=payment.invoice_hash,
            amount=write_amount(refund.amount),
            time=refund.time,
            day=refund.day,
            details=payment.signed.invoice.details,
        )
    paid = line.kind.name == "PAID"
    return _pb.PaymentLine(
        kind=kind,  # type: ignore[arg-type]  # the same numbers
        invoice_hash=payment.invoice_hash,
        amount=write_amount(payment.amount + payment.fee if paid else payment.amount),
        fee=write_amount(payment.fee if paid else 0),
        time=payment.time,
        day=payment.day,
        details=payment.signed.invoice.details,
    )
