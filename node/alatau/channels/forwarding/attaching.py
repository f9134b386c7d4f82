"""A party connects: the two compare their newest vouchers.

As a rule the hub has everything: it stored each voucher before it answered. What of the party's it does not have it
never took; the party sees that from the answer, and says it again or lets it go.

A hub that was restored from a backup lacks vouchers that it has signed or taken. It then takes both back from the
party (and from towers, by way of the host), whatever they say; invoices of the party's pending locks tell of payments
that it has forgotten, and their merchants are asked for the secrets. A voucher with the hub's own good signature that
is newer than its newest is proof that it is an old copy, even if nobody told it so.
"""

from alatau.channels.errors import ChannelError
from alatau.channels.forwarding.book import Book, Member, draft_of, drafted, find_member
from alatau.channels.forwarding.booking import adjust
from alatau.channels.forwarding.effects import DoAlarm, SayAttached, SaySecret, SayVoucher, SayWanted
from alatau.channels.forwarding.inputs import InputAttach
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.paying import learn, watch
from alatau.channels.forwarding.payment import Payment, PaymentPhase
from alatau.channels.forwarding.refusal import Reason, Refusal
from alatau.channels.invoice import SignedInvoice, check_invoice, invoice_digest
from alatau.channels.messages import Lock
from alatau.channels.state import ChannelState, Phase, side_of
from alatau.channels.transition import ChangeRestored, transition


def attach(book: Book, said: InputAttach, moment: Moment) -> None:
    """Compare, take back what the hub has lost, and tell the party what it missed."""
    member = find_member(book, said.channel_id)
    known = side_of(member.state, book.hub).nonce
    if (said.hubs is not None and said.hubs.voucher.nonce > known) or not member.agreed:
        _take_back(book, member, said, moment)
    member.attached = True
    if not member.agreed:
        member.agreed = True
        book.store_channel(member)
    _ask_secrets(book, member)
    for lock in side_of(member.state, member.party).locks:
        if lock.secret_hash not in book.by_secret:
            member.released.add(lock.secret_hash)
    _drop_expired(book, member, moment)
    own, hubs = side_of(member.state, member.party), side_of(member.state, book.hub)
    released = tuple(lock.secret_hash for lock in own.locks if lock.secret_hash in member.released)
    book.say(said.channel_id, SayAttached(own.latest, hubs.latest, own.deposited, hubs.deposited, released))
    _tell_missed(book, member)


def _take_back(book: Book, member: Member, said: InputAttach, moment: Moment) -> None:
    before = member.state
    state = _newer(before, member.party, said)
    if state is before:
        return
    book.acts.append(DoAlarm(f"channel {member.state.id.hex()} had newer vouchers: this hub's store is an older copy"))
    member.state = state
    book.store_channel(member)
    _end_forgotten(book, member, before)
    adjust(book, member, moment)
    for signed in said.invoices:
        _recall(book, member, signed, moment)


def _newer(state: ChannelState, party: bytes, said: InputAttach) -> ChannelState:
    if state.phase is not Phase.OPEN:
        return state
    newer = []
    for signed, payer in ((said.own, party), (said.hubs, state.parties.b)):
        if signed is not None and signed.voucher.payer != payer:
            raise Refusal(Reason.VOUCHER_INVALID, "the voucher is of another direction")
        if signed is not None and signed.voucher.nonce > side_of(state, payer).nonce:
            newer.append(signed)
    if not newer:
        return state
    try:
        after, _ = transition(state, ChangeRestored(tuple(newer)))
    except ChannelError as error:
        raise Refusal(Reason.VOUCHER_INVALID, str(error)) from error
    return after


def _end_forgotten(book: Book, member: Member, before: ChannelState) -> None:
    """Payments under way by the old copy whose lock the payer's voucher has dropped meanwhile."""
    locks = {lock.secret_hash for lock in side_of(member.state, member.party).locks}
    paid = side_of(member.state, member.party).transferred - side_of(before, member.party).transferred
    for payment in [p for p in book.payments.values() if p.payer_channel == member.state.id]:
        if payment.payer_lock.secret_hash not in locks:
            was_paid = payment.secret is not None or paid >= payment.payer_lock.amount
            book.end_payment(payment, PaymentPhase.PAID if was_paid else PaymentPhase.CANCELLED)


def _recall(book: Book, member: Member, signed: SignedInvoice, moment: Moment) -> None:
    """A payment that the hub has forgotten: it waits for its secret as long as the payer's lock lives."""
    invoice_hash = invoice_digest(book.domain, signed.invoice)
    lock = next((one for one in side_of(member.state, member.party).locks if _pays(one, signed)), None)
    merchant_channel = book.by_party.get(signed.invoice.merchant)
    if lock is None or merchant_channel is None or signed.invoice.secret_hash in book.by_secret:
        return
    try:
        check_invoice(book.domain, signed, signed.invoice.issued)
    except ChannelError:
        return
    merchant_lock = Lock(lock.secret_hash, signed.invoice.amount, lock.expiry_block - 1)
    payment = Payment(
        member.party,
        invoice_hash,
        signed,
        member.state.id,
        merchant_channel,
        lock,
        merchant_lock,
        moment.time,
        moment.day,
        moment.month,
    )
    book.store_payment(payment)
    watch(book, payment)
    if lock.secret_hash in book.secrets and book.revealed[lock.secret_hash] <= lock.expiry_block:
        learn(book, None, payment, book.secrets[lock.secret_hash], moment)
    elif book.members[merchant_channel].attached:
        book.say(merchant_channel, SayWanted((lock.secret_hash,)))


def _pays(lock: Lock, signed: SignedInvoice) -> bool:
    return lock.secret_hash == signed.invoice.secret_hash and lock.amount >= signed.invoice.amount


def _ask_secrets(book: Book, member: Member) -> None:
    """Of a merchant: for what it was paid, by a voucher that the hub has just taken back."""
    locks = {lock.secret_hash for lock in side_of(member.state, book.hub).locks}
    wanted = tuple(
        payment.merchant_lock.secret_hash
        for payment in book.payments.values()
        if payment.merchant_channel == member.state.id
        and payment.phase is PaymentPhase.LOCKED
        and payment.merchant_lock.secret_hash not in locks
    )
    if wanted:
        book.say(member.state.id, SayWanted(wanted))


def _drop_expired(book: Book, member: Member, moment: Moment) -> None:
    """Locks of the hub's that ran out while the party was away."""
    if member.state.phase is Phase.OPEN and member.draft is None and member.state.agreement is None:
        _, locks = drafted(book, member, moment)
        if len(locks) < len(side_of(member.state, book.hub).locks):
            draft_of(book, member, moment)


def _tell_missed(book: Book, member: Member) -> None:
    latest = side_of(member.state, book.hub).latest
    if latest is not None:
        invoices = tuple(_under_way(book, lock).signed for lock in latest.voucher.locks if _is_under_way(book, lock))
        if invoices:
            book.say(member.state.id, SayVoucher(latest, invoices))
    for lock in side_of(member.state, member.party).locks:
        if _is_under_way(book, lock):
            payment = _under_way(book, lock)
            if payment.secret is not None:
                book.say(member.state.id, SaySecret(payment.invoice_hash, payment.secret))


def _is_under_way(book: Book, lock: Lock) -> bool:
    return lock.secret_hash in book.by_secret


def _under_way(book: Book, lock: Lock) -> Payment:
    return book.payments[book.by_secret[lock.secret_hash]]
