"""What the chain tells: channels opened, money in and out, closings, secrets. In the order of the chain."""

from alatau.channels.forwarding.book import Book, Member, Standing, keep_member, open_member
from alatau.channels.forwarding.booking import book_deposit, book_payout, book_withdrawal
from alatau.channels.forwarding.effects import DoCarry, DoForgetChannel
from alatau.channels.forwarding.inputs import (
    InputAccount,
    InputClosing,
    InputDeposited,
    InputOpened,
    InputRevealed,
    InputSettled,
    InputSubmitted,
    InputWithdrawn,
)
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.paying import learn, reveal_on_chain, run_out
from alatau.channels.forwarding.payment import PaymentPhase
from alatau.channels.forwarding.refusal import Refusal
from alatau.channels.state import Phase, opened, side_of
from alatau.channels.transition import (
    Change,
    ChangeClosing,
    ChangeDeposited,
    ChangeSettled,
    ChangeSubmitted,
    ChangeWithdrawn,
    DoSubmit,
    transition,
)
from alatau.crypto.keccak import keccak256


def channel_opened(book: Book, told: InputOpened, moment: Moment) -> None:
    """A channel with this hub, or with another one, which is none of ours."""
    if told.parties.b != book.hub:
        return
    state = opened(book.domain, told.parties, told.amount, settle_blocks=told.settle_blocks)
    if state.id in book.members:
        return
    member = Member(state)
    keep_member(book, member)
    book.store_channel(member)
    book_deposit(book, member, member.party, told.amount, told.amount, moment)


def deposited(book: Book, told: InputDeposited, moment: Moment) -> None:
    """Somebody paid in."""
    member = book.members.get(told.channel_id)
    if member is not None:
        total = side_of(member.state, told.party).deposited + told.amount
        _change(book, member, ChangeDeposited(told.party, total))
        book_deposit(book, member, told.party, total, told.amount, moment)


def withdrawn(book: Book, told: InputWithdrawn, moment: Moment) -> None:
    """Somebody took money out; what was consented to counts already."""
    member = book.members.get(told.channel_id)
    if member is None:
        return
    a, b = member.withdrawn_on_chain
    by_a = told.party == member.party
    total = (a if by_a else b) + told.amount
    member.withdrawn_on_chain = (total, b) if by_a else (a, total)
    known = side_of(member.state, told.party).withdrawn
    if total > known:
        book_withdrawal(book, member, told.party, total, total - known, moment)
        _change(book, member, ChangeWithdrawn(told.party, total))
    else:
        book.store_channel(member)


def closing(book: Book, told: InputClosing) -> None:
    """A settlement begins: our newest vouchers go on chain, and the secrets of locks that are due."""
    member = book.members.get(told.channel_id)
    if member is None or member.state.phase is not Phase.OPEN:
        return
    _change(book, member, ChangeClosing(told.window))
    for lock in side_of(member.state, member.party).locks:
        key = book.by_secret.get(lock.secret_hash)
        if key is not None and book.payments[key].phase is PaymentPhase.REVEALED:
            reveal_on_chain(book, book.payments[key])


def submitted(book: Book, told: InputSubmitted) -> None:
    """A voucher was accepted."""
    member = book.members.get(told.channel_id)
    if member is not None and told.nonce > side_of(member.state, told.payer).submitted_nonce:
        _change(book, member, ChangeSubmitted(told.payer, told.nonce))


def settled(book: Book, told: InputSettled, moment: Moment) -> None:
    """The channel has ended, and is forgotten."""
    member = book.members.get(told.channel_id)
    if member is None:
        return
    transition(member.state, ChangeSettled())
    book_payout(book, member, told.to_owner, told.to_hub, moment)
    del book.members[told.channel_id]
    for payment in [one for one in book.payments.values() if one.payer_channel == told.channel_id]:
        if payment.phase is PaymentPhase.REVEALED:  # its payer folds no more: the chain has judged its lock
            book.end_payment(payment, PaymentPhase.PAID)
    if book.by_party.get(member.party) == told.channel_id:
        del book.by_party[member.party]
    book.stores["channel", told.channel_id] = DoForgetChannel(member.state.parties, told.channel_id)


def revealed(book: Book, told: InputRevealed, moment: Moment) -> None:
    """The chain knows a secret: whoever locked under it owes."""
    secret_hash = keccak256(told.secret)
    if secret_hash not in book.revealed:
        book.store_secret(told.secret, told.block)
    key = book.by_secret.get(secret_hash)
    if key is None:
        return
    payment = book.payments[key]
    if payment.phase is PaymentPhase.LOCKED and told.block <= payment.merchant_lock.expiry_block:
        learn(book, _signable(book, payment.merchant_channel, moment), payment, told.secret, moment)
    run_out(book, moment)


def _signable(book: Book, channel_id: bytes, moment: Moment) -> Member | None:
    try:
        return open_member(book, channel_id, moment)
    except Refusal:
        return None


def account(book: Book, told: InputAccount) -> None:
    """The registry speaks of an account."""
    book.store_standing(told.account, Standing(told.tier, told.good))


def _change(book: Book, member: Member, change: Change) -> None:
    member.state, effects = transition(member.state, change)
    book.store_channel(member)
    for effect in effects:
        if isinstance(effect, DoSubmit):
            book.acts.append(DoCarry(member.state.parties, effect))
