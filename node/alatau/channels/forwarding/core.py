"""The hub's owner: ``take`` inputs one after the other, then ``finish`` the batch.

    core.take(InputPay(...), moment); core.take(InputSecret(...), moment); ...
    batch = core.finish(moment)

The host MUST write all of ``batch.stores`` in one durable write before it does any of ``batch.acts``: whatever leaves
the hub is on its disk. After a crash it loads what was stored and calls ``resume``, and every party attaches again;
nothing else is needed. The invariants of each channel are checked by ``transition`` after every change.
"""

from dataclasses import dataclass

from alatau.channels.forwarding import attaching, chain_news, leaving, paying, refunding
from alatau.channels.forwarding.book import Book, carry, forget_secrets, sign_drafts
from alatau.channels.forwarding.booking import adjust, book_claim, owed
from alatau.channels.forwarding.effects import (
    Act,
    DoSend,
    DoStoreChannel,
    SayRefunded,
    SayRefused,
    Store,
)
from alatau.channels.forwarding.inputs import (
    Input,
    InputAccount,
    InputAgree,
    InputAttach,
    InputBlock,
    InputClaimed,
    InputClosing,
    InputDeposited,
    InputDetach,
    InputFail,
    InputFold,
    InputOpened,
    InputPay,
    InputReceipt,
    InputRefund,
    InputRevealed,
    InputSecret,
    InputSettled,
    InputSubmitted,
    InputWithdraw,
    InputWithdrawn,
    Request,
)
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.payment import Refund
from alatau.channels.forwarding.refusal import Refusal
from alatau.channels.invoice import invoice_digest
from alatau.channels.state import side_of
from alatau.crypto.keccak import keccak256


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of inputs came to."""

    stores: tuple[Store, ...]
    """MUST be durable, all or none, before any act."""
    acts: tuple[Act, ...]


class HubCore:
    """A book and its rules."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._refunds: list[tuple[bytes, Refund]] = []
        for member in book.members.values():
            member.booked = owed(book, member)

    def resume(self, moment: Moment) -> None:
        """After loading: what the process before may have died without doing. Channels' states say it, and timers."""
        for member in self.book.members.values():
            carry(self.book, member, moment)

    def take(self, told: Input, moment: Moment) -> None:
        """One input. What a party asks for and does not get is told to it; nothing is raised for what it says."""
        try:
            self._dispatch(told, moment)
        except Refusal as refusal:
            assert isinstance(told, Request), "only what a party says is refused"
            said = SayRefused(refusal.reason, refusal.text, _subject(self.book, told), refusal.details)
            self.book.say(told.channel_id, said)

    def finish(self, moment: Moment) -> Batch:
        """Sign what the batch has promised, and hand everything over."""
        sign_drafts(self.book, moment)
        for channel_id, refund in self._refunds:
            self._prove(channel_id, refund)
        self._refunds.clear()
        for store in list(self.book.stores.values()):
            if isinstance(store, DoStoreChannel) and store.state.id in self.book.members:
                adjust(self.book, self.book.members[store.state.id], moment)
        batch = Batch(tuple(self.book.stores.values()), tuple(self.book.acts))
        self.book.stores.clear()
        self.book.acts.clear()
        return batch

    def _dispatch(self, told: Input, moment: Moment) -> None:
        book = self.book
        match told:
            case InputPay():
                paying.pay(book, told, moment)
            case InputSecret():
                paying.reveal(book, told, moment)
            case InputFold():
                paying.fold(book, told, moment)
            case InputFail():
                paying.fail(book, told, moment)
            case InputReceipt():
                paying.take_receipt(book, told, moment)
            case InputRefund():
                refund = refunding.refund(book, told, moment)
                if refund is not None:
                    self._refunds.append((told.channel_id, refund))
            case InputAttach():
                attaching.attach(book, told, moment)
            case InputDetach():
                if told.channel_id in book.members:
                    book.members[told.channel_id].attached = False
            case InputAgree():
                leaving.agree(book, told, moment)
            case InputWithdraw():
                leaving.consent(book, told, moment)
            case InputOpened():
                chain_news.channel_opened(book, told, moment)
            case InputDeposited():
                chain_news.deposited(book, told, moment)
            case InputWithdrawn():
                chain_news.withdrawn(book, told, moment)
            case InputClosing():
                chain_news.closing(book, told)
            case InputSubmitted():
                chain_news.submitted(book, told)
            case InputSettled():
                chain_news.settled(book, told, moment)
            case InputClaimed():
                book_claim(book, told.transaction, told.amount, moment)
            case InputRevealed():
                chain_news.revealed(book, told, moment)
            case InputAccount():
                chain_news.account(book, told)
            case InputBlock():
                paying.run_out(book, moment)
                forget_secrets(book, moment.block)

    def _prove(self, channel_id: bytes, refund: Refund) -> None:
        """The merchant's proof is the hub's newest voucher for the payer."""
        latest = side_of(self.book.members[refund.payer_channel].state, self.book.hub).latest
        assert latest is not None, "the refund was signed with the drafts"
        self.book.acts.append(DoSend(channel_id, SayRefunded(refund, latest)))


def _subject(book: Book, told: Input) -> bytes:
    """What a refusal is about."""
    match told:
        case InputPay():
            return invoice_digest(book.domain, told.invoice.invoice)
        case InputRefund():
            return told.invoice_hash
        case InputFail():
            return told.secret_hash
        case InputSecret():
            return keccak256(told.secret)
    return b""
