"""A mass exit: all channels are closed whose parties have asked for it in advance, without the hub's help.

1. Channels with a request whose deadline is not past are closed in batches, each with one of its vouchers.
2. The vouchers of the other directions are due from then on, and brought by the contester within the window.
3. When its window has passed, each is settled: in batches, or by itself where payments are pending, whose lists the
   contract's own events have told.

All three go on at the same time, channel by channel, and nothing is remembered but what the chain says: an exit that
was interrupted is gone on with by beginning it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from alatau.channels.calls import (
    NO_CLAIM,
    ClaimArgument,
    PartiesArgument,
    RequestArgument,
    claim_argument,
    locks_argument,
    parties_argument,
    request_argument,
)
from alatau.channels.protection import SignedCloseRequest
from alatau.channels.state import Phase
from alatau.channels.watching import WatchedChannel, is_ripe
from alatau.client.errors import ClientError
from alatau.tower import store
from alatau.tower.following import Follower
from alatau.tower.post import Post
from alatau.tower.sending import Sender, send_apart
from alatau.transport.errors import RpcError

_LOG = structlog.get_logger(__name__)

EXITS_MAX: Final = 64
"""Channels in a closing transaction (the contract's bound)."""
SETTLEMENTS_MAX: Final = 128
"""Channels in a settling transaction: half of the contract's bound, so that first credits fit into the gas of one."""
_AT_ONCE: Final = 8
"""Transactions under way: half of a block's gas."""
_DEADLINE_MARGIN_S: Final = 30
"""A request must be good for this much longer: for its transaction to become final."""
_PAUSE_S: Final = 1.0
"""Before another round where the last one sent nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an exit has come, in channels."""

    asked: int
    """With a request to close."""
    late: int
    """Of them, open with a request that is past its deadline: their party has to sign another."""
    refused: int
    """Of them, refused by the contract one by one; the log says why."""
    closing: int
    contests_due: int
    """Vouchers, of these and of all other channels, that the contract has yet to hear of."""
    settled: int

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.settled + self.late + self.refused >= self.asked


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A channel on its way out."""

    id: bytes
    channel: WatchedChannel
    request: SignedCloseRequest


class MassExit:
    """Leads an exit; :meth:`run` does it."""

    def __init__(self, post: Post, sender: Sender, follower: Follower) -> None:
        self._post = post
        self._sender = sender
        self._follower = follower
        self._refused: set[bytes] = set()
        """Ids of channels that the contract refused by themselves."""
        self._leaving: dict[bytes, _Leaving] = {}
        """All with a request, by id."""

    async def run(self, report: Callable[[Progress], None]) -> Progress:
        """Close, wait, settle; ``report`` is told after every round. Returns when there is nothing left to do."""
        await self._follower.caught_up()
        self._post.docket.heard = set()
        await trio.to_thread.run_sync(self._load)
        while True:
            self._hear()
            leaving = [each for each in self._leaving.values() if each.channel.phase is not Phase.SETTLED]
            progress = self._progress(leaving)
            report(progress)
            if progress.is_done:
                return progress
            if not await self._round(leaving):
                with trio.move_on_after(_PAUSE_S):
                    await self._follower.advanced()

    def _load(self) -> None:
        """In a thread, since a city's take some seconds: what the chain has said of all channels with a request."""
        for channel_id in store.channels_with_request(self._post.database):
            self._look(channel_id)

    def _hear(self) -> None:
        """Look again at those of which something was told."""
        heard, self._post.docket.heard = self._post.docket.heard or set(), set()
        for channel_id in heard & self._leaving.keys():
            self._look(channel_id)

    def _look(self, channel_id: bytes) -> None:
        channel = store.channel(self._post.database, channel_id)
        if channel is None:
            return  # It has settled so long ago that it is being forgotten.
        requests = store.close_requests(self._post.database, channel_id, channel.parties)
        latest = max(requests, key=lambda signed: signed.request.deadline)
        self._leaving[channel_id] = _Leaving(channel_id, channel, latest)

    def _progress(self, leaving: Sequence[_Leaving]) -> Progress:
        asked = len(self._leaving)
        return Progress(
            asked=asked,
            late=sum(1 for each in leaving if self._is_late(each) and each.id not in self._refused),
            refused=len(self._refused),
            closing=sum(1 for each in leaving if each.channel.phase is Phase.CLOSING),
            contests_due=len(self._post.docket.due()),
            settled=asked - len(leaving),
        )

    def _is_late(self, each: _Leaving) -> bool:
        past = each.request.request.deadline < self._post.now() + _DEADLINE_MARGIN_S
        return past and each.channel.phase is Phase.OPEN

    async def _round(self, leaving: Sequence[_Leaving]) -> bool:
        """Send what can be sent now; whether there was anything."""
        able = [each for each in leaving if each.id not in self._refused]
        to_close = [each for each in able if each.channel.phase is Phase.OPEN and not self._is_late(each)]
        contested = {due.held.voucher.channel_id for due in self._post.docket.due()}
        ripe = [each for each in able if each.id not in contested and self._is_ripe(each.channel)]
        plain = [each for each in ripe if not _locked(each)]
        async with trio.open_nursery() as nursery:
            for batch in _batches(to_close, EXITS_MAX):
                nursery.start_soon(self._send, "close_many", batch, self._exit_argument)
            for batch in _batches(plain, SETTLEMENTS_MAX):
                nursery.start_soon(self._send, "settle_many", batch, _parties)
            for each in [each for each in ripe if _locked(each)][:_AT_ONCE]:
                nursery.start_soon(self._settle_locked, each)
        await self._heard([*to_close[: _AT_ONCE * EXITS_MAX], *ripe[: _AT_ONCE * SETTLEMENTS_MAX]])
        return bool(to_close or ripe)

    def _is_ripe(self, channel: WatchedChannel) -> bool:
        return is_ripe(channel, self._post.height, self._post.tip.time)

    async def _send(self, name: str, batch: Sequence[_Leaving], argument: Callable[[_Leaving], object]) -> None:
        try:
            _, refused = await send_apart(self._sender, name, batch, argument)
        except RpcError as error:
            _LOG.warning("exit.not_sent", call=name, channels=len(batch), error=error.message)
            await trio.sleep(_PAUSE_S)
        else:
            self._refused |= {each.id for each, _ in refused}

    async def _settle_locked(self, each: _Leaving) -> None:
        channel = each.channel
        lists = locks_argument(channel.ab.locks), locks_argument(channel.ba.locks)
        try:
            await self._sender.send("settle", parties_argument(channel.parties), *lists)
        except ClientError as error:
            _LOG.error("tower.item_refused", call="settle", why=str(error))
            self._refused.add(each.id)
        except RpcError as error:
            _LOG.warning("exit.not_sent", call="settle", channels=1, error=error.message)

    async def _heard(self, sent: Sequence[_Leaving]) -> None:
        """Wait a moment for the chain's word on what was sent, so that it is not sent twice."""
        with trio.move_on_after(2 * _PAUSE_S):
            while any(store.channel(self._post.database, each.id) == each.channel for each in sent):
                await self._follower.advanced()

    def _exit_argument(self, each: _Leaving) -> tuple[PartiesArgument, RequestArgument, ClaimArgument]:
        request = each.request.request
        held = store.protections(self._post.database, each.id, each.channel.parties)
        return (
            parties_argument(each.channel.parties),
            request_argument(request.party, request.deadline, each.request.signature),
            claim_argument(held[0].signed, held[0].receipt) if held else NO_CLAIM,
        )


def _parties(each: _Leaving) -> PartiesArgument:
    return parties_argument(each.channel.parties)


def _locked(each: _Leaving) -> bool:
    return bool(each.channel.ab.locks or each.channel.ba.locks)


def _batches(items: Sequence[_Leaving], size: int) -> Sequence[Sequence[_Leaving]]:
    return [items[start : start + size] for start in range(0, min(len(items), _AT_ONCE * size), size)]
