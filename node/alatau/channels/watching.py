"""A channel as its watchtower sees it: what the chain has said of it, and whether it must hear of a newer voucher.

Rules (CityChannels.vy enforces the same where money moves):

1. The chain's word is folded in its order: opened, closing, submitted (any number of times), settled. Each may be told
   again, by a tower that was killed between two blocks: the result is the same.
2. While the channel is closing, a voucher that is newer than what the contract knows of its direction is due. Nothing
   is due before: a tower reveals what the chain must know, and no more.
3. A voucher whose locks outlive the window could not be carried. It is refused when it comes, not found out when it is
   needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from alatau.channels.errors import ChannelPhaseError, InvalidVoucherError
from alatau.channels.messages import Lock, Parties, Voucher
from alatau.channels.protection import Protection
from alatau.channels.state import Phase, Window


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the contract knows of one direction of a closing channel."""

    nonce: int = 0
    locks: tuple[Lock, ...] = ()
    """Pending payments of the voucher: whoever settles names them."""


@dataclass(frozen=True, slots=True)
class WatchedChannel:
    """What the chain has said of a channel."""

    parties: Parties
    phase: Phase = Phase.OPEN
    window: Window | None = None
    """Set from closing on."""
    ab: Submitted = Submitted()
    """Of a's vouchers."""
    ba: Submitted = Submitted()
    """Of b's."""
    settled_block: int = 0

    def submitted(self, payer: bytes) -> Submitted:
        """Of the vouchers of one party."""
        return self.ab if payer == self.parties.a else self.ba


@dataclass(frozen=True, slots=True)
class NewsOpened:
    """A channel was opened."""

    parties: Parties


@dataclass(frozen=True, slots=True)
class NewsClosing:
    """A settlement has begun."""

    window: Window


@dataclass(frozen=True, slots=True)
class NewsSubmitted:
    """The contract took a voucher."""

    payer: bytes
    submitted: Submitted


@dataclass(frozen=True, slots=True)
class NewsSettled:
    """The channel has ended, in ``block``."""

    block: int


News: TypeAlias = NewsOpened | NewsClosing | NewsSubmitted | NewsSettled


def told(channel: WatchedChannel | None, news: News) -> WatchedChannel | None:
    """What is known after ``news``. None for a channel whose opening was never told: nothing can be said of it."""
    if isinstance(news, NewsOpened):
        return channel or WatchedChannel(news.parties)
    if channel is None or channel.phase is Phase.SETTLED:
        return channel
    match news:
        case NewsClosing(window):
            return replace(channel, phase=Phase.CLOSING, window=window)
        case NewsSubmitted(payer, submitted):
            # The first voucher of a closing comes before the word that it has begun, in the same transaction.
            if submitted.nonce <= channel.submitted(payer).nonce:
                return channel
            if payer == channel.parties.a:
                return replace(channel, ab=submitted)
            return replace(channel, ba=submitted)
        case NewsSettled(block):
            return replace(channel, phase=Phase.SETTLED, settled_block=block)


def is_due(channel: WatchedChannel, held: Protection) -> bool:
    """Whether the contract must hear of what is held."""
    voucher = held.voucher
    return channel.phase is Phase.CLOSING and voucher.nonce > channel.submitted(voucher.payer).nonce


def check_carriable(channel: WatchedChannel, voucher: Voucher, height: int, settle_blocks: int) -> None:
    """Whether the contract would take the voucher, should the channel begin to close in the next block or have begun.

    Raises:
        ChannelPhaseError: the channel has settled.
        InvalidVoucherError: a lock outlives the window.
    """
    if channel.phase is Phase.SETTLED:
        raise ChannelPhaseError("the channel has settled: there is nothing left to protect")
    end = channel.window.settle_block if channel.window else height + 1 + settle_blocks
    for lock in voucher.locks:
        if lock.expiry_block >= end:
            raise InvalidVoucherError(
                f"a lock expires at block {lock.expiry_block}; a channel that closes now may settle at {end}, and the "
                "contract takes no lock that outlives that: sign a shorter one"
            )


def is_ripe(channel: WatchedChannel, height: int, time: int) -> bool:
    """Whether the channel may be settled in a block after ``height`` with a timestamp of ``time`` or later."""
    if channel.phase is not Phase.CLOSING or channel.window is None:
        return False
    return height + 1 >= channel.window.settle_block and time >= channel.window.settle_time


def payers(parties: Parties) -> Iterator[bytes]:
    """Both directions, by who pays."""
    yield parties.a
    yield parties.b
