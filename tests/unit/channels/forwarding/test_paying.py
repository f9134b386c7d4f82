"""A payment through the hub, and every reason why it does not pass."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from alatau.channels.errors import InvalidInvoiceError, InvalidVoucherError
from alatau.channels.forwarding.book import LOCKS_PER_PAYER_MAX
from alatau.channels.forwarding.effects import DoAskLiquidity, SayRefused
from alatau.channels.forwarding.fees import MILLION, FeeSchedule
from alatau.channels.forwarding.inputs import InputAccount, InputFold, InputPay
from alatau.channels.forwarding.limits import Limits
from alatau.channels.forwarding.payment import PaymentPhase
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice, invoice_digest
from alatau.channels.messages import LOCKS_MAX, Lock, Voucher, sign_voucher
from alatau.channels.party.effects import TellFailed, TellPaid, TellReceived, TellRefunded
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import side_of
from tests.support.city import DOMAIN, HUB, POLICY, City, Person, with_limits


def city(**changes: object) -> tuple[City, Person, Person]:
    """A resident with 1,000 and a till with 500 of the hub's in its channel, both connected."""
    made = City(**{"policy": POLICY} | changes)  # type: ignore[arg-type]
    resident, till = made.join(1, deposit=1_000), made.join(2, hub_deposit=500)
    made.run_hub()
    for person in (resident, till):
        made.connect(person)
    made.settle_down()
    return made, resident, till


def invoice(made: City, till: Person, amount: int, number: int = 1, seconds: int = 600) -> SignedInvoice:
    """An invoice of the till's."""
    secret = number.to_bytes(32, "big")
    made.do(till, till.core.invoice(amount, secret, made.now, seconds=seconds))
    return next(i.signed for i in till.core.incoming.values() if i.secret == secret)


def pay(made: City, resident: Person, bill: SignedInvoice, fee: int = 0, life: int = 30) -> None:
    """Until nobody has anything to say."""
    made.do(resident, resident.core.pay(bill, fee, life, made.now))
    made.settle_down()


def why(made: City, resident: Person) -> str:
    """Of the resident's last payment: why it was refused."""
    failed = [told for told in resident.told if isinstance(told, TellFailed)]
    assert failed[-1].outgoing.phase is OutgoingPhase.REFUSED
    assert made.hub.book.payments == {}, "a refusal leaves no lock"
    assert side_of(made.member(resident), resident.key.address).locks == ()
    return failed[-1].outgoing.note


def test_a_payment_passes_through() -> None:
    """Locked, revealed, folded: the resident has the secret, the merchant the money."""
    made, resident, till = city()
    pay(made, resident, invoice(made, till, 100))
    assert [type(told) for told in resident.told] == [TellPaid]
    assert [type(told) for told in till.told] == [TellReceived]
    assert side_of(made.member(resident), resident.key.address).transferred == 100
    assert side_of(made.member(till), HUB.address).transferred == 100
    assert {p.phase for p in made.disk.payments.values()} == {PaymentPhase.PAID}


def test_the_hub_keeps_its_fee() -> None:
    """A fixed part and a share, rounded down."""
    made, resident, till = city(policy=replace(POLICY, fees=FeeSchedule(3, 15_000)))
    pay(made, resident, invoice(made, till, 150), fee=3 + 150 * 15_000 // MILLION)
    assert side_of(made.member(resident), resident.key.address).transferred == 155
    assert made.hub_gain() == 5


def test_another_fee_than_the_hubs_is_refused() -> None:
    """Nobody pays less by saying so, and nobody more by mistake."""
    for fee in (2, 4):
        made, resident, till = city(policy=replace(POLICY, fees=FeeSchedule(3)))
        pay(made, resident, invoice(made, till, 100), fee=fee)
        assert "the new lock must be 103" in why(made, resident)


def test_a_payment_asked_for_again_is_the_same_payment() -> None:
    """After it is paid the answer is the receipt; nothing is signed."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    pay(made, resident, bill)
    nonce = side_of(resident.core.state, resident.key.address).nonce
    pay(made, resident, bill)
    assert side_of(resident.core.state, resident.key.address).nonce == nonce
    told = [told for told in resident.told if isinstance(told, TellPaid)]
    assert [one.outgoing.secret for one in told] == [(1).to_bytes(32, "big")] * 2


def test_an_invoice_is_paid_by_one_payer() -> None:
    """The second one is told so, and keeps its money."""
    made, resident, till = city()
    other = made.join(3, deposit=1_000)
    made.run_hub()
    made.connect(other)
    made.settle_down()
    bill = invoice(made, till, 100)
    pay(made, resident, bill)
    pay(made, other, bill)
    assert "another account has paid" in why(made, other)


def test_a_till_that_is_away_leaves_no_lock() -> None:
    """The answer comes in one batch."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    made.disconnect(till)
    made.run_hub()
    batches = made.batches
    made.do(resident, resident.core.pay(bill, 0, 30, made.now))
    made.run_hub()
    made.hear(resident)
    assert made.batches == batches + 1
    assert "not connected" in resident.told[-1].outgoing.note  # type: ignore[union-attr]


def test_the_merchants_leg_is_reserved_before_anything_is_locked() -> None:
    """Too little there: refused, and the hub asks its operator's account for what is missing."""
    made, resident, till = city()
    pay(made, resident, invoice(made, till, 501))
    assert "1 too little" in why(made, resident)
    assert made.acts == [DoAskLiquidity(till.channel_id, 1)]


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(payment=99), "a payment may be 99 at most"),
        (Limits(day=250), "200 of 250 a day is used; it frees at 1036800"),
        (Limits(month=299), "200 of 299 a month is used; it frees at 2592000"),
    ],
)
def test_limits_say_what_is_used_and_when_they_free(limits: Limits, text: str) -> None:
    """The third payment of 100 passes a limit of a day or a month, the first that of a payment."""
    made, resident, till = city(policy=with_limits(limits))
    for number in (1, 2, 3):
        pay(made, resident, invoice(made, till, 100, number))
    assert why(made, resident) == text


def test_a_day_later_a_limit_is_free_again() -> None:
    """A month's is not."""
    made, resident, till = city(policy=with_limits(Limits(day=100, month=200)))
    pay(made, resident, invoice(made, till, 100, 1))
    made.time += 86_400
    pay(made, resident, invoice(made, till, 100, 2))
    made.time += 86_400
    pay(made, resident, invoice(made, till, 1, 3))
    assert "a month is used" in why(made, resident)


def test_a_cancelled_payment_gives_its_limit_back() -> None:
    """It came to nothing, so it counts nothing."""
    made, resident, till = city(policy=with_limits(Limits(day=100)))
    bill = invoice(made, till, 100)
    made.do(resident, resident.core.pay(bill, 0, 30, made.now))
    made.run_hub()
    made.disconnect(till)
    made.mine(60)
    made.settle_down()
    made.connect(till)
    made.settle_down()
    pay(made, resident, invoice(made, till, 100, 2))
    assert resident.told[-1].outgoing.phase is OutgoingPhase.PAID  # type: ignore[union-attr]


def test_a_payment_in_flight_ends_one_block_after_its_lock() -> None:
    """The till dies holding the secret: the merchant's lock runs out, then the payer is told and drops its own."""
    made, resident, till = city()
    made.do(resident, resident.core.pay(invoice(made, till, 100), 0, 30, made.now))
    made.run_hub()
    made.disconnect(till)
    (payment,) = made.hub.book.payments.values()
    made.mine(payment.merchant_lock.expiry_block - made.block)
    assert made.hub.book.payments != {}
    made.mine()
    assert made.hub.book.payments == {}
    made.settle_down()
    assert resident.core.spendable == 1_000
    assert side_of(made.member(resident), resident.key.address).locks == ()


def test_a_dead_till_holds_two_payments_of_a_resident_and_nobody_elses() -> None:
    """Nine others go on paying."""
    made, resident, till = city()
    tills = [made.join(20 + number, hub_deposit=500) for number in range(9)]
    made.run_hub()
    for person in tills:
        made.connect(person)
    made.settle_down()
    bills = [invoice(made, till, 10, number) for number in range(1, LOCKS_PER_PAYER_MAX + 2)]
    till.core.agreed = False  # it takes messages and does nothing
    for bill in bills:
        made.do(resident, resident.core.pay(bill, 0, 30, made.now))
        made.run_hub()
        while made.hear(resident):
            pass
        till.inbox.clear()
    assert f"at most {LOCKS_PER_PAYER_MAX}" in resident.told[-1].outgoing.note  # type: ignore[union-attr]
    other = made.join(3, deposit=1_000)
    made.run_hub()
    made.connect(other)
    made.settle_down()
    for number, person in enumerate(tills):
        pay(made, other, invoice(made, person, 10, 100 + number))
    assert sum(isinstance(told, TellPaid) for told in other.told) == 9


def test_a_channel_holds_eight_payments_to_a_merchant() -> None:
    """The ninth is told that the merchant is busy."""
    made, _, till = city()
    payers = [made.join(30 + number, deposit=100) for number in range(LOCKS_MAX + 1)]
    made.run_hub()
    for person in payers:
        made.connect(person)
    made.settle_down()
    for number, person in enumerate(payers):
        made.do(person, person.core.pay(invoice(made, till, 1, 50 + number), 0, 30, made.now))
    made.run_hub()
    made.hear(payers[-1])
    assert "8 payments to the merchant" in payers[-1].told[-1].outgoing.note  # type: ignore[union-attr]


def test_a_declined_payment_frees_both_at_once() -> None:
    """The merchant signs for the voucher that drops its lock; then the payer drops its own."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    till.core.incoming.clear()
    pay(made, resident, bill)
    assert resident.told[-1].outgoing.phase is OutgoingPhase.CANCELLED  # type: ignore[union-attr]
    assert resident.core.spendable == 1_000
    assert side_of(made.member(till), HUB.address).receipt is not None
    assert made.block == 1


def test_a_payer_that_does_not_fold_is_made_to_by_the_chain() -> None:
    """The hub brings the secret on chain before the lock expires, so that it stays due."""
    made, resident, till = city()
    made.do(resident, resident.core.pay(invoice(made, till, 100), 0, 30, made.now))
    made.run_hub()
    made.disconnect(resident)
    made.settle_down()
    made.mine(29)
    assert len(made.revealed) == 1
    made.mine(40)
    made.connect(resident)
    made.settle_down()
    assert side_of(made.member(resident), resident.key.address).transferred == 100


@pytest.mark.parametrize("life", [19, 46])
def test_a_lock_of_another_life_is_refused(life: int) -> None:
    """Shorter, and the hub has no time; longer, and it outlives the window."""
    made, resident, till = city()
    pay(made, resident, invoice(made, till, 100), life=life)
    assert "from 20 to 45" in why(made, resident)


def test_a_suspended_account_does_not_pay() -> None:
    """The registry has said so."""
    made, resident, till = city()
    made.queue.append(InputAccount(resident.key.address, 1, good=False))
    made.run_hub()
    pay(made, resident, invoice(made, till, 100))
    assert "is suspended" in why(made, resident)


def test_a_merchant_pays_back_in_parts_and_never_more() -> None:
    """The payer gets both parts, whether it is there or not."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    pay(made, resident, bill)
    made.disconnect(resident)
    for part in (30, 70):
        made.do(till, till.core.refund(bill.invoice.secret_hash, part, made.now))
        made.settle_down()
    with pytest.raises(InvalidVoucherError, match="cannot refund 1"):
        till.core.refund(bill.invoice.secret_hash, 1, made.now)
    made.connect(resident)
    made.settle_down()
    assert resident.core.spendable == 1_000
    assert [told.amount for told in till.told if isinstance(told, TellRefunded)] == [30, 70]


def test_a_refund_of_nothing_comes_back_to_the_merchant() -> None:
    """A till that has lost count signs too much away: the hub gives it back by a voucher."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    pay(made, resident, bill)
    mine = till.core.incoming[bill.invoice.secret_hash]
    made.do(till, till.core.refund(bill.invoice.secret_hash, 100, made.now))
    made.settle_down()
    till.core.incoming[bill.invoice.secret_hash] = replace(mine, phase=IncomingPhase.PAID, refunded=0)
    pay(made, resident, invoice(made, till, 60, 2))
    made.do(till, till.core.refund(bill.invoice.secret_hash, 60, made.now))
    made.settle_down()
    assert till.core.refunding is None
    assert till.core.spendable == 60
    assert made.hub_gain() == 0


def test_an_expired_invoice_is_refused_by_wallet_and_hub() -> None:
    """The wallet signs nothing; a wallet that does is told no."""
    made, resident, till = city()
    bill = invoice(made, till, 100, seconds=10)
    made.time += 11
    with pytest.raises(InvalidInvoiceError, match="expired"):
        resident.core.pay(bill, 0, 30, made.now)


def say(made: City, person: Person, told: object) -> list[SayRefused]:
    """What the hub refuses of one raw message."""
    made.queue.append(told)  # type: ignore[arg-type]
    made.run_hub()
    return [message for message in person.inbox if isinstance(message, SayRefused)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: replace(v, transferred=1), Reason.LOCK_WRONG),
        (lambda v: replace(v, locks=()), Reason.LOCK_WRONG),
        (lambda v: replace(v, locks=(*v.locks, Lock(b"\x07" * 32, 1, 31))), Reason.LOCK_WRONG),
        (lambda v: replace(v, nonce=0), Reason.VOUCHER_INVALID),
        (lambda v: replace(v, payer=HUB.address), Reason.VOUCHER_INVALID),
        (lambda v: replace(v, channel_id=b"\x01" * 32), Reason.VOUCHER_INVALID),
    ],
)
def test_a_voucher_that_is_not_what_it_should_be_changes_nothing(
    change: Callable[[Voucher], Voucher], reason: Reason
) -> None:
    """Each is refused with its reason, and the right one is taken after it."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    right = Voucher(resident.channel_id, resident.key.address, 1, 0, (Lock(bill.invoice.secret_hash, 100, 31),))
    wrong = sign_voucher(DOMAIN, change(right), resident.key.sign)
    (refused,) = say(made, resident, InputPay(resident.channel_id, bill, wrong))
    assert refused.reason is reason
    assert refused.subject == invoice_digest(DOMAIN, bill.invoice)
    assert made.member(resident).a.latest is None
    good = sign_voucher(DOMAIN, right, resident.key.sign)
    resident.inbox.clear()
    assert say(made, resident, InputPay(resident.channel_id, bill, good)) == []


def test_a_voucher_of_another_signer_is_refused() -> None:
    """The hub looks at every signature."""
    made, resident, till = city()
    bill = invoice(made, till, 100)
    voucher = Voucher(resident.channel_id, resident.key.address, 1, 0, (Lock(bill.invoice.secret_hash, 100, 31),))
    forged = sign_voucher(DOMAIN, voucher, till.key.sign)
    (refused,) = say(made, resident, InputPay(resident.channel_id, bill, forged))
    assert refused.reason is Reason.SIGNATURE_INVALID


def test_a_fold_pays_what_is_due_and_not_a_unit_else() -> None:
    """Less is theft, more a mistake; a new lock comes with an invoice."""
    made, resident, till = city()
    made.do(resident, resident.core.pay(invoice(made, till, 100), 0, 30, made.now))
    made.run_hub()
    while made.hear(till):
        pass
    made.run_hub()
    for transferred in (0, 99, 101):
        voucher = Voucher(resident.channel_id, resident.key.address, 2, transferred)
        signed = sign_voucher(DOMAIN, voucher, resident.key.sign)
        refused = say(made, resident, InputFold(resident.channel_id, signed))
        assert refused[-1].reason is Reason.VOUCHER_INVALID
        assert "100 is due" in refused[-1].text
