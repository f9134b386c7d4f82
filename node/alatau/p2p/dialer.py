"""The dialling side: keeps one session with each member that has an endpoint."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
import trio

from alatau.p2p.counters import Counters
from alatau.p2p.handshake import LASTING_REFUSALS, BlockSource, ChainId, own_hello, read_hello
from alatau.p2p.inbox import Inbox
from alatau.p2p.member import Member
from alatau.p2p.methods import CONSENSUS, PROPOSALS, TRANSACTIONS, Lane
from alatau.p2p.session import Session
from alatau.p2p.settings import Settings
from alatau.p2p.table import PeerTable
from alatau.transport.certificates import TlsIdentity
from alatau.transport.channel import Channel, Stream, open_channel
from alatau.transport.credentials import IdentityHolder, dial_node
from alatau.transport.errors import Code, RpcError
from alatau.transport.key_discovery import discover_public_key
from alatau.transport.limits import Limits
from alatau.wire.session import Goodbye, write_session

_LOG = structlog.get_logger("alatau.p2p")
_STEADY_S = 10.0
"""A session that lasted this long was a success: the next pause is the first one again."""
_NOT_CONNECTED: Final = "failed to connect to all addresses"
_UNREACHABLE: Final = (
    "Connection refused",
    "timed out",
    "Timeout",
    "No route to host",
    "Network is unreachable",
    "DNS",
)
_CLOSED: Final = ("Socket closed", "Connection reset", "Broken pipe", "EOF")


class Dialer:
    """Dials members, again and again with growing pauses."""

    def __init__(
        self,
        identity: IdentityHolder,
        chain: ChainId,
        blocks: BlockSource,
        table: PeerTable,
        inbox: Inbox,
        settings: Settings,
        limits: Limits,
        learn: Callable[[bytes], bool],
        counters: Counters,
    ) -> None:
        self._identity = identity
        self._chain = chain
        self._blocks = blocks
        self._table = table
        self._inbox = inbox
        self._settings = settings
        self._limits = limits
        self._learn = learn
        self._counters = counters

    async def keep_connected(self, member: Member) -> None:
        """See to it that there is a session with ``member``, until cancelled."""
        pause = self._settings.redial_s
        while True:
            if (session := self._table.sessions.get(member.peer_id)) is not None:
                await session.ended.wait()
                lasted = trio.current_time() - session.opened_at
                pause = self._settings.redial_s if lasted > _STEADY_S else pause
                await trio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
                continue
            # Without the peer's key we cannot let it in either: then it is not worth waiting for.
            turn_is_ours = self._table.dials_first(member) or self._table.public_key(member) is None
            if not turn_is_ours and await self._peer_dials(member):
                continue
            opened_at = trio.current_time()
            least = await self._try(member)
            if trio.current_time() - opened_at > _STEADY_S:
                pause = self._settings.redial_s
            with trio.move_on_after(max(least, pause * random.uniform(0.5, 1.0))):  # noqa: S311
                await self._table.wait_for_session(member.peer_id)
            pause = min(pause * 2, self._settings.redial_max_s)

    async def _peer_dials(self, member: Member) -> bool:
        """Give the side whose turn it is a moment."""
        with trio.move_on_after(self._settings.fallback_dial_s):
            await self._table.wait_for_session(member.peer_id)
            return True
        return False

    async def _try(self, member: Member) -> float:
        """Dial once and stay as long as it lasts; gives the least pause before the next attempt, in seconds."""
        reason, detail, least = "CLOSED", "", 0.0
        try:
            await self.dial(member)
        except RpcError as error:
            reason, detail = dial_failure(error, self._identity.current)
            least = error.retry_after_s or 0.0
            if reason == "PEER_BANNED" and not self._table.ban_left_s(member.peer_id):  # it is this node that is out
                self._table.note_ban_by(member.peer_id, error)
        except trio.BrokenResourceError:
            reason = "CONNECTION_LOST"
        else:
            return least
        if reason in LASTING_REFUSALS:
            least = self._settings.redial_refused_s
        self._counters.dials_failed.note(reason)
        if self._table.member(member.peer_id) is not None:
            self._table.note_failure(member.peer_id, reason)
        _LOG.info("peer.dial_failed", peer=member.name, endpoint=member.endpoint, reason=reason, detail=detail)
        return least

    async def dial(self, member: Member) -> None:
        """Open a session and carry it until it ends. Raises ``RpcError`` where it never began."""
        public_key = self._table.public_key(member)
        if public_key is None:
            public_key = await discover_public_key(member.endpoint, member.key_hash)
            self._learn(public_key)
        tls = dial_node(public_key, self._identity.current)
        async with (
            open_channel(member.endpoint, tls, self._limits) as channel,
            channel.stream(CONSENSUS) as consensus,
        ):
            await consensus.send(write_session(own_hello(self._chain, self._blocks)))
            hello = await read_hello(consensus, self._chain, self._settings.handshake_timeout_s)
            session = self._table.open_session(member, hello, dialed=True, channel=channel)
            await self._carry(session, channel, consensus)

    async def _say_goodbye(self, session: Session, consensus: Stream) -> None:
        """Tell the peer why this side ends the session; who accepted the connection says it with its status."""
        if session.ended_by_peer:
            return
        with trio.move_on_after(self._settings.goodbye_s, shield=True), suppress(trio.BrokenResourceError, RpcError):
            await consensus.send(write_session(Goodbye(session.reason, session.detail)))
            consensus.finish_sending()
            async for _ in consensus:  # until the peer has ended the stream
                pass

    async def _carry(self, session: Session, channel: Channel, consensus: Stream) -> None:
        async with channel.stream(PROPOSALS) as proposals, channel.stream(TRANSACTIONS) as transactions:
            lanes = (
                (Lane.CONSENSUS, consensus),
                (Lane.PROPOSALS, proposals),
                (Lane.TRANSACTIONS, transactions),
            )
            try:
                with session.scope():
                    async with trio.open_nursery() as nursery:
                        for lane, stream in lanes:
                            handle = partial(self._inbox.handle, session, lane)
                            nursery.start_soon(session.run_lane, lane, stream, stream.send, handle)
            finally:
                session.end("CLOSED")
                self._table.close_session(session)
                await self._say_goodbye(session, consensus)


def dial_failure(error: RpcError, own: TlsIdentity, now: datetime | None = None) -> tuple[str, str]:
    """Why an attempt to reach a peer failed: a stable word, and a sentence for the operator.

    grpc says it in prose; the words that are looked for here are held to it by tests against real failures.
    """
    if error.code is not Code.UNAVAILABLE or error.reason != Code.UNAVAILABLE.name:
        return error.reason, error.message  # the peer, or this side, has said it already
    message = error.message
    if "CERTIFICATE_VERIFY_FAILED" in message:
        if "expired" in message:
            return "PEER_CERTIFICATE_EXPIRED", f"the peer's operator renews its certificate: {message}"
        return "PEER_CERTIFICATE_UNTRUSTED", f"another key answers there than the registry says: {message}"
    if any(word in message for word in _UNREACHABLE):
        return "UNREACHABLE", message
    if _NOT_CONNECTED in message and any(word in message for word in _CLOSED):
        if own.not_after <= (now or datetime.now(UTC)):
            return "OWN_CERTIFICATE_EXPIRED", "our certificate has expired: renew it, on the same key"
        return "CERTIFICATE_REFUSED", "the peer ended the handshake: it does not, or not yet, know our key"
    return error.reason, message
