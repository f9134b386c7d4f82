"""The tower's trial of itself: a channel of its own that it closes below its voucher, and contests like any other.

An alarm says what is known to be wrong; a trial finds what nobody thought of. Once a period the tower opens a channel,
without money, with a key that has a hub's licence, hands itself a voucher, closes with an older one, and waits for its
own contest, which takes the way of every other: through the chain's events, the docket, the batch. Then it settles.
What it has begun is found again after a kill: the channel's salt is on the disk before the channel is on the chain.
"""

import secrets
from dataclasses import replace
from typing import Final

import structlog
import trio

from alatau.channels.calls import claim_argument, own_request, parties_argument
from alatau.channels.messages import Parties, Voucher, channel_id, receipt_digest, sign_voucher
from alatau.channels.protection import Protection
from alatau.channels.state import Phase
from alatau.channels.watching import WatchedChannel, is_ripe
from alatau.client.errors import ClientError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.tower import store
from alatau.tower.following import Follower
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post
from alatau.tower.protecting import take_protection
from alatau.tower.sending import Sender
from alatau.transport.errors import RpcError

_LOG = structlog.get_logger(__name__)

_STALE, _NEWEST = 1, 2
"""Nonces, and amounts: without money in the channel nothing moves by them."""
_RETRY_S: Final = 30.0
"""Before another attempt at a trial that the chain or a node refused."""


class CanaryFailedError(Exception):
    """The window of the canary channel passed and the contract still knows the old voucher: the tower does not contest.

    Look at the other alarms and at what it logs; somebody's real channel would have been lost.
    """


class CanaryKeeper:
    """Tries the tower once a period. :meth:`run` is its task."""

    def __init__(self, post: Post, sender: Sender, follower: Follower, hub: PrivateKey, period_s: float) -> None:
        """``hub`` is the other end of the trial's channels: an account with a hub's licence."""
        self._post = post
        self._sender = sender
        self._follower = follower
        self._hub = hub
        self._period_s = period_s

    async def run(self) -> None:
        """Try until cancelled."""
        await self._follower.caught_up()
        while True:
            due_in_s = store.canary(self._post.database).contested + self._period_s - self._post.now()
            if due_in_s > 0 and not self._is_under_way():
                await trio.sleep(min(due_in_s, _RETRY_S))
                continue
            try:
                await self.trial()
            except (RpcError, ClientError, CanaryFailedError) as error:
                _LOG.error("canary.failed", why=str(error))
                self._post.canary_failure = f"a trial failed: {error}"
                await trio.sleep(min(self._period_s, _RETRY_S))

    async def trial(self) -> None:
        """Go on with the trial that is under way, or begin one; returns when its channel has settled.

        Raises:
            CanaryFailedError: it was not contested within its window.
            RpcError, ClientError: the chain or a node refused a step; the next attempt goes on from there.
        """
        ends = self._ends()
        channel = self._known(ends)
        if channel is None or channel.phase is Phase.SETTLED:
            ends = await self._open()
            channel = self._known(ends)
        assert channel is not None, "the follower has told of what was opened"
        if channel.phase is Phase.OPEN:
            await self._close(ends)
        await self._see_contested(ends)
        await self._settle(ends)

    def _is_under_way(self) -> bool:
        channel = self._known(self._ends())
        return channel is not None and channel.phase is not Phase.SETTLED

    def _ends(self, salt: bytes | None = None) -> Parties:
        kept = store.canary(self._post.database).salt if salt is None else salt
        return Parties(self._sender.address, self._hub.address, kept or bytes(32))

    def _known(self, ends: Parties) -> WatchedChannel | None:
        return store.channel(self._post.database, channel_id(self._post.network.domain, ends))

    async def _open(self) -> Parties:
        ends = self._ends(secrets.token_bytes(32))

        def remember(changes: Changes) -> None:
            store.keep_canary(changes, replace(store.canary(changes), salt=ends.salt))

        await self._post.commits.commit(remember)
        await self._sender.send("open", ends.b, ends.salt, 0)
        while self._known(ends) is None:
            await self._follower.advanced()
        return ends

    async def _close(self, ends: Parties) -> None:
        """Hand over the newest voucher, then close with the old one."""
        newest, post = self._protection(ends, _NEWEST), self._post
        await post.commits.commit(lambda c: take_protection(c, newest, post.height, post.network.settle_blocks))
        stale = self._protection(ends, _STALE)
        claim = claim_argument(stale.signed, stale.receipt)
        await self._sender.send("close", parties_argument(ends), own_request(ends.a), claim)

    def _protection(self, ends: Parties, nonce: int) -> Protection:
        domain = self._post.network.domain
        voucher = Voucher(channel_id(domain, ends), self._hub.address, nonce, nonce)
        receipt = self._post.key.sign(receipt_digest(domain, voucher))
        return Protection(ends, sign_voucher(domain, voucher, self._hub.sign), receipt)

    async def _see_contested(self, ends: Parties) -> None:
        began = trio.current_time()
        while True:
            channel = self._known(ends)
            assert channel is not None, "a channel under way is not forgotten"
            if channel.phase is Phase.SETTLED:
                return
            if channel.submitted(self._hub.address).nonce >= _NEWEST:
                break
            if self._is_ripe(channel):
                raise CanaryFailedError(f"channel {channel_id(self._post.network.domain, ends).hex()[:16]} was lost")
            await self._follower.advanced()
        self._post.canary_failure = None
        _LOG.info("canary.contested", within_s=round(trio.current_time() - began, 1))

    async def _settle(self, ends: Parties) -> None:
        while (channel := self._known(ends)) is not None and channel.phase is Phase.CLOSING:
            failure: ClientError | None = None
            if self._is_ripe(channel):
                try:
                    await self._sender.send("settle", parties_argument(ends), [], [])
                except ClientError as error:
                    failure = error  # a stranger may have been faster
            await self._follower.advanced()
            if failure is not None and self._known(ends) == channel:
                raise failure

    def _is_ripe(self, channel: WatchedChannel) -> bool:
        return is_ripe(channel, self._post.height, self._post.tip.time)
