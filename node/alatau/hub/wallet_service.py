"""``WalletService``: wallets and tills on web pages. What they say of channels goes the same way as over gRPC.

A browser cannot stream in both directions. So a page listens to a stream of what the hub says, and says each thing by a
call that names the stream's session; both end in one :class:`~alatau.hub.service.Connection`.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import trio

from alatau.channels.messages import Parties
from alatau.channels.state import ChannelState, Phase
from alatau.hub.accounts import Accounts, Money
from alatau.hub.owner import Owner
from alatau.hub.service import ChannelService, Connection
from alatau.pb.channel.v1 import channel_pb2, channel_service_pb2, wallet_service_pb2
from alatau.transport.call import Call
from alatau.transport.errors import Code, RpcError
from alatau.transport.service import Service, bind
from alatau.wire.amount import write_amount
from alatau.wire.bounds import WireError, sized
from alatau.wire.channel import amount, signature

_pb = wallet_service_pb2

SESSIONS_MAX: Final = 20_000
"""Pages that listen at once; each keeps a connection."""
BEAT_S: Final = 0.5
"""How often a stream is looked at for the chain's news: half of a block's time."""

_PHASES: Final = {
    Phase.OPEN: _pb.CHANNEL_PHASE_OPEN,
    Phase.CLOSING: _pb.CHANNEL_PHASE_CLOSING,
    Phase.SETTLED: _pb.CHANNEL_PHASE_SETTLED,
}

Send = Callable[[_pb.ListenResponse], Awaitable[None]]


class WalletService:
    """Serves pages."""

    def __init__(self, channels: ChannelService, owner: Owner, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._channels = channels
        self._owner = owner
        self._accounts = accounts
        self._clock = clock
        self._sessions: dict[bytes, Connection] = {}

    def service(self) -> Service:
        """To be served."""
        return bind(_pb.DESCRIPTOR.services_by_name["WalletService"], self)

    async def get_network(self, _request: _pb.GetNetworkRequest, call: Call) -> _pb.GetNetworkResponse:
        """What a wallet puts into what it signs."""
        network = await self._accounts.network()
        return _pb.GetNetworkResponse(
            hub=await self._channels.get_hub(channel_service_pb2.GetHubRequest(), call),
            settle_blocks=network.settle_blocks,
            token=network.token,
            token_name=network.token_name,
            symbol=network.symbol,
            decimals=network.decimals,
            relying_party=network.relying_party,
            time=int(self._clock()),
        )

    async def get_account(self, request: _pb.GetAccountRequest, _call: Call) -> _pb.GetAccountResponse:
        """Look it up on the chain."""
        with _readable():
            address = sized(request.address, 20, "address")
        account = await self._accounts.account(address)
        newest = account.newest
        answer = _pb.GetAccountResponse(
            height=account.height,
            registered=account.registered,
            tier=account.tier,
            frozen_until=account.frozen_until,
            balance=write_amount(account.balance),
            credit=write_amount(account.credit),
            next_salt=newest.parties.salt,
        )
        if newest.phase is not None:
            answer.channel.CopyFrom(_standing(self._accounts.state_of(newest, newest.phase)))
        return answer

    async def open_channel(self, request: _pb.OpenChannelRequest, _call: Call) -> _pb.OpenChannelResponse:
        """Carry it."""
        with _readable():
            salt, money = sized(request.salt, 32, "salt"), _money(request.money)
        return _pb.OpenChannelResponse(channel_id=await self._accounts.open_channel(salt, money))

    async def deposit(self, request: _pb.DepositRequest, _call: Call) -> _pb.DepositResponse:
        """Carry it."""
        with _readable():
            salt, money, parties = sized(request.salt, 32, "salt"), _money(request.money), _parties(request.parties)
        await self._accounts.deposit(parties, salt, money)
        return _pb.DepositResponse()

    async def claim(self, request: _pb.ClaimRequest, _call: Call) -> _pb.ClaimResponse:
        """Carry it."""
        with _readable():
            address = sized(request.address, 20, "address")
        return _pb.ClaimResponse(amount=write_amount(await self._accounts.claim(address)))

    async def listen(self, _request: _pb.ListenRequest, _call: Call, send: Send) -> None:
        """Tell what the hub says, and what the chain says of the channels, until the page goes."""
        if len(self._sessions) >= SESSIONS_MAX:
            raise RpcError(Code.RESOURCE_EXHAUSTED, "too many pages listen; try again later", reason="SERVER_BUSY")
        session = secrets.token_bytes(32)
        with self._channels.connected() as connection:
            self._sessions[session] = connection
            try:
                await self._tell(session, connection, send)
            finally:
                del self._sessions[session]

    async def say(self, request: _pb.SayRequest, _call: Call) -> _pb.SayResponse:
        """What a page says, to the owner of its channels."""
        connection = self._sessions.get(request.session)
        if connection is None:
            raise RpcError(Code.NOT_FOUND, "this session is over: listen and attach again", reason="SESSION_UNKNOWN")
        await self._channels.take(connection, request.messages)
        return _pb.SayResponse()

    async def _tell(self, session: bytes, connection: Connection, send: Send) -> None:
        height = self._owner.height
        await send(_pb.ListenResponse(session=session, challenge=connection.challenge, height=height))
        told: dict[bytes, _pb.ChannelStanding] = {}
        while True:
            messages: list[channel_service_pb2.HubMessage] = []
            with trio.move_on_after(BEAT_S):
                messages = await connection.unread()
            news = self._news(connection, told)
            if messages or news or self._owner.height != height:
                height = self._owner.height
                await send(_pb.ListenResponse(height=height, messages=messages, channels=news))

    def _news(self, connection: Connection, told: dict[bytes, _pb.ChannelStanding]) -> list[_pb.ChannelStanding]:
        """Of the attached channels, those of which the chain says something else than was told."""
        news = []
        for identity in connection.channels:
            member = self._owner.core.book.members.get(identity)
            if member is None:
                before = told.get(identity)
                if before is None or before.phase == _pb.CHANNEL_PHASE_SETTLED:
                    continue
                standing = _pb.ChannelStanding()
                standing.CopyFrom(before)
                standing.phase = _pb.CHANNEL_PHASE_SETTLED
            else:
                standing = _standing(member.state)
            if told.get(identity) != standing:
                told[identity] = standing
                news.append(standing)
        return news


@contextmanager
def _readable() -> Iterator[None]:
    """Turns what cannot be read into the caller's error."""
    try:
        yield
    except WireError as error:
        raise RpcError(Code.INVALID_ARGUMENT, str(error), reason="INVALID_REQUEST") from error


def _standing(state: ChannelState) -> _pb.ChannelStanding:
    mine, hubs = state.a, state.b
    standing = _pb.ChannelStanding(
        channel_id=state.id,
        parties=channel_pb2.Parties(a=state.parties.a, b=state.parties.b, salt=state.parties.salt),
        phase=_PHASES[state.phase],
        deposited=write_amount(mine.deposited),
        hub_deposited=write_amount(hubs.deposited),
        withdrawn=write_amount(mine.withdrawn),
        hub_withdrawn=write_amount(hubs.withdrawn),
    )
    if state.window is not None:
        standing.settle_block = state.window.settle_block
        standing.settle_time = state.window.settle_time
    return standing


def _money(message: _pb.SignedMoney) -> Money:
    return Money(
        sized(message.owner, 20, "money.owner"),
        amount(message.amount, "money.amount"),
        message.valid_after,
        message.valid_before,
        signature(message.signature, "money.signature"),
    )


def _parties(message: channel_pb2.Parties) -> Parties:
    return Parties(sized(message.a, 20, "a"), sized(message.b, 20, "b"), sized(message.salt, 32, "salt"))
