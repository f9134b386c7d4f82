"""Taking money out, and closing by agreement: what the hub signs besides vouchers."""

from alatau.channels.errors import ChannelError, ForgedMessageError
from alatau.channels.forwarding.book import Book, attached_member, find_member
from alatau.channels.forwarding.booking import book_withdrawal
from alatau.channels.forwarding.effects import DoCarry, SayAgreed, SayConsent
from alatau.channels.forwarding.inputs import InputAgree, InputWithdraw
from alatau.channels.forwarding.limits import Moment
from alatau.channels.forwarding.refusal import Reason, Refusal
from alatau.channels.messages import cooperative_close_digest, withdraw_digest
from alatau.channels.transition import (
    ChangeAgreement,
    ChangeWithdrawn,
    DoCloseCooperatively,
    transition,
)


def agree(book: Book, said: InputAgree, moment: Moment) -> None:
    """Sign the division that the party has signed, if it is that of the newest vouchers, and have it carried."""
    member = find_member(book, said.channel_id)
    if not member.agreed or member.draft is not None:
        raise Refusal(Reason.NOT_AGREED, "vouchers are under way; ask again")
    signature = book.sign(cooperative_close_digest(book.domain, said.message))
    try:
        state, _ = transition(member.state, ChangeAgreement(said.message, member.party, said.signature, moment.time))
        state, effects = transition(state, ChangeAgreement(said.message, book.hub, signature, moment.time))
    except ForgedMessageError as error:
        raise Refusal(Reason.SIGNATURE_INVALID, str(error)) from error
    except ChannelError as error:
        raise Refusal(Reason.VOUCHER_INVALID, str(error)) from error
    member.state = state
    book.store_channel(member)
    book.say(said.channel_id, SayAgreed(said.message, signature))
    for effect in effects:
        if isinstance(effect, DoCloseCooperatively):
            book.acts.append(DoCarry(state.parties, effect))


def consent(book: Book, said: InputWithdraw, moment: Moment) -> None:
    """Let the party take out what it can still pay; from here on the money counts as gone."""
    member = attached_member(book, said.channel_id, moment)
    message = said.message
    if message.channel_id != said.channel_id or message.participant != member.party:
        raise Refusal(Reason.VOUCHER_INVALID, "a party takes out its own money")
    if message.deadline < moment.time:
        raise Refusal(Reason.TOO_LATE, f"the deadline {message.deadline} is past, now is {moment.time}")
    before = member.state.a.withdrawn
    if message.total > before:
        try:
            member.state, _ = transition(member.state, ChangeWithdrawn(member.party, message.total))
        except ChannelError as error:
            raise Refusal(Reason.VOUCHER_INVALID, str(error)) from error
        book.store_channel(member)
        book_withdrawal(book, member, member.party, message.total, message.total - before, moment)
    elif message.total < member.state.a.withdrawn:
        raise Refusal(Reason.VOUCHER_INVALID, f"{member.state.a.withdrawn} was consented to before")
    signature = book.sign(withdraw_digest(book.domain, message))
    book.say(said.channel_id, SayConsent(message.total, message.deadline, signature))
