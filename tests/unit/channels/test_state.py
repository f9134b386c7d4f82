"""Sums of a channel: what each party can still spend, and what it would be paid."""

from hypothesis import given
from hypothesis import strategies as st

from alatau.channels.messages import Parties, SignedVoucher, Voucher, channel_id, channels_domain
from alatau.channels.state import ChannelState, Side, available, opened, other_party, payouts

DOMAIN = channels_domain(7773, b"\x07" * 20)
A, B = b"\x0a" * 20, b"\x0b" * 20
PARTIES = Parties(A, B, bytes(32))
amounts = st.integers(0, 2**112 - 1)


def channel(deposits: tuple[int, int], withdrawn: tuple[int, int], sent: tuple[int, int]) -> ChannelState:
    """A channel by its six numbers, signatures left out."""
    identity = channel_id(DOMAIN, PARTIES)
    sides = [
        Side(deposit, taken, SignedVoucher(Voucher(identity, payer, 1, total), b""))
        for payer, deposit, taken, total in zip((A, B), deposits, withdrawn, sent, strict=True)
    ]
    return ChannelState(DOMAIN, PARTIES, identity, 50, a=sides[0], b=sides[1])


def test_fresh_channel_belongs_to_who_opened_it() -> None:
    """Without vouchers everyone gets back what it paid in."""
    state = opened(DOMAIN, PARTIES, 1_000, settle_blocks=50)
    assert payouts(state) == (1_000, 0)
    assert (available(state, A), available(state, B)) == (1_000, 0)
    assert (other_party(state, A), other_party(state, B)) == (B, A)


def test_payments_in_both_directions_are_netted() -> None:
    """What was received can be spent again."""
    state = channel((1_000, 500), (0, 0), (300, 50))
    assert payouts(state) == (750, 750)
    assert (available(state, A), available(state, B)) == (750, 750)


def test_withdrawals_lower_the_payout_of_who_took_them() -> None:
    """Money taken out early is not paid again."""
    assert payouts(channel((1_000, 0), (400, 0), (100, 0))) == (500, 100)


def test_revealed_locks_are_paid() -> None:
    """What locks pay counts like what was transferred."""
    assert payouts(channel((1_000, 0), (0, 0), (100, 0)), unlocked_ab=50) == (850, 150)


@given(amounts, amounts, amounts, amounts)
def test_payouts_sum_to_what_the_channel_holds(in_a: int, in_b: int, sent_a: int, sent_b: int) -> None:
    """Whatever was signed, nothing is created or lost, and nobody is paid less than zero."""
    state = channel((in_a, in_b), (0, 0), (sent_a, sent_b))
    payout_a, payout_b = payouts(state)
    assert payout_a + payout_b == in_a + in_b
    assert min(payout_a, payout_b) >= 0
