"""All that a hub knows: its channels, the payments on their way, what accounts have paid. Mutable, with one owner.

Handlers (``paying``, ``refunding``, ``leaving``) check everything first and change the book after, so that a refusal
leaves it as it was. What they sign away in the hub's name is collected in drafts; :func:`sign_drafts` makes one voucher
a channel of them at the end of a batch, however many payments went into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final, Protocol

from alatau.channels.forwarding.effects import (
    Act,
    DoBook,
    DoCarry,
    DoForgetSecret,
    DoSend,
    DoStoreAccount,
    DoStoreChannel,
    DoStorePayment,
    DoStoreRefund,
    DoStoreSecret,
    DoStoreUsage,
    Message,
    SayVoucher,
    Store,
)
from alatau.channels.forwarding.facts import Fact
from alatau.channels.forwarding.fees import NO_FEES, FeeSchedule
from alatau.channels.forwarding.limits import Limits, Moment, Usage
from alatau.channels.forwarding.payment import Payment, PaymentKey, PaymentPhase, Refund
from alatau.channels.forwarding.refusal import Reason, Refusal
from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import Domain, Lock, Voucher, sign_voucher
from alatau.channels.state import ChannelState, Phase, side_of
from alatau.channels.transition import ChangeVoucher, DoSubmit, outstanding, transition
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import Signer

LOCKS_PER_PAYER_MAX: Final = 2
"""Payments of one resident under way: a dead till holds no more of its money, and of the hub's, than that."""

SECRET_BLOCKS: Final = 100_000
"""For so many blocks a secret that came on chain is remembered: longer than any contract's window, in which a lock that
was revealed in time may still be dropped from a list."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decides."""

    tiers: Mapping[int, Limits]
    """Limits by tier of the registry; the lowest tier's hold for every other."""
    fees: FeeSchedule = NO_FEES
    lock_blocks_min: int = 20
    """A payer's lock lives at least so many blocks."""
    lock_blocks_max: int = 45
    """And at most so many: below the contract's window."""
    margin_blocks: int = 10
    """So many blocks the merchant's lock expires before the payer's: time in which the hub brings a secret on chain."""


class Archive(Protocol):
    """Payments that have ended, or are on the disk; reads only what an earlier batch stored."""

    def payment(self, key: PaymentKey) -> Payment | None:
        """The payment, if there was one."""

    def payer_of(self, invoice_hash: bytes) -> bytes | None:
        """Who has paid, or tried to pay, an invoice last."""


@dataclass(slots=True)
class Draft:
    """What the hub's next voucher in a channel will say."""

    transferred: int
    locks: list[Lock]
    released: set[bytes] = field(default_factory=set)
    """Locks that the party has let go."""
    invoices: list[SignedInvoice] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)


@dataclass(slots=True)
class Member:
    """A channel, and how the hub stands with its party."""

    state: ChannelState
    withdrawn_on_chain: tuple[int, int] = (0, 0)
    """By a and b. A consent counts in the state from when it is signed; this counts when the chain says so."""
    attached: bool = False
    """The party is connected, and the two have compared their vouchers."""
    agreed: bool = True
    """False after the hub was restored from a backup, until the party has attached: so long nothing is signed."""
    draft: Draft | None = None
    failed_locks: dict[bytes, int] = field(default_factory=dict)
    """Hash of a lock that the party failed -> nonce of the voucher that drops it; 0 until it is signed."""
    released: set[bytes] = field(default_factory=set)
    """Hashes of the party's locks that the hub lets go."""
    booked: int = 0
    """What the facts so far say that the owner has, token units."""

    @property
    def party(self) -> bytes:
        """The account across."""
        return self.state.parties.a


@dataclass(frozen=True, slots=True)
class Standing:
    """Of an account in the registry."""

    tier: int
    good: bool


@dataclass(slots=True)
class Book:
    """The hub's memory. The host loads it at the start from what was stored."""

    domain: Domain
    hub: bytes
    """20 bytes."""
    sign: Signer
    policy: Policy
    archive: Archive
    members: dict[bytes, Member] = field(default_factory=dict)
    """By channel id."""
    by_party: dict[bytes, bytes] = field(default_factory=dict)
    """Account -> its newest channel."""
    payments: dict[PaymentKey, Payment] = field(default_factory=dict)
    """Those not yet PAID or CANCELLED."""
    by_invoice: dict[bytes, PaymentKey] = field(default_factory=dict)
    """Hash of an invoice -> payment under way."""
    by_secret: dict[bytes, PaymentKey] = field(default_factory=dict)
    """Hash of a secret -> payment under way."""
    usage: dict[bytes, Usage] = field(default_factory=dict)
    standings: dict[bytes, Standing] = field(default_factory=dict)
    revealed: dict[bytes, int] = field(default_factory=dict)
    """Hash of a secret that the chain knows -> block since which it does."""
    secrets: dict[bytes, bytes] = field(default_factory=dict)
    """Hash of a secret that the chain knows -> the secret."""
    timers: list[tuple[int, PaymentKey]] = field(default_factory=list)
    """A heap: block at which to look at a payment again."""
    stores: dict[object, Store] = field(default_factory=dict)
    """What the batch changed; the last of each key counts."""
    acts: list[Act] = field(default_factory=list)
    drafts: list[bytes] = field(default_factory=list)
    """Channels with a draft, in the order in which they got it."""

    def say(self, channel_id: bytes, message: Message) -> None:
        """To the party, if it is there."""
        self.acts.append(DoSend(channel_id, message))

    def store_channel(self, member: Member) -> None:
        """Its state as it is now."""
        key = ("channel", member.state.id)
        self.stores[key] = DoStoreChannel(member.state, member.withdrawn_on_chain, member.agreed)

    def store_payment(self, payment: Payment) -> None:
        """As it is now; what has ended leaves the memory."""
        self.stores["payment", payment.key] = DoStorePayment(payment)
        if payment.phase in (PaymentPhase.PAID, PaymentPhase.CANCELLED):
            self.payments.pop(payment.key, None)
            self.by_invoice.pop(payment.invoice_hash, None)
            self.by_secret.pop(payment.payer_lock.secret_hash, None)
        else:
            keep_payment(self, payment)

    def end_payment(self, payment: Payment, phase: PaymentPhase) -> None:
        """PAID or CANCELLED."""
        self.store_payment(replace(payment, phase=phase))

    def note_payment(self, payment: Payment) -> None:
        """A payment that has ended, with something more to remember of it."""
        self.stores["payment", payment.key] = DoStorePayment(payment)

    def store_refund(self, refund: Refund) -> None:
        """Each is written once."""
        self.stores["refund", refund.invoice_hash, refund.nonce] = DoStoreRefund(refund)

    def store_usage(self, account: bytes, usage: Usage) -> None:
        """What an account has paid by now."""
        self.usage[account] = usage
        self.stores["usage", account] = DoStoreUsage(account, usage)

    def store_standing(self, account: bytes, standing: Standing) -> None:
        """What the registry says of an account."""
        self.standings[account] = standing
        self.stores["account", account] = DoStoreAccount(account, standing.tier, standing.good)

    def store_secret(self, secret: bytes, block: int) -> None:
        """The chain knows a secret."""
        keep_secret(self, secret, block)
        self.stores["secret", secret] = DoStoreSecret(secret, block)

    def store_fact(self, fact: Fact) -> None:
        """Each is written once, in this order."""
        self.stores["fact", fact.kind, fact.reference] = DoBook(fact)

    def payment_of(self, key: PaymentKey) -> Payment | None:
        """Under way, changed in this batch, or on the disk."""
        if key in self.payments:
            return self.payments[key]
        stored = self.stores.get(("payment", key))
        if isinstance(stored, DoStorePayment):
            return stored.payment
        return self.archive.payment(key)


def keep_payment(book: Book, payment: Payment) -> None:
    """Hold a payment that is under way."""
    book.payments[payment.key] = payment
    book.by_invoice[payment.invoice_hash] = payment.key
    book.by_secret[payment.payer_lock.secret_hash] = payment.key


def keep_secret(book: Book, secret: bytes, block: int) -> None:
    """Hold a secret that the chain knows."""
    secret_hash = keccak256(secret)
    book.revealed[secret_hash] = block
    book.secrets[secret_hash] = secret


def forget_secrets(book: Book, block: int) -> None:
    """Those for which no lock can wait any more. They came in the order of the chain, so the oldest stand first."""
    old = list(takewhile(lambda item: item[1] + SECRET_BLOCKS < block, book.revealed.items()))
    for secret_hash, known in old:
        del book.revealed[secret_hash]
        secret = book.secrets.pop(secret_hash)
        book.stores["secret", secret] = DoForgetSecret(secret, known)


def carry(book: Book, member: Member, moment: Moment) -> None:
    """Have everything brought to the contract that a channel owes it and that it would still take."""
    for duty in outstanding(member.state):
        if isinstance(duty, DoSubmit) or moment.time <= duty.message.deadline:
            book.acts.append(DoCarry(member.state.parties, duty))


def keep_member(book: Book, member: Member) -> None:
    """Hold a channel; the newest of an account is the one it is paid in."""
    book.members[member.state.id] = member
    if member.state.phase is Phase.OPEN:
        book.by_party[member.party] = member.state.id


def find_member(book: Book, channel_id: bytes) -> Member:
    """A channel that the hub knows. Raises ``Refusal``."""
    member = book.members.get(channel_id)
    if member is None:
        raise Refusal(Reason.CHANNEL_UNKNOWN, "the hub knows no open channel of this id")
    return member


def open_member(book: Book, channel_id: bytes, moment: Moment) -> Member:
    """A channel in which vouchers may be signed. Raises ``Refusal``."""
    member = find_member(book, channel_id)
    if not member.agreed:
        raise Refusal(Reason.NOT_AGREED, "the hub was restored, and has not compared vouchers with this party yet")
    if member.state.phase is not Phase.OPEN:
        raise Refusal(Reason.CHANNEL_NOT_OPEN, f"the channel is {member.state.phase.name.lower()}")
    agreement = member.state.agreement
    if agreement is not None and moment.time <= agreement.message.deadline:
        raise Refusal(Reason.CHANNEL_NOT_OPEN, "the parties have agreed to close it")
    return member


def attached_member(book: Book, channel_id: bytes, moment: Moment) -> Member:
    """As :func:`open_member`, with its party connected. Raises ``Refusal``."""
    member = find_member(book, channel_id)
    if not member.attached:
        raise Refusal(Reason.NOT_AGREED, "attach to the channel first")
    return open_member(book, channel_id, moment)


def drafted(book: Book, member: Member, moment: Moment) -> tuple[int, tuple[Lock, ...]]:
    """What the hub has transferred and locked in a channel, this batch included, without locks that have run out."""
    side = side_of(member.state, book.hub)
    transferred, locks = (
        (member.draft.transferred, member.draft.locks) if member.draft else (side.transferred, side.locks)
    )
    return transferred, tuple(lock for lock in locks if _holds(book, lock, moment))


def _holds(book: Book, lock: Lock, moment: Moment) -> bool:
    revealed_at = book.revealed.get(lock.secret_hash)
    return lock.expiry_block >= moment.block or (revealed_at is not None and revealed_at <= lock.expiry_block)


def spendable(book: Book, member: Member, moment: Moment) -> int:
    """What the hub can still promise in a channel, in token units."""
    transferred, locks = drafted(book, member, moment)
    mine, theirs = side_of(member.state, book.hub), side_of(member.state, member.party)
    return mine.deposited - mine.withdrawn + theirs.transferred - transferred - sum(lock.amount for lock in locks)


def draft_of(book: Book, member: Member, moment: Moment) -> Draft:
    """The draft of a channel's next voucher, made where there is none."""
    if member.draft is None:
        transferred, locks = drafted(book, member, moment)
        member.draft = Draft(transferred, list(locks))
        book.drafts.append(member.state.id)
    return member.draft


def sign_drafts(book: Book, moment: Moment) -> None:
    """One voucher for each channel with a draft."""
    for channel_id in book.drafts:
        member = book.members.get(channel_id)
        if member is None or member.draft is None or member.state.phase is not Phase.OPEN:
            continue
        draft, member.draft = member.draft, None
        side = side_of(member.state, book.hub)
        voucher = Voucher(channel_id, book.hub, side.nonce + 1, draft.transferred, tuple(draft.locks))
        signed = sign_voucher(book.domain, voucher, book.sign)
        change = ChangeVoucher(
            signed, moment.block, moment.time, book.revealed, released=frozenset(draft.released), checked=True
        )
        member.state, _ = transition(member.state, change)
        for secret_hash, nonce in member.failed_locks.items():
            if nonce == 0 and secret_hash in draft.released:
                member.failed_locks[secret_hash] = voucher.nonce
        book.store_channel(member)
        book.say(channel_id, SayVoucher(signed, tuple(draft.invoices), tuple(draft.refunds)))
    book.drafts.clear()
