# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title The packed words of a channel, and what it pays out
@notice Six words under a channel's id. Every field has its bounds here, and nothing is written into a word but
        through these functions: a sum that does not fit is refused, never spilled into the neighbour.

            deposits   bits 0-111 paid in by a, 112-223 by b, 224-227 the flags
            withdrawn  bits 0-111 taken out by a, 112-223 by b
            forward    a's newest voucher: bits 0-111 transferred, 112-175 nonce;
                       the window: bits 176-215 settle block, 216-255 settle time
            backward   b's newest voucher: bits 0-111 transferred, 112-175 nonce
            locks_ab   hash of a's pending payments, zero for none; locks_ba likewise
"""

struct Channel:
    deposits: uint256
    withdrawn: uint256
    forward: uint256
    backward: uint256
    locks_ab: bytes32
    locks_ba: bytes32


AMOUNT_MASK: constant(uint256) = 2**112 - 1
# The side of a starts at bit 0, that of b at this one.
SIDE_B: constant(uint256) = 112

# Set when a channel opens, and never cleared: an id is used once for ever.
USED: constant(uint256) = 1 << 224
OPEN: constant(uint256) = 1 << 225
CLOSING: constant(uint256) = 1 << 226
# `withdrawn` is not zero: without it, that slot is not read.
WITHDREW: constant(uint256) = 1 << 227

NONCE_SHIFT: constant(uint256) = 112
NONCE_MASK: constant(uint256) = 2**64 - 1
SETTLE_BLOCK_SHIFT: constant(uint256) = 176
SETTLE_TIME_SHIFT: constant(uint256) = 216
# Blocks and seconds in 40 bits: until the year 36,812.
STAMP_MASK: constant(uint256) = 2**40 - 1
WINDOW_MASK: constant(uint256) = ((1 << 80) - 1) << 176


@internal
@pure
def _check_amount(amount: uint256):
    """
    @param amount Token units that have to fit a field.
    """
    assert amount <= AMOUNT_MASK, "channels: amount out of range"


@internal
@pure
def _check_state(deposits: uint256, states: uint256):
    """
    @param deposits The channel's word.
    @param states Flags of which one has to be set: `OPEN`, or both.
    """
    assert deposits & states != 0, "channels: not open"


@internal
@pure
def _check_closing(deposits: uint256):
    """
    @param deposits The channel's word.
    """
    assert deposits & CLOSING != 0, "channels: not closing"


@internal
@pure
def _side(word: uint256, offset: uint256) -> uint256:
    """
    @param word `deposits` or `withdrawn`.
    @param offset 0 for a, `SIDE_B` for b.
    @return The amount of that side.
    """
    return (word >> offset) & AMOUNT_MASK


@internal
@pure
def _raised(word: uint256, offset: uint256, amount: uint256) -> uint256:
    """
    @param word `deposits` or `withdrawn`.
    @param offset 0 for a, `SIDE_B` for b.
    @param amount What is added to that side; the sum has to fit its field.
    @return The word with the larger side.
    """
    # Each by itself first: then their sum cannot wrap around 256 bits.
    self._check_amount(amount)
    self._check_amount(self._side(word, offset) + amount)
    return word + (amount << offset)


@internal
@pure
def _total(deposits: uint256, withdrawn: uint256) -> uint256:
    """
    @param deposits The channel's word.
    @param withdrawn The channel's word.
    @return What a channel holds.
    """
    paid_in: uint256 = self._side(deposits, 0) + self._side(deposits, SIDE_B)
    return paid_in - self._side(withdrawn, 0) - self._side(withdrawn, SIDE_B)


@internal
@pure
def _window(settle_block: uint256, settle_time: uint256) -> uint256:
    """
    @param settle_block First block in which the channel may be settled.
    @param settle_time First second at which it may.
    @return The window's bits of `forward`.
    """
    assert settle_block <= STAMP_MASK and settle_time <= STAMP_MASK, "channels: window out of range"
    return (settle_block << SETTLE_BLOCK_SHIFT) | (settle_time << SETTLE_TIME_SHIFT)


@internal
@pure
def _settle_block(forward: uint256) -> uint256:
    """
    @param forward The channel's word.
    @return First block in which the channel may be settled.
    """
    return (forward >> SETTLE_BLOCK_SHIFT) & STAMP_MASK


@internal
@pure
def _settle_time(forward: uint256) -> uint256:
    """
    @param forward The channel's word.
    @return First second at which the channel may be settled.
    """
    return forward >> SETTLE_TIME_SHIFT


@internal
@pure
def _nonce(word: uint256) -> uint256:
    """
    @param word `forward` or `backward`.
    @return Nonce of the newest voucher that was shown, 0 for none.
    """
    return (word >> NONCE_SHIFT) & NONCE_MASK


@internal
@pure
def _noted(word: uint256, nonce: uint256, transferred: uint256) -> uint256:
    """
    @param word `forward` or `backward`.
    @param nonce Of the voucher; it must be higher than the one noted.
    @param transferred All that its payer ever paid.
    @return The word with the voucher in it, the window as it was.
    """
    assert nonce <= NONCE_MASK, "channels: nonce out of range"
    assert nonce > self._nonce(word), "channels: not newer"
    self._check_amount(transferred)
    return (word & WINDOW_MASK) | (nonce << NONCE_SHIFT) | transferred


@internal
@pure
def _payouts(
    deposits: uint256, withdrawn: uint256, sent_ab: uint256, sent_ba: uint256
) -> (uint256, uint256):
    """
    @dev Sums of at most ten 112-bit numbers: far from the edge of 256 bits. tests/contracts/test_payout_proof.py
         proves the formula over all words.
    @param deposits The channel's word.
    @param withdrawn The channel's word.
    @param sent_ab What a paid, with the locks that were revealed in time.
    @param sent_ba What b paid, likewise.
    @return What a gets, and what b gets: together all that the channel holds.
    """
    total: uint256 = self._total(deposits, withdrawn)
    gained: uint256 = self._side(deposits, 0) + sent_ba
    spent: uint256 = self._side(withdrawn, 0) + sent_ab
    payout_a: uint256 = 0
    if gained > spent:
        payout_a = min(gained - spent, total)
    return payout_a, total - payout_a
