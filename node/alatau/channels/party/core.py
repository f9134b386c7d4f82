"""A wallet's or a till's rules: what it signs, what it believes, when it gives a secret away.

1. Nothing is signed before the two sides have compared their vouchers (``hello``, then :class:`SayAttached`). A core
   that was restored from a backup takes newer vouchers back, its own included; another one judges them like any other.
2. A payment is one voucher with one new lock, stored before it is sent. Its outcome is the secret, a refusal, or the
   lock's expiry; asking again sends nothing, since one voucher may be answered once only.
3. A secret is given away only for a lock that is there for its full amount and lives ``SECRET_BLOCKS_MIN`` blocks
   more.
4. A voucher of the hub's that takes away what may still be claimed is not taken: the older one stays, and closes. One
   that rests on money of which the chain has not told yet is looked at again when it does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from alatau.channels.errors import ChannelError, InvalidInvoiceError, InvalidVoucherError
from alatau.channels.forwarding.effects import (
    Message,
    SayAccepted,
    SayAgreed,
    SayAttached,
    SayCancelled,
    SayConsent,
    SayPending,
    SayRefunded,
    SayRefused,
    SaySecret,
    SayVoucher,
    SayWanted,
)
from alatau.channels.forwarding.inputs import (
    InputAgree,
    InputAttach,
    InputFail,
    InputFold,
    InputPay,
    InputReceipt,
    InputRefund,
    InputSecret,
    InputWithdraw,
)
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import Invoice, SignedInvoice, check_invoice, invoice_digest
from alatau.channels.messages import (
    CooperativeClose,
    Lock,
    SignedVoucher,
    Voucher,
    Withdraw,
    cooperative_close_digest,
    receipt_digest,
    sign_voucher,
    signed_by,
    withdraw_digest,
)
from alatau.channels.party.effects import (
    Carry,
    Effect,
    PutChannel,
    PutIncoming,
    PutOutgoing,
    PutRefund,
    Reveal,
    Send,
    TellConsent,
    TellDispute,
    TellFailed,
    TellPaid,
    TellReceived,
    TellRefunded,
    TellRefusal,
)
from alatau.channels.party.records import OPEN_PHASES, Incoming, IncomingPhase, Outgoing, OutgoingPhase
from alatau.channels.state import ChannelState, Phase, Side, available, other_party, payouts, side_of
from alatau.channels.tower_feed import newest
from alatau.channels.transition import (
    Change,
    ChangeAgreement,
    ChangeReceipt,
    ChangeRestored,
    ChangeVoucher,
    ChangeWithdrawn,
    DoCloseCooperatively,
    DoSubmit,
    transition,
)
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import Signer

SECRET_BLOCKS_MIN: Final = 3
"""A secret that is given away later than so many blocks before its lock expires might not reach the chain in time."""

DOUBT_BLOCKS: Final = 3
"""After so many blocks a voucher that is still not good is a dispute."""

NEVER_TAKEN: Final = "the hub never took it"
"""Note of a payment that was signed and did not reach the hub: it may be begun again at once."""


@dataclass(frozen=True, slots=True)
class Now:
    """The chain's height and a clock."""

    block: int
    time: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A voucher that was not taken."""

    said: SayVoucher
    block: int
    """When it came: it may rest on money that went in since the last block that is known here."""
    text: str


@dataclass(slots=True)
class PartyCore:
    """One channel of one account. Mutable, with one owner; each method's effects are to be done in order."""

    state: ChannelState
    me: bytes
    """20 bytes."""
    sign: Signer
    stale: bool = False
    """Restored from a backup: the other side's word is taken for what was lost."""
    agreed: bool = False
    """The two have compared their vouchers since the connection began."""
    outgoing: dict[bytes, Outgoing] = field(default_factory=dict)
    """By hash of the invoice."""
    incoming: dict[bytes, Incoming] = field(default_factory=dict)
    """By hash of the secret."""
    revealed: dict[bytes, int] = field(default_factory=dict)
    """Secrets that the chain knows: hash -> block."""
    withdrawn: dict[bytes, int] = field(default_factory=dict)
    """By party, what the chain says it has taken out; a consent counts in the state from when it is signed."""
    failed_locks: set[bytes] = field(default_factory=set)
    refunding: InputRefund | None = None
    """A refund that the hub has not answered: nothing else is signed meanwhile, and it is said again."""
    doubtful: Doubt | None = None
    """A voucher of the hub's that is not good by what is known of the chain so far."""
    released: set[bytes] = field(default_factory=set)
    """Hashes of own locks that the hub has let go."""
    recalled: tuple[SignedVoucher, ...] = ()
    """What towers hold, of a core that was restored, and could not be taken up without what the hub will show."""
    proven: set[bytes] = field(default_factory=set)
    """Hashes of own locks whose secret is known, though the payment is not: a backup had none of it."""

    @property
    def hub(self) -> bytes:
        """The account across."""
        return other_party(self.state, self.me)

    @property
    def spendable(self) -> int:
        """What can be paid now, in token units."""
        return available(self.state, self.me)

    def hello(self) -> tuple[Effect, ...]:
        """The first thing to say on a connection."""
        self.agreed = False
        mine, hubs = side_of(self.state, self.me), side_of(self.state, self.hub)
        pending = {outgoing.lock: outgoing.signed for outgoing in self.outgoing.values()}
        invoices = tuple(pending[lock] for lock in mine.locks if lock in pending)
        return (Send(InputAttach(self.state.id, mine.latest, hubs.latest, invoices)),)

    def invoice(
        self, amount: int, secret: bytes, now: Now, *, seconds: int, details: bytes = b""
    ) -> tuple[Effect, ...]:
        """Ask to be paid; ``secret`` is 32 random bytes that were never used. Raises ``InvalidInvoiceError``."""
        invoice = Invoice(self.me, self.hub, amount, keccak256(secret), now.time, now.time + seconds, details)
        if keccak256(secret) in self.incoming:
            raise InvalidInvoiceError("this secret was used before")
        digest = invoice_digest(self.state.domain, invoice)
        signed = SignedInvoice(invoice, self.sign(digest))
        check_invoice(self.state.domain, signed, now.time)
        made = Incoming(signed, digest, secret)
        self.incoming[invoice.secret_hash] = made
        return (PutIncoming(made),)

    def pay(self, signed: SignedInvoice, fee: int, life: int, now: Now) -> tuple[Effect, ...]:
        """Pay an invoice, or ask again what became of it.

        Args:
            signed: the merchant's.
            fee: what the hub takes on top, token units.
            life: blocks until the lock expires; the hub says how many it takes.
            now: block and time.

        Raises:
            InvalidInvoiceError: it has expired, is another hub's, or was paid.
            InvalidVoucherError: too little is left.
        """
        digest = invoice_digest(self.state.domain, signed.invoice)
        known = self.outgoing.get(digest)
        if known is not None and known.phase is OutgoingPhase.PAID:
            return (TellPaid(known),)
        if known is not None and known.phase in OPEN_PHASES:
            return ()  # the hub has been asked: it answers on this connection, or says when the two attach again
        self._require_agreed()
        if any(outgoing.phase is OutgoingPhase.OFFERED for outgoing in self.outgoing.values()):
            raise InvalidVoucherError("the hub has not answered for the payment before this one")
        check_invoice(self.state.domain, signed, now.time)
        if signed.invoice.hub != self.hub:
            raise InvalidInvoiceError("the merchant is paid at another hub")
        if not 0 <= fee <= signed.invoice.amount:
            raise InvalidInvoiceError(f"a fee of {fee} for {signed.invoice.amount} is none")
        lock = Lock(signed.invoice.secret_hash, signed.invoice.amount + fee, now.block + life)
        if lock.amount > self.spendable:
            raise InvalidVoucherError(f"cannot pay {lock.amount}: {self.spendable} is available")
        side = side_of(self.state, self.me)
        self.released.discard(lock.secret_hash)
        self._sign(side.transferred, (*side.locks, lock), now)
        made = Outgoing(signed, digest, lock, now.time)
        self.outgoing[digest] = made
        return (PutOutgoing(made), PutChannel(self.state), *self._offer(made))

    def refund(self, secret_hash: bytes, amount: int, now: Now) -> tuple[Effect, ...]:
        """Pay a part of an invoice of one's own back to whoever paid it. Raises ``InvalidVoucherError``."""
        self._require_agreed()
        paid = self.incoming[secret_hash]
        if paid.phase is not IncomingPhase.PAID or not 0 < amount <= paid.signed.invoice.amount - paid.refunded:
            raise InvalidVoucherError(f"cannot refund {amount} of this invoice")
        if amount > self.spendable:
            raise InvalidVoucherError(f"cannot refund {amount}: {self.spendable} is available")
        side = side_of(self.state, self.me)
        self._sign(side.transferred + amount, side.locks, now)
        refunds = (*paid.refunds, (now.time, amount))
        after = replace(paid, refunded=paid.refunded + amount, refunds=refunds)
        self.incoming[secret_hash] = after
        latest = side_of(self.state, self.me).latest
        assert latest is not None, "it was just signed"
        self.refunding = InputRefund(self.state.id, paid.invoice_hash, latest)
        return (PutIncoming(after), PutChannel(self.state), PutRefund(self.refunding), Send(self.refunding))

    def close(self, deadline: int, now: Now) -> tuple[Effect, ...]:
        """Propose to divide the channel by the newest vouchers. Raises ``ChannelError`` while payments are pending."""
        self._require_agreed()
        message = CooperativeClose(self.state.id, *payouts(self.state), deadline)
        signature = self.sign(cooperative_close_digest(self.state.domain, message))
        self._change(ChangeAgreement(message, self.me, signature, now.time))
        return (PutChannel(self.state), Send(InputAgree(self.state.id, message, signature)))

    def withdraw(self, amount: int, deadline: int) -> tuple[Effect, ...]:
        """Ask the hub to let ``amount`` out; 0 asks again for what it has consented to and the chain has not paid.

        Raises ``InvalidVoucherError``.
        """
        self._require_agreed()
        if not 0 <= amount <= self.spendable:
            raise InvalidVoucherError(f"cannot take out {amount}: {self.spendable} is available")
        total = side_of(self.state, self.me).withdrawn + amount
        return (Send(InputWithdraw(self.state.id, Withdraw(self.state.id, self.me, total, deadline))),)

    def news(self, change: Change, now: Now) -> tuple[Effect, ...]:
        """What the chain tells of the channel."""
        effects = self._change(change)
        carried = tuple(
            Carry(effect) for effect in effects if isinstance(effect, DoSubmit) and self.is_for_me(effect.signed)
        )
        return (PutChannel(self.state), *carried, *self._judge_again(now))

    def learn_secret(self, secret: bytes, block: int) -> None:
        """The chain knows a secret since ``block``."""
        self.revealed[keccak256(secret)] = block

    def recall(self, held: Sequence[SignedVoucher], now: Now) -> tuple[Effect, ...]:
        """What a tower holds, to a core that was restored: it goes on from the newest, and signs nothing below.

        Raises ``ChannelError``: it is not signed, or of another channel.
        """
        assert self.stale, "only who was restored asks its towers"
        before = side_of(self.state, self.hub)
        newer = self._newer(held)
        if not newer or self.state.phase is not Phase.OPEN:
            return ()
        try:
            self._change(ChangeRestored(newer))
        except InvalidVoucherError:  # it rests on a voucher of the other direction, which the hub will show
            self.recalled = newer
            return ()
        return (PutChannel(self.state), *self._folded(before, now))

    def hear(self, message: Message, now: Now) -> tuple[Effect, ...]:
        """What the hub says."""
        return tuple(self._heard(message, now))

    def expire(self, now: Now) -> tuple[Effect, ...]:
        """A new block: drop own locks that have run out, bring secrets on chain that the hub has not paid for.

        The chain's news up to ``now.block`` has been told before. To be called whether or not the hub is there.
        """
        reveals = (*self._unpaid_secrets(now), *self._dispute(now))
        if not self.agreed:
            return reveals
        if self.refunding is not None:
            return (*reveals, Send(self.refunding))
        gone = []
        for outgoing in self.outgoing.values():
            revealed_at = self.revealed.get(outgoing.lock.secret_hash)
            due = revealed_at is not None and revealed_at <= outgoing.lock.expiry_block
            if outgoing.phase in OPEN_PHASES and outgoing.lock.expiry_block < now.block and not due:
                gone.append(outgoing)
        effects = [effect for outgoing in gone for effect in self._failed(outgoing, "expired")]
        return (*reveals, *effects, *self._fold(now))

    def _newer(self, shown: Sequence[SignedVoucher]) -> tuple[SignedVoucher, ...]:
        """The newest of each direction, where it is newer than what is held."""
        best = [newest(*(one for one in shown if one.voucher.payer == payer)) for payer in (self.me, self.hub)]
        return tuple(
            one for one in best if one is not None and one.voucher.nonce > side_of(self.state, one.voucher.payer).nonce
        )

    def is_for_me(self, signed: SignedVoucher) -> bool:
        """Whether a voucher pays me: nobody else may bring it."""
        return signed.voucher.payer == self.hub

    def _judge_again(self, now: Now) -> Iterator[Effect]:
        if self.doubtful is not None:
            said, self.doubtful = self.doubtful.said, None
            yield from self._paid_to_me(said, now)

    def _dispute(self, now: Now) -> Iterator[Effect]:
        if self.doubtful is not None and self.doubtful.block + DOUBT_BLOCKS <= now.block:
            text, self.doubtful = self.doubtful.text, None
            yield TellDispute(text)

    def _unpaid_secrets(self, now: Now) -> Iterator[Effect]:
        for lock in side_of(self.state, self.hub).locks:
            mine = self.incoming.get(lock.secret_hash)
            near = now.block <= lock.expiry_block <= now.block + SECRET_BLOCKS_MIN
            if mine is not None and mine.phase is IncomingPhase.LOCKED and near:
                yield Reveal(mine.secret, lock.expiry_block)

    def _heard(self, message: Message, now: Now) -> Iterator[Effect]:
        match message:
            case SayAttached():
                yield from self._attached(message, now)
            case SayVoucher():
                yield from self._paid_to_me(message, now)
            case SaySecret(invoice_hash, secret):
                yield from self._paid_by_me(invoice_hash, secret, now)
            case SayCancelled(invoice_hash, secret_hash):
                self.released.add(secret_hash)
                outgoing = self.outgoing.get(invoice_hash)
                if outgoing is not None and outgoing.phase in OPEN_PHASES:
                    yield from self._failed(outgoing, "the merchant did not take it")
                yield from self._fold(now)
            case SayRefused():
                yield from self._refused(message, now)
            case SayAccepted(nonce, receipt):
                if nonce == side_of(self.state, self.me).nonce:
                    self._change(ChangeReceipt(self.me, receipt))
                    yield PutChannel(self.state)
            case SayRefunded(refund, proof):
                if self.refunding is not None and self.refunding.voucher.voucher.nonce == refund.nonce:
                    yield from self._refund_done(now)
                yield TellRefunded(refund.amount, refund.invoice_hash, proof)
            case SayConsent(total, deadline, signature):
                yield from self._consented(Withdraw(self.state.id, self.me, total, deadline), signature)
            case SayAgreed(agreement, signature):
                for effect in self._change(ChangeAgreement(agreement, self.hub, signature, now.time)):
                    if isinstance(effect, DoCloseCooperatively):
                        yield Carry(effect)
                yield PutChannel(self.state)
            case SayWanted(secret_hashes):
                for secret_hash in secret_hashes:
                    wanted = self.incoming.get(secret_hash)
                    if wanted is not None and wanted.phase is not IncomingPhase.ISSUED:
                        yield Send(InputSecret(self.state.id, wanted.secret))
            case SayPending(invoice_hash):
                taken = self.outgoing.get(invoice_hash)
                if taken is not None and taken.phase is OutgoingPhase.OFFERED:
                    self.outgoing[invoice_hash] = replace(taken, phase=OutgoingPhase.TAKEN)
                    yield PutOutgoing(self.outgoing[invoice_hash])

    def _consented(self, message: Withdraw, signature: bytes) -> Iterator[Effect]:
        """From here on the money counts as gone, here as there."""
        if not signed_by(withdraw_digest(self.state.domain, message), signature, self.hub):
            yield TellDispute("the hub's consent to take money out is not signed by it")
            return
        if message.total > side_of(self.state, self.me).withdrawn:
            self._change(ChangeWithdrawn(self.me, message.total))
            yield PutChannel(self.state)
        yield TellConsent(message, signature)

    def _attached(self, said: SayAttached, now: Now) -> Iterator[Effect]:
        lost = said.own is not None and said.own.voucher.nonce > side_of(self.state, self.me).nonce
        newer = said.hubs is not None and said.hubs.voucher.nonce > side_of(self.state, self.hub).nonce
        if lost or self.stale:
            before = side_of(self.state, self.hub)
            shown = (*self.recalled, *(one for one in (said.own, said.hubs) if one is not None))
            try:
                self._change(ChangeRestored(self._newer(shown)))
            except ChannelError as error:
                yield TellDispute(f"the hub does not show what it has signed: {error}")
                return
            yield PutChannel(self.state)
            yield from self._folded(before, now)
        elif newer and said.hubs is not None:
            yield from self._adopt(SayVoucher(said.hubs), now)
        self.agreed = True
        self.stale = False
        theirs = said.own.voucher if said.own is not None else None
        known = set(theirs.locks) if theirs is not None else set()
        never_taken = {lock.secret_hash for lock in side_of(self.state, self.me).locks if lock not in known}
        self.released |= set(said.released) | never_taken
        for outgoing in list(self.outgoing.values()):
            if outgoing.phase in OPEN_PHASES and outgoing.lock.secret_hash in self.released:
                yield from self._failed(outgoing, NEVER_TAKEN)
            elif outgoing.phase is OutgoingPhase.OFFERED:
                self.outgoing[outgoing.invoice_hash] = replace(outgoing, phase=OutgoingPhase.TAKEN)
                yield PutOutgoing(self.outgoing[outgoing.invoice_hash])
        for lock in side_of(self.state, self.hub).locks:
            mine = self.incoming.get(lock.secret_hash)
            if mine is not None and mine.phase is IncomingPhase.LOCKED:
                yield Send(InputSecret(self.state.id, mine.secret))
        behind = (theirs.nonce if theirs is not None else 0) < side_of(self.state, self.me).nonce
        if self.refunding is not None and behind:
            yield Send(self.refunding)
            return
        if self.refunding is not None:
            yield from self._refund_done(now)
        folded = tuple(self._fold(now))
        yield from folded
        latest = side_of(self.state, self.me).latest
        if behind and not folded and latest is not None:
            yield Send(InputFold(self.state.id, latest))

    def _refund_done(self, now: Now) -> Iterator[Effect]:
        self.refunding = None
        yield PutRefund(None)
        yield from self._fold(now)

    def _paid_to_me(self, said: SayVoucher, now: Now) -> Iterator[Effect]:
        before = side_of(self.state, self.hub)
        if said.signed.voucher.nonce > before.nonce:
            yield from self._adopt(said, now)
        if side_of(self.state, self.hub).latest != said.signed:
            return
        latest = side_of(self.state, self.hub).latest
        assert latest is not None, "it was just taken"
        for lock in latest.voucher.locks:
            yield from self._take_lock(lock, now)
        if any(lock.secret_hash in self.failed_locks for lock in before.locks if lock not in latest.voucher.locks):
            signature = self.sign(receipt_digest(self.state.domain, latest.voucher))
            yield Send(InputReceipt(self.state.id, latest.voucher.nonce, signature))
        for refund in said.refunds:
            paid = self.outgoing.get(refund.invoice_hash)
            if paid is not None:
                after = replace(paid, refunded=paid.refunded + refund.amount)
                self.outgoing[refund.invoice_hash] = after
                yield PutOutgoing(after)
            yield TellRefunded(refund.amount, refund.invoice_hash, latest)

    def _adopt(self, said: SayVoucher, now: Now) -> Iterator[Effect]:
        """A newer voucher of the hub's, if it takes nothing away."""
        signed = said.signed
        before = side_of(self.state, self.hub)
        if any(lock not in before.locks and lock.expiry_block <= now.block for lock in signed.voucher.locks):
            return  # it came too late to be of use; the hub signs another without the lock
        try:
            self._change(self._judged(signed, now))
        except ChannelError as error:
            self.doubtful = Doubt(said, now.block, str(error))
            return
        self.doubtful = None
        yield PutChannel(self.state)
        yield from self._folded(before, now)

    def _take_lock(self, lock: Lock, now: Now) -> Iterator[Effect]:
        mine = self.incoming.get(lock.secret_hash)
        in_time = lock.expiry_block >= now.block + SECRET_BLOCKS_MIN
        unpaid = mine is not None and mine.phase in (IncomingPhase.ISSUED, IncomingPhase.EXPIRED)
        if mine is not None and mine.phase is IncomingPhase.LOCKED:
            yield Send(InputSecret(self.state.id, mine.secret))
        elif mine is not None and unpaid and lock.amount == mine.signed.invoice.amount and in_time:
            taken = replace(mine, phase=IncomingPhase.LOCKED)
            self.incoming[lock.secret_hash] = taken
            self.failed_locks.discard(lock.secret_hash)
            yield PutIncoming(taken)
            yield Send(InputSecret(self.state.id, mine.secret))
        elif lock.expiry_block >= now.block:
            self.failed_locks.add(lock.secret_hash)
            yield Send(InputFail(self.state.id, lock.secret_hash, lock.expiry_block))

    def _folded(self, before: Side, now: Now) -> Iterator[Effect]:
        """Of locks that left the hub's list after their secret was given away, those are paid that the amount covers.

        ``transition`` has let none go that was still due; one that ran out may have been paid all the same.
        """
        after = side_of(self.state, self.hub)
        kept = {lock.secret_hash for lock in after.locks}
        left = after.transferred - before.transferred
        for lock in sorted(before.locks, key=lambda lock: -lock.expiry_block):
            mine = self.incoming.get(lock.secret_hash)
            if lock.secret_hash in kept or mine is None or mine.phase is not IncomingPhase.LOCKED:
                continue
            if lock.amount <= left:
                left -= lock.amount
                paid = replace(mine, phase=IncomingPhase.PAID, paid_time=now.time)
                yield TellReceived(paid)
            else:
                paid = replace(mine, phase=IncomingPhase.EXPIRED)
            self.incoming[lock.secret_hash] = paid
            yield PutIncoming(paid)

    def _paid_by_me(self, invoice_hash: bytes, secret: bytes, now: Now) -> Iterator[Effect]:
        outgoing = self.outgoing.get(invoice_hash)
        if outgoing is None and keccak256(secret) in {lock.secret_hash for lock in side_of(self.state, self.me).locks}:
            self.proven.add(keccak256(secret))
            yield from self._fold(now)
            return
        if outgoing is None or keccak256(secret) != outgoing.signed.invoice.secret_hash:
            yield TellDispute("the hub sent a secret that pays nothing")
            return
        if outgoing.phase is not OutgoingPhase.PAID:
            outgoing = replace(outgoing, phase=OutgoingPhase.PAID, secret=secret)
            self.outgoing[invoice_hash] = outgoing
            yield PutOutgoing(outgoing)
        yield from self._fold(now)
        yield TellPaid(outgoing)

    def _refused(self, said: SayRefused, now: Now) -> Iterator[Effect]:
        reason, subject = said.reason, said.subject
        if self.refunding is not None and subject == self.refunding.invoice_hash:
            if reason in (Reason.PAYMENT_UNKNOWN, Reason.REFUND_TOO_LARGE):
                yield from self._refund_bounced(now)
            return  # else it is said again with the next block
        outgoing = self.outgoing.get(subject)
        if outgoing is None and subject == b"":
            yield TellRefusal(reason, said.text)
        if outgoing is None or outgoing.phase is not OutgoingPhase.OFFERED or reason is Reason.NOT_AGREED:
            return  # no answer to a payment that is on its way
        self.released.add(outgoing.lock.secret_hash)
        after = replace(outgoing, phase=OutgoingPhase.REFUSED, note=said.text)
        self.outgoing[outgoing.invoice_hash] = after
        yield PutOutgoing(after)
        yield TellFailed(after, reason, said.details)
        yield from self._fold(now)

    def _refund_bounced(self, now: Now) -> Iterator[Effect]:
        """The hub knows no such payment; its next voucher gives the money back."""
        assert self.refunding is not None, "a refund waits"
        for secret_hash, paid in self.incoming.items():
            if paid.invoice_hash == self.refunding.invoice_hash:
                whole = paid.signed.invoice.amount
                self.incoming[secret_hash] = replace(paid, refunded=whole, refunds=paid.refunds[:-1])
                yield PutIncoming(self.incoming[secret_hash])
                break
        yield from self._refund_done(now)

    def _failed(self, outgoing: Outgoing, note: str) -> Iterator[Effect]:
        after = replace(outgoing, phase=OutgoingPhase.CANCELLED, note=note)
        self.outgoing[outgoing.invoice_hash] = after
        yield PutOutgoing(after)
        yield TellFailed(after)

    def _fold(self, now: Now) -> Iterator[Effect]:
        """Sign a voucher without the locks that are paid, let go or run out; nothing where there are none."""
        side = side_of(self.state, self.me)
        if not self.agreed or self.refunding is not None or not side.locks or self.state.phase is not Phase.OPEN:
            return
        by_hash = {outgoing.lock.secret_hash: outgoing for outgoing in self.outgoing.values()}
        paid, gone = 0, set()
        for lock in side.locks:
            outgoing = by_hash.get(lock.secret_hash)
            known_paid = outgoing is not None and outgoing.phase is OutgoingPhase.PAID
            if known_paid or lock.secret_hash in self.proven:
                paid += lock.amount
                gone.add(lock)
            elif self._is_over(lock, now) if outgoing is None else outgoing.phase not in OPEN_PHASES:
                gone.add(lock)
        if not gone:
            return
        self._sign(side.transferred + paid, tuple(lock for lock in side.locks if lock not in gone), now)
        latest = side_of(self.state, self.me).latest
        assert latest is not None, "it was just signed"
        yield PutChannel(self.state)
        yield Send(InputFold(self.state.id, latest))

    def _is_over(self, lock: Lock, now: Now) -> bool:
        """Whether a lock of a payment that a backup did not know may be dropped."""
        if lock.secret_hash in self.released:
            return True
        revealed_at = self.revealed.get(lock.secret_hash)
        return lock.expiry_block < now.block and (revealed_at is None or revealed_at > lock.expiry_block)

    def _offer(self, outgoing: Outgoing) -> Iterator[Effect]:
        latest = side_of(self.state, self.me).latest
        assert latest is not None, "an offer is a voucher"
        yield Send(InputPay(self.state.id, outgoing.signed, latest))

    def _sign(self, transferred: int, locks: tuple[Lock, ...], now: Now) -> None:
        side = side_of(self.state, self.me)
        voucher = Voucher(self.state.id, self.me, side.nonce + 1, transferred, locks)
        signed = sign_voucher(self.state.domain, voucher, self.sign)
        released = frozenset(self.released)
        self._change(ChangeVoucher(signed, now.block, now.time, self.revealed, released=released, checked=True))

    def _judged(self, signed: SignedVoucher, now: Now) -> ChangeVoucher:
        return ChangeVoucher(signed, now.block, now.time, self.revealed, released=frozenset(self.failed_locks))

    def _change(self, change: Change) -> tuple[object, ...]:
        self.state, effects = transition(self.state, change)
        return effects

    def _require_agreed(self) -> None:
        if not self.agreed:
            raise InvalidVoucherError("nothing is signed before the hub has been asked what it knows")
        if self.refunding is not None:
            raise InvalidVoucherError("a refund waits for the hub's answer")
