# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title How a channel ends
@notice The window begins with `_start`; while it is open both directions take newer vouchers (`_note`), up to the
        moment of settlement; `_settle` divides what the channel holds. Each is the only way into the next state.
"""

from . import channel_words
from . import credits
from . import evidence
from . import locks

uses: credits
uses: evidence
uses: locks


event Closing:
    id: indexed(bytes32)
    by: indexed(address)
    settle_block: uint256
    settle_time: uint256


event Submitted:
    id: indexed(bytes32)
    payer: indexed(address)
    nonce: uint256
    transferred: uint256


event Settled:
    id: indexed(bytes32)
    payout_a: uint256
    payout_b: uint256


settle_blocks: public(immutable(uint256))
settle_seconds: public(immutable(uint256))

_channels: HashMap[bytes32, channel_words.Channel]


@deploy
def __init__(settle_blocks_: uint256, settle_seconds_: uint256):
    """
    @param settle_blocks_ Blocks between closing and settling, at least; locks live shorter than that.
    @param settle_seconds_ Seconds between closing and settling, at least.
    """
    assert settle_blocks_ > 0 and settle_seconds_ > 0, "channels: no window"
    assert settle_blocks_ < 2**32 and settle_seconds_ < 2**32, "channels: window out of range"
    settle_blocks = settle_blocks_
    settle_seconds = settle_seconds_


@internal
def _start(id: bytes32, parties: evidence.Parties, by: address, claim: evidence.Claim):
    """
    @param id An open channel.
    @param parties Its ends.
    @param by Which of them asked.
    @param claim A voucher to begin with; nonce 0 for none.
    """
    deposits: uint256 = self._channels[id].deposits
    channel_words._check_state(deposits, channel_words.OPEN)
    self._channels[id].deposits = deposits ^ (channel_words.OPEN | channel_words.CLOSING)
    settle_block: uint256 = block.number + settle_blocks
    settle_time: uint256 = block.timestamp + settle_seconds
    forward: uint256 = channel_words._window(settle_block, settle_time)
    if claim.nonce == 0:
        self._channels[id].forward = forward
    else:
        self._note(id, parties, claim, forward)
    log Closing(id=id, by=by, settle_block=settle_block, settle_time=settle_time)


@internal
def _note(id: bytes32, parties: evidence.Parties, claim: evidence.Claim, forward: uint256):
    """
    @param id A closing channel.
    @param parties Its ends.
    @param claim A voucher newer than what is known.
    @param forward The channel's word, with the window.
    """
    is_forward: bool = claim.payer == parties.a
    assert is_forward or claim.payer == parties.b, "channels: not a party"
    word: uint256 = forward
    payee: address = parties.b
    if not is_forward:
        word = self._channels[id].backward
        payee = parties.a
    word = channel_words._noted(word, claim.nonce, claim.transferred)
    settle_block: uint256 = channel_words._settle_block(forward)
    locks_hash: bytes32 = locks._publish(id, claim.payer, claim.locks, settle_block)
    evidence._check_claim(id, payee, claim, locks_hash)
    if is_forward:
        self._channels[id].forward = word
        if locks_hash != self._channels[id].locks_ab:
            self._channels[id].locks_ab = locks_hash
    else:
        # The window is in `forward`, which `_start` has to write also where b's voucher comes first.
        self._channels[id].backward = word
        if self._channels[id].forward == 0:
            self._channels[id].forward = forward
        if locks_hash != self._channels[id].locks_ba:
            self._channels[id].locks_ba = locks_hash
    log Submitted(id=id, payer=claim.payer, nonce=claim.nonce, transferred=claim.transferred)


@internal
@view
def _is_newer(id: bytes32, parties: evidence.Parties, claim: evidence.Claim) -> bool:
    """
    @param id A channel.
    @param parties Its ends.
    @param claim A voucher.
    @return Whether the channel is closing and does not know the voucher, nor a newer one.
    """
    if self._channels[id].deposits & channel_words.CLOSING == 0:
        return False
    if claim.payer == parties.a:
        return claim.nonce > channel_words._nonce(self._channels[id].forward)
    return claim.nonce > channel_words._nonce(self._channels[id].backward)


@internal
@view
def _ripe(id: bytes32) -> bool:
    """
    @param id A channel.
    @return Whether it may be settled now, without lists of locks.
    """
    if self._channels[id].deposits & channel_words.CLOSING == 0:
        return False
    if self._channels[id].locks_ab != empty(bytes32) or self._channels[id].locks_ba != empty(bytes32):
        return False
    forward: uint256 = self._channels[id].forward
    if block.number < channel_words._settle_block(forward):
        return False
    return block.timestamp >= channel_words._settle_time(forward)


@internal
def _settle(
    id: bytes32,
    parties: evidence.Parties,
    locks_ab: DynArray[locks.Lock, locks.LOCKS_MAX],
    locks_ba: DynArray[locks.Lock, locks.LOCKS_MAX],
):
    """
    @param id A closing channel.
    @param parties Its ends.
    @param locks_ab Pending payments of a, as published.
    @param locks_ba Pending payments of b, as published.
    """
    channel: channel_words.Channel = self._channels[id]
    channel_words._check_closing(channel.deposits)
    assert block.number >= channel_words._settle_block(channel.forward), "channels: window open (blocks)"
    assert block.timestamp >= channel_words._settle_time(channel.forward), "channels: window open (seconds)"
    sent_ab: uint256 = channel.forward & channel_words.AMOUNT_MASK
    sent_ab += locks._unlocked(channel.locks_ab, locks_ab)
    sent_ba: uint256 = channel.backward & channel_words.AMOUNT_MASK
    sent_ba += locks._unlocked(channel.locks_ba, locks_ba)
    payout_a: uint256 = 0
    payout_b: uint256 = 0
    payout_a, payout_b = channel_words._payouts(channel.deposits, channel.withdrawn, sent_ab, sent_ba)
    self._channels[id].forward = 0
    if channel.backward != 0:
        self._channels[id].backward = 0
    self._finish(id, parties, payout_a, payout_b)


@internal
def _finish(id: bytes32, parties: evidence.Parties, payout_a: uint256, payout_b: uint256):
    """
    @dev Money moves from the channel to credits: `held` stays.
    @param id The channel.
    @param parties Its ends.
    @param payout_a What a gets.
    @param payout_b What b gets.
    """
    self._channels[id].deposits = channel_words.USED
    credits._add(parties.a, payout_a)
    credits._add(parties.b, payout_b)
    log Settled(id=id, payout_a=payout_a, payout_b=payout_b)
