"""A merchant pays back: its voucher to the hub and the hub's to the payer, in one step and without a lock.

The payer need not be there: a voucher binds the hub whether or not its payee looks, and the merchant gets a copy as its
proof. Limits do not count refunds.
"""

from dataclasses import replace

from alatau.channels.errors import ChannelError, ForgedMessageError
from alatau.channels.forwarding.book import Book, Member, attached_member, draft_of, open_member, spendable
from alatau.channels.forwarding.booking import book_refund
from alatau.channels.forwarding.effects import DoAskLiquidity, SayRefused
from alatau.channels.forwarding.inputs import InputRefund
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.paying import payer_of
from alatau.channels.forwarding.payment import Payment, PaymentPhase, Refund
from alatau.channels.forwarding.refusal import Reason, Refusal
from alatau.channels.state import side_of
from alatau.channels.transition import ChangeVoucher, transition


def refund(book: Book, said: InputRefund, moment: Moment) -> Refund | None:
    """Pass a refund on. None where this voucher has done so before, or where the money went back to the merchant."""
    merchant = attached_member(book, said.channel_id, moment)
    side = side_of(merchant.state, merchant.party)
    if said.voucher == side.latest:
        return None
    amount = said.voucher.voucher.transferred - side.transferred
    if amount <= 0 or said.voucher.voucher.locks != side.locks:
        raise Refusal(Reason.VOUCHER_INVALID, "a refund transfers more than before, and locks nothing")
    payment = _refundable(book, merchant, said.invoice_hash)
    if payment is None or amount > payment.amount - payment.refunded:
        _take(book, merchant, said, moment)
        draft_of(book, merchant, moment).transferred += amount
        book.say(said.channel_id, _bounced(payment, said.invoice_hash))
        return None
    payer = _payer(book, payment, amount, moment)
    _take(book, merchant, said, moment)
    made = Refund(
        payer.state.id,
        merchant.state.id,
        payment.payer,
        payment.invoice_hash,
        said.voucher.voucher.nonce,
        amount,
        moment.time,
        moment.day,
    )
    draft = draft_of(book, payer, moment)
    draft.transferred += amount
    draft.refunds.append(made)
    book.store_refund(made)
    book_refund(book, made)
    _note(book, replace(payment, refunded=payment.refunded + amount))
    return made


def _refundable(book: Book, merchant: Member, invoice_hash: bytes) -> Payment | None:
    account = payer_of(book, invoice_hash)
    payment = book.payment_of((account, invoice_hash)) if account is not None else None
    if payment is None or payment.signed.invoice.merchant != merchant.party or payment.secret is None:
        return None
    return payment


def _bounced(payment: Payment | None, invoice_hash: bytes) -> SayRefused:
    """The merchant has signed the money away already: it gets it back by a voucher of the hub's."""
    if payment is None:
        text = "the hub knows no such payment to this merchant; the money went back to it"
        return SayRefused(Reason.PAYMENT_UNKNOWN, text, invoice_hash)
    text = f"{payment.amount - payment.refunded} was paid and not refunded yet; the money went back to the merchant"
    return SayRefused(Reason.REFUND_TOO_LARGE, text, invoice_hash)


def _take(book: Book, merchant: Member, said: InputRefund, moment: Moment) -> None:
    change = ChangeVoucher(said.voucher, moment.block, moment.time, book.revealed)
    try:
        merchant.state, _ = transition(merchant.state, change)
    except ForgedMessageError as error:
        raise Refusal(Reason.SIGNATURE_INVALID, str(error)) from error
    except ChannelError as error:
        raise Refusal(Reason.VOUCHER_INVALID, str(error)) from error
    book.store_channel(merchant)


def _payer(book: Book, payment: Payment, amount: int, moment: Moment) -> Member:
    """The payer's channel: the one that it paid from, or its newest."""
    channel_id = payment.payer_channel
    if channel_id not in book.members:
        channel_id = book.by_party.get(payment.payer, channel_id)
    payer = open_member(book, channel_id, moment)
    missing = amount - spendable(book, payer, moment)
    if missing > 0:
        book.acts.append(DoAskLiquidity(channel_id, missing))
        raise Refusal(Reason.NO_LIQUIDITY, f"the hub has {missing} too little in the payer's channel")
    return payer


def _note(book: Book, payment: Payment) -> None:
    if payment.phase is PaymentPhase.REVEALED:
        book.store_payment(payment)
    else:
        book.note_payment(payment)
