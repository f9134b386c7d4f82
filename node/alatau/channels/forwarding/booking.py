"""From what happens to facts that are booked; each counts in ``Member.booked`` at once."""

from alatau.channels.forwarding.book import Book, Member
from alatau.channels.forwarding.facts import Fact, FactKind
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.payment import Payment, PaymentPhase, Refund
from alatau.channels.messages import Lock, uint_word
from alatau.channels.state import side_of
from alatau.crypto.keccak import keccak256


def owed(book: Book, member: Member) -> int:
    """What the owner of a channel has, its locks included, by the newest vouchers; what is revealed counts as paid."""
    mine, hubs = side_of(member.state, member.party), side_of(member.state, book.hub)
    paid = sum(lock.amount for lock in mine.locks if _is_final(book, lock, member.state.id, of_payer=True))
    received = sum(lock.amount for lock in hubs.locks if _is_final(book, lock, member.state.id, of_payer=False))
    return mine.deposited - mine.withdrawn + hubs.transferred - mine.transferred - paid + received


def _is_final(book: Book, lock: Lock, channel_id: bytes, *, of_payer: bool) -> bool:
    key = book.by_secret.get(lock.secret_hash)
    if key is None or book.payments[key].phase is not PaymentPhase.REVEALED:
        return False
    payment = book.payments[key]
    return (payment.payer_channel if of_payer else payment.merchant_channel) == channel_id


def book_payment(book: Book, payment: Payment) -> None:
    """A payment is final."""
    fact = Fact(
        FactKind.PAYMENT,
        payment.day,
        payment.time,
        payment.invoice_hash,
        payment.payer_channel,
        payment.amount,
        payment.merchant_channel,
        payment.fee,
        payment.invoice_hash,
    )
    _keep(book, fact)


def book_refund(book: Book, refund: Refund) -> None:
    """A refund was passed on."""
    reference = keccak256(refund.invoice_hash + uint_word(refund.nonce))
    channels = refund.merchant_channel, refund.payer_channel
    fact = Fact(
        FactKind.REFUND,
        refund.day,
        refund.time,
        reference,
        channels[0],
        refund.amount,
        channels[1],
        invoice_hash=refund.invoice_hash,
    )
    _keep(book, fact)


def book_deposit(book: Book, member: Member, party: bytes, total: int, amount: int, moment: Moment) -> None:
    """The chain says that somebody paid in, ``total`` by now."""
    kind = FactKind.DEPOSIT if party == member.party else FactKind.HUB_DEPOSIT
    _move(book, kind, member.state.id, total, amount, moment)


def book_withdrawal(book: Book, member: Member, party: bytes, total: int, amount: int, moment: Moment) -> None:
    """The owner was let take out, or the hub took out, ``total`` by now."""
    kind = FactKind.WITHDRAWAL if party == member.party else FactKind.HUB_WITHDRAWAL
    _move(book, kind, member.state.id, total, amount, moment)


def book_claim(book: Book, transaction: bytes, amount: int, moment: Moment) -> None:
    """The contract paid credit out to the hub."""
    _keep(book, Fact(FactKind.CLAIM, moment.day, moment.time, transaction, b"", amount))


def book_payout(book: Book, member: Member, to_owner: int, to_hub: int, moment: Moment) -> None:
    """The contract has settled a channel, by its own judgement."""
    _adjust(book, member, to_owner, moment)
    reference = keccak256(member.state.id + b"payout")
    fact = Fact(FactKind.PAYOUT, moment.day, moment.time, reference, member.state.id, to_owner, part=to_hub)
    if to_owner + to_hub:
        _keep(book, fact)


def adjust(book: Book, member: Member, moment: Moment) -> None:
    """Have the books say what the newest vouchers say."""
    _adjust(book, member, owed(book, member), moment)


def _adjust(book: Book, member: Member, truth: int, moment: Moment) -> None:
    change = truth - member.booked
    if not change:
        return
    sides = [side_of(member.state, party) for party in (member.party, book.hub)]
    words = b"".join(uint_word(number) for side in sides for number in (side.nonce, side.deposited))
    reference = keccak256(member.state.id + words + uint_word(truth) + uint_word(moment.time))
    fact = Fact(
        FactKind.ADJUSTMENT,
        moment.day,
        moment.time,
        reference,
        member.state.id,
        max(change, 0),
        part=max(-change, 0),
    )
    _keep(book, fact)


def _move(book: Book, kind: FactKind, channel_id: bytes, total: int, amount: int, moment: Moment) -> None:
    if amount:
        reference = keccak256(channel_id + uint_word(kind) + uint_word(total))
        _keep(book, Fact(kind, moment.day, moment.time, reference, channel_id, amount))


def _keep(book: Book, fact: Fact) -> None:
    book.store_fact(fact)
    match fact.kind:
        case FactKind.PAYMENT | FactKind.OFFLINE_PAYMENT | FactKind.REFUND:
            _count(book, fact.channel, -fact.amount - fact.part)
            _count(book, fact.other, fact.amount)
        case FactKind.DEPOSIT:
            _count(book, fact.channel, fact.amount)
        case FactKind.WITHDRAWAL | FactKind.PAYOUT:
            _count(book, fact.channel, -fact.amount)
        case FactKind.ADJUSTMENT:
            _count(book, fact.channel, fact.amount - fact.part)
        case FactKind.HUB_DEPOSIT | FactKind.HUB_WITHDRAWAL | FactKind.CLAIM:
            pass


def _count(book: Book, channel_id: bytes, change: int) -> None:
    member = book.members.get(channel_id)
    if member is not None:
        member.booked += change
