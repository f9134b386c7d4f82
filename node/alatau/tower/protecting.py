"""Taking vouchers and requests into the store: what is newer replaces what is older, and nothing else does."""

from dataclasses import dataclass

from alatau.channels.errors import ChannelPhaseError, InvalidVoucherError
from alatau.channels.messages import CloseRequest
from alatau.channels.protection import Protection, SignedCloseRequest
from alatau.channels.state import Phase
from alatau.channels.watching import WatchedChannel, check_carriable
from alatau.tower import store
from alatau.tower.group_commit import Changes


@dataclass(frozen=True, slots=True)
class Taken:
    """What is held after something was offered."""

    newest: int
    """Of its direction, the nonce; of its party, the deadline of the request."""
    is_news: bool
    """Whether that is what was offered, and it was not held before."""
    is_first: bool
    """Whether nothing of its kind was held of the channel before."""


def take_protection(changes: Changes, offered: Protection, height: int, settle_blocks: int) -> Taken:
    """Keep a voucher whose signatures were checked, if it is newer than what is held.

    Args:
        changes: what is written.
        offered: the voucher.
        height: up to which the chain's events are known.
        settle_blocks: the contract's.

    Raises:
        ChannelPhaseError: the channel is not known, or has settled.
        InvalidVoucherError: the contract would not take the voucher, or another with its nonce is held.
    """
    voucher = offered.voucher
    channel = _known(changes, voucher.channel_id, height)
    held = store.protection(changes, voucher.channel_id, offered.parties, voucher.payer)
    if held is not None and channel.phase is not Phase.SETTLED:
        if held.voucher.nonce > voucher.nonce or held.voucher == voucher:
            return Taken(held.voucher.nonce, is_news=False, is_first=False)
        if held.voucher.nonce == voucher.nonce:
            raise InvalidVoucherError(
                f"another voucher with nonce {voucher.nonce} is held: its payer signed twice, sign the next nonce"
            )
    check_carriable(channel, voucher, height, settle_blocks)
    is_first = not store.protections(changes, voucher.channel_id, offered.parties)
    store.keep_protection(changes, offered)
    return Taken(voucher.nonce, is_news=True, is_first=is_first)


def take_close_request(changes: Changes, offered: SignedCloseRequest, height: int, now: int) -> Taken:
    """Keep a request whose signature was checked, if its deadline is later than that of the one held.

    Raises:
        ChannelPhaseError: the channel is not known, or does not wait for a request any more.
        InvalidVoucherError: its deadline is past.
    """
    request: CloseRequest = offered.request
    channel = _known(changes, request.channel_id, height)
    if channel.phase is not Phase.OPEN:
        raise ChannelPhaseError(f"the channel is {channel.phase.name.lower()}: there is nothing left to ask for")
    if request.deadline <= now:
        raise InvalidVoucherError(f"the request's deadline {request.deadline} is past: it is {now}")
    held = store.close_request(changes, request.channel_id, offered.parties, request.party)
    if held is not None and held.request.deadline >= request.deadline:
        return Taken(held.request.deadline, is_news=False, is_first=False)
    is_first = not store.close_requests(changes, request.channel_id, offered.parties)
    store.keep_close_request(changes, offered)
    return Taken(request.deadline, is_news=True, is_first=is_first)


def _known(changes: Changes, channel_id: bytes, height: int) -> WatchedChannel:
    channel = store.channel(changes, channel_id)
    if channel is None:
        raise ChannelPhaseError(f"up to block {height} no such channel was opened: try again when it has been")
    return channel
