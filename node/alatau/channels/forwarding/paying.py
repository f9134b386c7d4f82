"""A payment's way: locked twice, revealed, folded; or failed; or run out.

1. The payer locks amount and fee to the hub under the invoice's hash; in the same batch the hub locks the amount to
   the merchant, with an expiry ``margin_blocks`` earlier.
2. The merchant gives the secret away. The hub pays it, and has the secret to be paid by: the payment is final.
3. The payer folds the lock into what it has paid. If it does not, the hub brings the secret on chain before the lock
   expires, and the lock stays due.
4. If the merchant does not answer, its lock expires, then the payer's: cancelled. If it fails, both are let go at
   once, the payer's as soon as the merchant has signed for the voucher that drops its own.
"""

import heapq
from dataclasses import replace

from alatau.channels.errors import ChannelError, ForgedMessageError
from alatau.channels.forwarding.book import (
    LOCKS_PER_PAYER_MAX,
    Book,
    Member,
    Standing,
    attached_member,
    draft_of,
    drafted,
    find_member,
    spendable,
)
from alatau.channels.forwarding.booking import book_payment
from alatau.channels.forwarding.effects import (
    DoAskLiquidity,
    DoReveal,
    SayAccepted,
    SayCancelled,
    SayPending,
    SaySecret,
)
from alatau.channels.forwarding.fees import fee_of
from alatau.channels.forwarding.inputs import InputFail, InputFold, InputPay, InputReceipt, InputSecret
from alatau.channels.forwarding.limits import Excess, Moment, Period, Usage, counted, excess, limits_of, uncounted
from alatau.channels.forwarding.payment import Payment, PaymentKey, PaymentPhase
from alatau.channels.forwarding.refusal import Reason, Refusal
from alatau.channels.invoice import SignedInvoice, check_invoice, invoice_digest
from alatau.channels.messages import LOCKS_MAX, Lock, SignedVoucher, receipt_digest
from alatau.channels.state import ChannelState, side_of
from alatau.channels.transition import ChangeReceipt, ChangeVoucher, transition
from alatau.crypto.keccak import keccak256

_UNKNOWN = Standing(tier=0, good=True)
"""Of an account of which the registry has said nothing yet: the chain judged it when it opened its channel."""


def pay(book: Book, said: InputPay, moment: Moment) -> None:
    """Lock a payment twice, or say why not. Asking again for the same invoice tells of the same payment."""
    payer = attached_member(book, said.channel_id, moment)
    invoice_hash = invoice_digest(book.domain, said.invoice.invoice)
    key = (payer.party, invoice_hash)
    known = book.payment_of(key)
    if known is not None and known.phase is not PaymentPhase.CANCELLED:
        _tell_again(book, said.channel_id, known)
        return
    merchant = _merchant_of(book, said.invoice, invoice_hash, payer, moment)
    lock = _new_lock(book, payer, said.voucher, said.invoice, moment)
    usage = _within_limits(book, payer.party, lock.amount, moment)
    merchant_lock = _room_for(book, merchant, said.invoice, lock, moment)
    after = _taken(book, payer, said.voucher, moment)

    payer.state = after
    payer.released.discard(lock.secret_hash)
    draft = draft_of(book, merchant, moment)
    draft.locks.append(merchant_lock)
    draft.invoices.append(said.invoice)
    payment = Payment(
        payer.party,
        invoice_hash,
        said.invoice,
        payer.state.id,
        merchant.state.id,
        lock,
        merchant_lock,
        moment.time,
        moment.day,
        moment.month,
    )
    book.store_channel(payer)
    book.store_payment(payment)
    book.store_usage(payer.party, usage)
    watch(book, payment)
    book.say(payer.state.id, SayPending(invoice_hash))


def reveal(book: Book, said: InputSecret, moment: Moment) -> None:
    """A merchant takes a payment. A lock of the hub's own is good even if a restored hub has forgotten its payment."""
    merchant = attached_member(book, said.channel_id, moment)
    if _pay_forgotten(book, merchant, keccak256(said.secret), moment):
        return
    payment = _waiting(book, said.channel_id, keccak256(said.secret))
    if payment.phase is PaymentPhase.REVEALED:
        return
    if moment.block > payment.merchant_lock.expiry_block:
        raise Refusal(Reason.TOO_LATE, f"the lock expired at block {payment.merchant_lock.expiry_block}")
    secret_hash = payment.merchant_lock.secret_hash
    if secret_hash in merchant.failed_locks:
        raise Refusal(Reason.TOO_LATE, "the payment was failed")
    learn(book, merchant, payment, said.secret, moment)


def _pay_forgotten(book: Book, merchant: Member, secret_hash: bytes, moment: Moment) -> bool:
    _, locks = drafted(book, merchant, moment)
    lock = next((one for one in locks if one.secret_hash == secret_hash), None)
    if lock is None or secret_hash in book.by_secret or secret_hash in merchant.failed_locks:
        return False
    draft = draft_of(book, merchant, moment)
    draft.locks.remove(lock)
    draft.transferred += lock.amount
    return True


def learn(book: Book, merchant: Member | None, payment: Payment, secret: bytes, moment: Moment) -> None:
    """The secret is known, from the merchant or from the chain: the merchant is paid, and the payer owes for good.

    Where the merchant's channel signs no vouchers any more (None) its lock is due on chain.
    """
    if merchant is not None:
        secret_hash = payment.merchant_lock.secret_hash
        _, locks = drafted(book, merchant, moment)
        # A hub that was restored has paid by a voucher that came back, and lost only the secret: then there is no lock.
        if any(lock.secret_hash == secret_hash for lock in locks):
            draft = draft_of(book, merchant, moment)
            draft.locks = [lock for lock in draft.locks if lock.secret_hash != secret_hash]
            draft.transferred += payment.amount
    final = replace(payment, phase=PaymentPhase.REVEALED, secret=secret)
    book.store_payment(final)
    book_payment(book, final)
    book.say(payment.payer_channel, SaySecret(payment.invoice_hash, secret))


def fail(book: Book, said: InputFail, moment: Moment) -> None:
    """A merchant lets a lock go: drop it, and wait for its signature before the payer's is let go."""
    merchant = attached_member(book, said.channel_id, moment)
    payment = _waiting(book, said.channel_id, said.secret_hash)
    if payment.phase is not PaymentPhase.LOCKED or said.secret_hash in merchant.failed_locks:
        return
    if payment.merchant_lock.expiry_block != said.expiry_block:
        return  # it speaks of an earlier try
    draft = draft_of(book, merchant, moment)
    draft.locks = [lock for lock in draft.locks if lock.secret_hash != said.secret_hash]
    draft.released.add(said.secret_hash)
    merchant.failed_locks[said.secret_hash] = 0


def take_receipt(book: Book, said: InputReceipt, moment: Moment) -> None:
    """A party has signed for a voucher of the hub's: what it failed before is gone for good."""
    merchant = attached_member(book, said.channel_id, moment)
    side = side_of(merchant.state, book.hub)
    if side.latest is None or said.nonce != side.nonce:
        return  # for an older voucher: the next receipt will say more
    try:
        merchant.state, _ = transition(merchant.state, ChangeReceipt(book.hub, said.signature))
    except ForgedMessageError as error:
        raise Refusal(Reason.SIGNATURE_INVALID, str(error)) from error
    book.store_channel(merchant)
    for secret_hash, nonce in list(merchant.failed_locks.items()):
        if 0 < nonce <= said.nonce:
            del merchant.failed_locks[secret_hash]
            key = book.by_secret.get(secret_hash)
            if key is not None and book.payments[key].phase is PaymentPhase.LOCKED:
                cancel(book, book.payments[key])


def fold(book: Book, said: InputFold, moment: Moment) -> None:
    """A payer's voucher without a new lock."""
    payer = attached_member(book, said.channel_id, moment)
    side = side_of(payer.state, payer.party)
    voucher = said.voucher.voucher
    if voucher.nonce == side.nonce and said.voucher == side.latest:
        _accept(book, payer)
        return
    if any(lock not in side.locks for lock in voucher.locks):
        raise Refusal(Reason.LOCK_WRONG, "a new lock comes with an invoice")
    dropped = [lock for lock in side.locks if lock not in voucher.locks]
    ended = [book.payments[book.by_secret[lock.secret_hash]] for lock in dropped if lock.secret_hash in book.by_secret]
    owed = sum(p.payer_lock.amount for p in ended if p.phase is PaymentPhase.REVEALED)
    if voucher.transferred != side.transferred + owed:
        text = f"{owed} is due for what is dropped, {voucher.transferred - side.transferred} is paid"
        raise Refusal(Reason.VOUCHER_INVALID, text)
    payer.state = _taken(book, payer, said.voucher, moment)
    for payment in ended:
        if payment.phase is PaymentPhase.REVEALED:
            book.end_payment(payment, PaymentPhase.PAID)
    payer.released -= {lock.secret_hash for lock in dropped}
    book.store_channel(payer)
    _accept(book, payer)


def cancel(book: Book, payment: Payment) -> None:
    """The merchant cannot be paid by its lock any more: let the payer's go, and give its limits back."""
    book.end_payment(payment, PaymentPhase.CANCELLED)
    usage = book.usage.get(payment.payer)
    if usage is not None:
        after = uncounted(usage, payment.payer_lock.amount, payment.day, payment.month)
        book.store_usage(payment.payer, after)
    payer = book.members.get(payment.payer_channel)
    if payer is not None:
        payer.released.add(payment.payer_lock.secret_hash)
    book.say(payment.payer_channel, SayCancelled(payment.invoice_hash, payment.payer_lock.secret_hash))


def watch(book: Book, payment: Payment) -> None:
    """Look at a payment again when its merchant's lock has run out, and when the payer's is about to."""
    heapq.heappush(book.timers, (payment.merchant_lock.expiry_block + 1, payment.key))
    heapq.heappush(book.timers, (_reveal_block(book, payment), payment.key))


def run_out(book: Book, moment: Moment) -> None:
    """What the blocks up to now have ended. The chain's news up to the moment's block has been told before."""
    while book.timers and book.timers[0][0] <= moment.block:
        _, key = heapq.heappop(book.timers)
        payment = book.payments.get(key)
        if payment is None:
            continue
        if payment.phase is PaymentPhase.LOCKED and moment.block > payment.merchant_lock.expiry_block:
            revealed_at = book.revealed.get(payment.merchant_lock.secret_hash)
            if revealed_at is None or revealed_at > payment.merchant_lock.expiry_block:
                cancel(book, payment)
                _clear_away(book, payment, moment)
                continue
        if payment.phase is PaymentPhase.REVEALED and moment.block >= _reveal_block(book, payment):
            reveal_on_chain(book, payment)


def _clear_away(book: Book, payment: Payment, moment: Moment) -> None:
    """Sign a voucher without a lock that ran out, so that merchant and hub go on from the same one."""
    try:
        merchant = attached_member(book, payment.merchant_channel, moment)
    except Refusal:
        return  # when it attaches
    draft_of(book, merchant, moment)


def reveal_on_chain(book: Book, payment: Payment) -> None:
    """The payer's lock has to be due before it expires, unless the chain knows the secret already."""
    assert payment.secret is not None, "a revealed payment has its secret"
    if payment.payer_lock.secret_hash not in book.revealed:
        book.acts.append(DoReveal(payment.secret, payment.payer_lock.expiry_block))


def _reveal_block(book: Book, payment: Payment) -> int:
    return payment.payer_lock.expiry_block - book.policy.margin_blocks // 2


def payer_of(book: Book, invoice_hash: bytes) -> bytes | None:
    """Who has paid an invoice, or is about to."""
    key = book.by_invoice.get(invoice_hash)
    if key is not None:
        return key[0]
    payer = book.archive.payer_of(invoice_hash)
    if payer is None:
        return None
    payment = book.payment_of((payer, invoice_hash))
    return payer if payment is not None and payment.phase is not PaymentPhase.CANCELLED else None


def _tell_again(book: Book, channel_id: bytes, payment: Payment) -> None:
    if payment.secret is not None:
        book.say(channel_id, SaySecret(payment.invoice_hash, payment.secret))
    else:
        book.say(channel_id, SayPending(payment.invoice_hash))


def _merchant_of(book: Book, signed: SignedInvoice, invoice_hash: bytes, payer: Member, moment: Moment) -> Member:
    invoice = signed.invoice
    if invoice.hub != book.hub:
        raise Refusal(Reason.INVOICE_INVALID, "the merchant is paid at another hub")
    if invoice.merchant == payer.party:
        raise Refusal(Reason.INVOICE_INVALID, "payer and merchant are one account")
    try:
        check_invoice(book.domain, signed, moment.time)
    except ForgedMessageError as error:
        raise Refusal(Reason.SIGNATURE_INVALID, str(error)) from error
    except ChannelError as error:
        raise Refusal(Reason.INVOICE_INVALID, str(error)) from error
    other = payer_of(book, invoice_hash)
    if other is not None and other != payer.party:
        raise Refusal(Reason.INVOICE_TAKEN, "another account has paid this invoice, or is about to")
    if invoice.secret_hash in book.by_secret:
        raise Refusal(
            Reason.INVOICE_INVALID, "another payment under way has the same secret: the merchant makes another"
        )
    channel_id = book.by_party.get(invoice.merchant)
    if channel_id is None:
        raise Refusal(Reason.MERCHANT_UNKNOWN, "the merchant has no channel with this hub")
    if not book.members[channel_id].attached:
        raise Refusal(Reason.MERCHANT_AWAY, "the merchant's till is not connected; nothing was locked")
    merchant = attached_member(book, channel_id, moment)
    for member in (payer, merchant):
        if not book.standings.get(member.party, _UNKNOWN).good:
            raise Refusal(Reason.ACCOUNT_REFUSED, f"account 0x{member.party.hex()} is suspended")
    return merchant


def _new_lock(book: Book, payer: Member, signed: SignedVoucher, invoice: SignedInvoice, moment: Moment) -> Lock:
    side = side_of(payer.state, payer.party)
    fresh = [lock for lock in signed.voucher.locks if lock not in side.locks]
    due = invoice.invoice.amount + fee_of(book.policy.fees, invoice.invoice.amount)
    if len(fresh) != 1 or fresh[0].secret_hash != invoice.invoice.secret_hash or fresh[0].amount != due:
        raise Refusal(Reason.LOCK_WRONG, f"the new lock must be {due} under the invoice's hash")
    if signed.voucher.transferred != side.transferred or len(signed.voucher.locks) != len(side.locks) + 1:
        raise Refusal(Reason.LOCK_WRONG, "a voucher with a new lock changes nothing else")
    if len(signed.voucher.locks) > LOCKS_PER_PAYER_MAX:
        raise Refusal(Reason.TOO_MANY_LOCKS, f"at most {LOCKS_PER_PAYER_MAX} payments of one payer are under way")
    policy = book.policy
    life = fresh[0].expiry_block - moment.block
    if not policy.lock_blocks_min <= life <= policy.lock_blocks_max:
        text = f"it expires in {life} blocks; from {policy.lock_blocks_min} to {policy.lock_blocks_max}"
        raise Refusal(Reason.LOCK_WRONG, text, {"block": str(moment.block)})
    return fresh[0]


def _within_limits(book: Book, account: bytes, amount: int, moment: Moment) -> Usage:
    usage = book.usage.get(account, Usage())
    limits = limits_of(book.policy.tiers, book.standings.get(account, _UNKNOWN).tier)
    over = excess(limits, usage, amount, moment)
    if over is not None:
        raise Refusal(Reason.LIMIT_EXCEEDED, _limit_text(over), _limit_details(over))
    return counted(usage, amount, moment)


def _limit_text(over: Excess) -> str:
    if over.period is Period.PAYMENT:
        return f"a payment may be {over.limit} at most"
    return f"{over.used} of {over.limit} a {over.period.value} is used; it frees at {over.frees}"


def _limit_details(over: Excess) -> dict[str, str]:
    details = {"period": over.period.value, "limit": str(over.limit), "used": str(over.used)}
    return details | ({"frees": str(over.frees)} if over.frees else {})


def _room_for(book: Book, merchant: Member, signed: SignedInvoice, lock: Lock, moment: Moment) -> Lock:
    _, locks = drafted(book, merchant, moment)
    if len(locks) >= LOCKS_MAX:
        raise Refusal(Reason.MERCHANT_BUSY, f"{LOCKS_MAX} payments to the merchant are under way")
    missing = signed.invoice.amount - spendable(book, merchant, moment)
    if missing > 0:
        book.acts.append(DoAskLiquidity(merchant.state.id, missing))
        raise Refusal(Reason.NO_LIQUIDITY, f"the hub has {missing} too little in the merchant's channel")
    return Lock(lock.secret_hash, signed.invoice.amount, lock.expiry_block - book.policy.margin_blocks)


def _taken(book: Book, payer: Member, signed: SignedVoucher, moment: Moment) -> ChannelState:
    if signed.voucher.payer != payer.party:
        raise Refusal(Reason.VOUCHER_INVALID, "the voucher is not the party's own")
    change = ChangeVoucher(signed, moment.block, moment.time, book.revealed, released=frozenset(payer.released))
    try:
        after, _ = transition(payer.state, change)
    except ForgedMessageError as error:
        raise Refusal(Reason.SIGNATURE_INVALID, str(error)) from error
    except ChannelError as error:
        raise Refusal(Reason.VOUCHER_INVALID, str(error)) from error
    return after


def _accept(book: Book, payer: Member) -> None:
    latest = side_of(payer.state, payer.party).latest
    assert latest is not None, "a voucher was just taken"
    receipt = book.sign(receipt_digest(book.domain, latest.voucher))
    book.say(payer.state.id, SayAccepted(latest.voucher.nonce, receipt))


def _waiting(book: Book, channel_id: bytes, secret_hash: bytes) -> Payment:
    find_member(book, channel_id)
    key: PaymentKey | None = book.by_secret.get(secret_hash)
    if key is None or book.payments[key].merchant_channel != channel_id:
        raise Refusal(Reason.SECRET_UNKNOWN, "no payment to this channel waits for this secret")
    return book.payments[key]
