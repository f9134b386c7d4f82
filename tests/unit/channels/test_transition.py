"""The life of a channel off the chain, rule by rule."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.channels.errors import ChannelPhaseError, ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import (
    AMOUNT_MAX,
    CooperativeClose,
    Lock,
    Parties,
    SignedVoucher,
    Voucher,
    channels_domain,
    cooperative_close_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.state import ChannelState, Phase, Window, available, opened, payouts
from alatau.channels.transition import (
    AGREEMENT_SECONDS_MAX,
    Change,
    ChangeAgreement,
    ChangeClosing,
    ChangeDeposited,
    ChangeReceipt,
    ChangeSettled,
    ChangeSubmitted,
    ChangeVoucher,
    ChangeWithdrawn,
    DoCloseCooperatively,
    DoStore,
    DoSubmit,
    next_voucher,
    transition,
)
from alatau.crypto.secp256k1 import PrivateKey

RESIDENT = PrivateKey(b"\x01" * 32)
HUB = PrivateKey(b"\x02" * 32)
STRANGER = PrivateKey(b"\x03" * 32)
DOMAIN = channels_domain(7773, b"\x07" * 20)
PARTIES = Parties(RESIDENT.address, HUB.address, bytes(32))
WINDOW = Window(settle_block=60, settle_time=1_000)
BLOCK = 10
TIME = 1_000
SETTLE_BLOCKS = 50


def fresh() -> ChannelState:
    """A channel into which the resident paid 1,000 and the hub 500."""
    return after(opened(DOMAIN, PARTIES, 1_000, settle_blocks=SETTLE_BLOCKS), ChangeDeposited(HUB.address, 500))


def after(state: ChannelState, *changes: Change) -> ChannelState:
    """The state after several changes."""
    for change in changes:
        state, _ = transition(state, change)
    return state


def signed(key: PrivateKey, voucher: Voucher, block: int = BLOCK) -> ChangeVoucher:
    """A voucher with the key's signature, as it arrives."""
    return ChangeVoucher(sign_voucher(DOMAIN, voucher, key.sign), block, TIME)


def pay(state: ChannelState, key: PrivateKey, amount: int) -> ChannelState:
    """The state after one more payment."""
    return after(state, signed(key, next_voucher(state, key.address, amount)))


def receipt_for(state: ChannelState, payer: PrivateKey, payee: PrivateKey) -> ChangeReceipt:
    """The payee's receipt for the payer's newest voucher."""
    side = state.a if payer.address == PARTIES.a else state.b
    assert side.latest is not None
    return ChangeReceipt(payer.address, payee.sign(receipt_digest(DOMAIN, side.latest.voucher)))


def test_payments_accumulate_in_each_direction() -> None:
    """Vouchers tell all that was paid; the two directions are netted."""
    state = pay(pay(pay(fresh(), RESIDENT, 300), HUB, 50), RESIDENT, 100)
    assert (state.a.transferred, state.a.nonce) == (400, 2)
    assert payouts(state) == (650, 850)


def test_every_change_is_stored_before_anything_else() -> None:
    """The first effect is to store: a message about a state that could be lost must not leave."""
    state = fresh()
    _, effects = transition(state, signed(RESIDENT, next_voucher(state, RESIDENT.address, 1)))
    assert effects == (DoStore(),)


def test_receipt_is_kept_with_its_voucher() -> None:
    """The payee's receipt is what lets a watchtower submit."""
    state = pay(fresh(), RESIDENT, 300)
    state = after(state, receipt_for(state, RESIDENT, HUB))
    assert state.a.receipt is not None
    assert pay(state, RESIDENT, 1).a.receipt is None


def test_receipt_of_the_payer_himself_is_forged() -> None:
    """Only the payee acknowledges."""
    state = pay(fresh(), RESIDENT, 300)
    with pytest.raises(ForgedMessageError, match="receipt"):
        transition(state, receipt_for(state, RESIDENT, RESIDENT))


def test_receipt_without_voucher_is_refused() -> None:
    """There is nothing to acknowledge yet."""
    with pytest.raises(ChannelPhaseError, match="no voucher"):
        transition(fresh(), ChangeReceipt(RESIDENT.address, bytes(65)))


def test_voucher_signed_by_someone_else_is_forged() -> None:
    """A stranger pays nothing in the resident's name."""
    state = fresh()
    with pytest.raises(ForgedMessageError, match="payer"):
        transition(state, signed(STRANGER, next_voucher(state, RESIDENT.address, 5)))


@pytest.mark.parametrize(
    ("voucher", "reason"),
    [
        (Voucher(b"\x01" * 32, RESIDENT.address, 2, 400), "another channel"),
        (Voucher(fresh().id, STRANGER.address, 2, 400), "another channel"),
        (Voucher(fresh().id, RESIDENT.address, 1, 400), "nonce"),
        (Voucher(fresh().id, RESIDENT.address, 0, 400), "nonce"),
        (Voucher(fresh().id, RESIDENT.address, 2**64, 400), "nonce"),
        (Voucher(fresh().id, RESIDENT.address, 2, 299), "still due"),
        (Voucher(fresh().id, RESIDENT.address, 2, 1_001), "too little"),
        (Voucher(fresh().id, RESIDENT.address, 2, AMOUNT_MAX + 1), "range"),
        (Voucher(fresh().id, RESIDENT.address, 2, 300, (Lock(b"\x01" * 32, 0, 50),)), "range"),
        (Voucher(fresh().id, RESIDENT.address, 2, 300, (Lock(b"\x01" * 32, 701, 50),)), "too little"),
        (Voucher(fresh().id, RESIDENT.address, 2, 300, (Lock(b"\x01" * 32, 1, 50),) * 2), "one secret"),
        (
            Voucher(fresh().id, RESIDENT.address, 2, 300, tuple(Lock(bytes((i,)) * 32, 1, 50) for i in range(9))),
            "at most",
        ),
    ],
)
def test_vouchers_that_break_a_rule_are_refused(voucher: Voucher, reason: str) -> None:
    """Old, shrinking, overdrawn, foreign or overlong vouchers leave the last good one standing."""
    state = pay(fresh(), RESIDENT, 300)
    with pytest.raises(InvalidVoucherError, match=reason):
        transition(state, signed(RESIDENT, voucher))


def test_paying_more_than_available_is_refused_before_signing() -> None:
    """A wallet does not sign what it does not have."""
    with pytest.raises(InvalidVoucherError, match="1000 is available"):
        next_voucher(fresh(), RESIDENT.address, 1_001)


def test_received_money_can_be_spent() -> None:
    """A merchant without a deposit pays refunds from what it got."""
    state = pay(opened(DOMAIN, PARTIES, 1_000, settle_blocks=SETTLE_BLOCKS), RESIDENT, 300)
    assert payouts(pay(state, HUB, 300)) == (1_000, 0)


def locked_state() -> ChannelState:
    """A channel in which the resident promised 200 until block 50."""
    state = fresh()
    return after(state, signed(RESIDENT, Voucher(state.id, RESIDENT.address, 1, 0, (Lock(b"\x05" * 32, 200, 50),))))


def test_promised_money_is_not_available() -> None:
    """A lock binds the payer's money until it is folded in or expires."""
    assert available(locked_state(), RESIDENT.address) == 800


def test_lock_may_be_folded_into_what_is_paid() -> None:
    """Once the secret is out between the parties, the promise becomes a payment."""
    state = locked_state()
    state = after(state, signed(RESIDENT, Voucher(state.id, RESIDENT.address, 2, 200)))
    assert (state.a.transferred, state.a.locks) == (200, ())


@pytest.mark.parametrize(("block", "dropped"), [(50, False), (51, True)])
def test_lock_may_be_dropped_only_after_its_expiry(block: int, dropped: bool) -> None:
    """At its expiry block a secret still counts; a block later it does not."""
    state = locked_state()
    change = signed(RESIDENT, Voucher(state.id, RESIDENT.address, 2, 0), block)
    if dropped:
        assert after(state, change).a.locks == ()
    else:
        with pytest.raises(InvalidVoucherError, match="still due"):
            transition(state, change)


def test_lock_whose_secret_the_chain_knows_stays_due_after_expiry() -> None:
    """A secret that was revealed in time is a debt for good; one that came late is none."""
    state = locked_state()
    change = signed(RESIDENT, Voucher(state.id, RESIDENT.address, 2, 0), 60)
    with pytest.raises(InvalidVoucherError, match="still due"):
        transition(state, replace(change, revealed={b"\x05" * 32: 50}))
    assert after(state, replace(change, revealed={b"\x05" * 32: 51})).a.locks == ()


def test_withdrawal_is_bounded_by_what_is_available() -> None:
    """Nobody consents to the other's taking out what is already spent."""
    state = pay(fresh(), RESIDENT, 300)
    with pytest.raises(InvalidVoucherError, match="take out"):
        transition(state, ChangeWithdrawn(RESIDENT.address, 701))
    state = after(state, ChangeWithdrawn(RESIDENT.address, 700))
    assert payouts(state) == (0, 800)


def test_no_vouchers_after_closing() -> None:
    """What is signed after the close could not be trusted to arrive."""
    state = after(fresh(), ChangeClosing(WINDOW))
    with pytest.raises(ChannelPhaseError, match="closing"):
        transition(state, signed(RESIDENT, Voucher(state.id, RESIDENT.address, 1, 5)))


def test_stale_close_calls_for_submission() -> None:
    """Whoever holds a newer voucher than the contract is told to submit it, until it is there."""
    state = pay(pay(fresh(), RESIDENT, 300), RESIDENT, 200)
    newest = state.a.latest
    state, effects = transition(state, ChangeClosing(WINDOW))
    assert newest is not None
    assert effects == (DoStore(), DoSubmit(newest, None, WINDOW))
    state, effects = transition(state, ChangeSubmitted(RESIDENT.address, 1))
    assert len(effects) == 2
    state, effects = transition(state, ChangeSubmitted(RESIDENT.address, 2))
    assert effects == (DoStore(),)
    state, _ = transition(state, ChangeSettled())
    assert state.phase is Phase.SETTLED


def test_changes_of_a_stranger_are_refused() -> None:
    """The chain's news are about the two parties."""
    with pytest.raises(InvalidVoucherError, match="not a party"):
        transition(fresh(), ChangeDeposited(STRANGER.address, 5_000))


def test_thousand_vouchers_are_exchanged_and_verified() -> None:
    """A long day at a till: every voucher checked, every receipt kept, the sum exact."""
    state = opened(DOMAIN, PARTIES, 1_000, settle_blocks=SETTLE_BLOCKS)
    for _ in range(1_000):
        state = pay(state, RESIDENT, 1)
        state = after(state, receipt_for(state, RESIDENT, HUB))
    assert (state.a.nonce, payouts(state)) == (1_000, (0, 1_000))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 900)), max_size=12))
def test_no_sequence_of_payments_breaks_the_sums(payments: list[tuple[bool, int]]) -> None:
    """Money is neither made nor lost, and refused payments change nothing."""
    state = fresh()
    for forward, amount in payments:
        key = RESIDENT if forward else HUB
        before = state
        try:
            state = pay(state, key, amount)
        except InvalidVoucherError:
            assert state is before
        assert sum(payouts(state)) == 1_500
        assert available(state, RESIDENT.address) + available(state, HUB.address) == 1_500


def test_unsigned_voucher_is_forged() -> None:
    """Sixty-five zero bytes are no signature."""
    state = fresh()
    voucher = next_voucher(state, RESIDENT.address, 5)
    with pytest.raises(ForgedMessageError):
        transition(state, ChangeVoucher(SignedVoucher(voucher, bytes(65)), BLOCK, TIME))


@pytest.mark.parametrize("expiry", [-1, 0, BLOCK - 1, BLOCK, BLOCK + SETTLE_BLOCKS, 2**64, 2**256 + 50])
def test_locks_that_are_over_or_outlive_the_window_are_refused(expiry: int) -> None:
    """Expired ones pay nobody; longer ones let a payer settle first and the payee reveal after."""
    state = fresh()
    voucher = Voucher(state.id, RESIDENT.address, 1, 0, (Lock(b"\x05" * 32, 200, expiry),))
    change = ChangeVoucher(SignedVoucher(voucher, bytes(65)), BLOCK, TIME)
    with pytest.raises(InvalidVoucherError, match="expires at block"):
        transition(state, change)


@pytest.mark.parametrize("expiry", [BLOCK + 1, BLOCK + SETTLE_BLOCKS - 1])
def test_locks_within_the_window_are_taken(expiry: int) -> None:
    """From the next block to the last before a channel that closes now may be settled."""
    state = fresh()
    lock = Lock(b"\x05" * 32, 200, expiry)
    assert after(state, signed(RESIDENT, Voucher(state.id, RESIDENT.address, 1, 0, (lock,)))).a.locks == (lock,)


def test_lock_that_was_taken_may_stay_until_it_is_over() -> None:
    """Its life was checked when it was new; the next vouchers carry it on."""
    state = locked_state()
    change = signed(RESIDENT, Voucher(state.id, RESIDENT.address, 2, 5, state.a.locks), block=60)
    assert after(state, change).a.locks == state.a.locks


def test_prolonged_lock_is_a_new_one() -> None:
    """Another expiry is another lock, and the old one stays due."""
    state = locked_state()
    longer = (Lock(b"\x05" * 32, 200, 55),)
    with pytest.raises(InvalidVoucherError, match="still due"):
        transition(state, signed(RESIDENT, Voucher(state.id, RESIDENT.address, 2, 0, longer)))


def test_hashes_of_another_size_are_refused() -> None:
    """They would run into the next word of what is hashed."""
    state = fresh()
    for size in (0, 31, 33):
        voucher = Voucher(state.id, RESIDENT.address, 1, 0, (Lock(bytes(size), 5, 50),))
        with pytest.raises(InvalidVoucherError, match="32 bytes"):
            transition(state, ChangeVoucher(SignedVoucher(voucher, bytes(65)), BLOCK, TIME))


@pytest.mark.parametrize("total", [-1, AMOUNT_MAX + 1, 2**256])
def test_totals_that_no_field_holds_are_refused(total: int) -> None:
    """Deposits and withdrawals have the contract's bounds."""
    for change in (ChangeWithdrawn(RESIDENT.address, total), ChangeDeposited(RESIDENT.address, total)):
        with pytest.raises(InvalidVoucherError, match="range"):
            transition(fresh(), change)


def agree(
    state: ChannelState, key: PrivateKey, payouts_: tuple[int, int], *, deadline: int = TIME + 60, time: int = TIME
) -> ChangeAgreement:
    """A party's signature under a division."""
    message = CooperativeClose(state.id, *payouts_, deadline)
    return ChangeAgreement(message, key.address, key.sign(cooperative_close_digest(DOMAIN, message)), time)


def test_agreement_of_both_is_to_be_carried_to_the_contract() -> None:
    """One signature does nothing yet; with the second the host is told to send both."""
    state = pay(fresh(), RESIDENT, 300)
    state, effects = transition(state, agree(state, RESIDENT, (700, 800)))
    assert effects == (DoStore(),)
    state, effects = transition(state, agree(state, HUB, (700, 800)))
    (_, carry) = effects
    assert isinstance(carry, DoCloseCooperatively)
    assert (carry.message.payout_a, carry.message.payout_b) == (700, 800)
    state, effects = transition(state, ChangeSettled())
    assert (state.phase, effects) == (Phase.SETTLED, (DoStore(),))


def test_no_voucher_beside_an_agreement_until_it_has_run_out() -> None:
    """Who signed it has no use for vouchers: the other could still carry it."""
    state = pay(fresh(), RESIDENT, 300)
    state = after(state, agree(state, RESIDENT, (700, 800)))
    change = signed(RESIDENT, next_voucher(state, RESIDENT.address, 5))
    for time in (TIME, TIME + 60):
        with pytest.raises(ChannelPhaseError, match="as agreed until"):
            transition(state, replace(change, time=time))
    assert after(state, replace(change, time=TIME + 61)).a.transferred == 305


@pytest.mark.parametrize("division", [(701, 799), (699, 801), (0, 0), (1_500, 0)])
def test_agreements_divide_by_the_newest_vouchers(division: tuple[int, int]) -> None:
    """Anything else is paid by a voucher first."""
    state = pay(fresh(), RESIDENT, 300)
    with pytest.raises(InvalidVoucherError, match="newest vouchers"):
        transition(state, agree(state, RESIDENT, division))


def test_agreements_that_break_a_rule_are_refused() -> None:
    """Foreign, forged, endless, past, second ones, and those beside pending payments."""
    state = pay(fresh(), RESIDENT, 300)
    good = agree(state, RESIDENT, (700, 800))
    for bad, error, reason in (
        (replace(good, message=replace(good.message, channel_id=bytes(32))), InvalidVoucherError, "another channel"),
        (replace(good, party=HUB.address), ForgedMessageError, "not signed"),
        (agree(state, STRANGER, (700, 800)), InvalidVoucherError, "not a party"),
        (agree(state, RESIDENT, (700, 800), deadline=TIME - 1), InvalidVoucherError, "good for"),
        (agree(state, HUB, (700, 800), deadline=TIME + AGREEMENT_SECONDS_MAX + 1), InvalidVoucherError, "good for"),
    ):
        with pytest.raises(error, match=reason):
            transition(state, bad)
    agreed = after(state, good)
    with pytest.raises(ChannelPhaseError, match="another agreement"):
        transition(agreed, agree(state, HUB, (700, 800), deadline=TIME + 61))
    later = agree(state, HUB, (700, 800), deadline=TIME + 200, time=TIME + 61)
    assert after(agreed, later).agreement is not None
    with pytest.raises(InvalidVoucherError, match="pending"):
        transition(locked_state(), agree(locked_state(), RESIDENT, (1_000, 500)))
    with pytest.raises(ChannelPhaseError, match="settled"):
        transition(after(state, ChangeSettled()), good)


def test_refund_is_a_voucher_in_reverse() -> None:
    """A merchant that only receives refunds from what it got, and no more than that."""
    state = pay(opened(DOMAIN, PARTIES, 1_000, settle_blocks=SETTLE_BLOCKS), RESIDENT, 300)
    assert payouts(pay(state, HUB, 120)) == (820, 180)
    with pytest.raises(InvalidVoucherError, match="300 is available"):
        next_voucher(state, HUB.address, 301)
