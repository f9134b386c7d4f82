"""What a party and a hub say to each other over ``ChannelService.Connect``, as protobuf and back.

The party's half is the core's inputs (:mod:`alatau.channels.forwarding.inputs`), the hub's half its messages
(:mod:`alatau.channels.forwarding.effects`). Reading raises ``WireError``.
"""

from dataclasses import dataclass

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
    Request,
)
from alatau.channels.forwarding.payment import Refund
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.messages import LOCKS_MAX, CooperativeClose, SignedVoucher, Withdraw
from alatau.pb.channel.v1 import channel_pb2, channel_service_pb2
from alatau.wire.amount import write_amount
from alatau.wire.bounds import WireError, sized
from alatau.wire.channel import amount, read_invoice, read_voucher, signature, write_invoice, write_voucher

_pb = channel_service_pb2


@dataclass(frozen=True, slots=True)
class Attachment:
    """A party's first message of a channel, with its signature over the connection's challenge."""

    said: InputAttach
    signature: bytes


def write_request(request: Request, *, attach_signature: bytes = b"") -> _pb.PartyMessage:
    """What a party says; Attach with its signature."""
    message = _pb.PartyMessage(channel_id=request.channel_id)
    match request:
        case InputAttach():
            message.attach.CopyFrom(_write_attach(request, attach_signature))
        case InputPay():
            message.pay.invoice.CopyFrom(write_invoice(request.invoice))
            message.pay.voucher.CopyFrom(write_voucher(request.voucher))
        case InputSecret():
            message.secret.secret = request.secret
        case InputFail():
            message.fail.secret_hash = request.secret_hash
            message.fail.expiry_block = request.expiry_block
        case InputReceipt():
            message.receipt.nonce = request.nonce
            message.receipt.signature = request.signature
        case InputFold():
            message.fold.CopyFrom(write_voucher(request.voucher))
        case InputRefund():
            message.refund.invoice_hash = request.invoice_hash
            message.refund.voucher.CopyFrom(write_voucher(request.voucher))
        case InputAgree():
            message.agree.CopyFrom(_write_agreement(request.message, request.signature))
        case InputWithdraw():
            message.withdraw.total = write_amount(request.message.total)
            message.withdraw.deadline = request.message.deadline
    return message


def read_request(message: _pb.PartyMessage) -> Request | Attachment:
    """What a party says."""
    channel_id = sized(message.channel_id, 32, "channel_id")
    match message.WhichOneof("said"):
        case "attach":
            return _read_attach(channel_id, message.attach)
        case "pay":
            return InputPay(channel_id, read_invoice(message.pay.invoice), read_voucher(message.pay.voucher))
        case "secret":
            return InputSecret(channel_id, sized(message.secret.secret, 32, "secret"))
        case "fail":
            secret_hash = sized(message.fail.secret_hash, 32, "fail.secret_hash")
            return InputFail(channel_id, secret_hash, message.fail.expiry_block)
        case "receipt":
            receipt = message.receipt
            return InputReceipt(channel_id, receipt.nonce, signature(receipt.signature, "receipt.signature"))
        case "fold":
            return InputFold(channel_id, read_voucher(message.fold))
        case "refund":
            invoice_hash = sized(message.refund.invoice_hash, 32, "refund.invoice_hash")
            return InputRefund(channel_id, invoice_hash, read_voucher(message.refund.voucher))
        case "agree":
            agreement = message.agree
            return InputAgree(
                channel_id, _read_agreement(channel_id, agreement), signature(agreement.signature, "agree.signature")
            )
        case "withdraw":
            total = amount(message.withdraw.total, "withdraw.total")
            # Whose it is the hub knows: the party's of the channel, which the service puts in.
            return InputWithdraw(channel_id, Withdraw(channel_id, bytes(20), total, message.withdraw.deadline))
    raise WireError("a message says nothing that this version knows")


def write_message(channel_id: bytes, said: Message) -> _pb.HubMessage:
    """What the hub says."""
    message = _pb.HubMessage(channel_id=channel_id)
    match said:
        case SayAttached():
            message.attached.CopyFrom(_write_attached(said))
        case SayVoucher():
            message.voucher.CopyFrom(
                _pb.HubVoucher(
                    voucher=write_voucher(said.signed),
                    invoices=[write_invoice(invoice) for invoice in said.invoices],
                    refunds=[_write_refund(refund) for refund in said.refunds],
                )
            )
        case SaySecret():
            message.secret.invoice_hash = said.invoice_hash
            message.secret.secret = said.secret
        case SayPending():
            message.pending = said.invoice_hash
        case SayCancelled():
            message.cancelled.invoice_hash = said.invoice_hash
            message.cancelled.secret_hash = said.secret_hash
        case SayAccepted():
            message.accepted.nonce = said.nonce
            message.accepted.signature = said.receipt
        case SayRefunded():
            message.refunded.refund.CopyFrom(_write_refund(said.refund))
            message.refunded.proof.CopyFrom(write_voucher(said.proof))
        case SayAgreed():
            message.agreed.CopyFrom(_write_agreement(said.message, said.signature))
        case SayConsent():
            message.consent.total = write_amount(said.total)
            message.consent.deadline = said.deadline
            message.consent.signature = said.signature
        case SayWanted():
            message.wanted.secret_hashes.extend(said.secret_hashes)
        case SayRefused():
            refused = _pb.Refused(text=said.text, subject=said.subject, details=dict(said.details))
            refused.reason = said.reason.value  # type: ignore[assignment]  # a test holds the names equal
            message.refused.CopyFrom(refused)
    return message


def read_message(message: _pb.HubMessage) -> tuple[bytes, Message]:
    """What the hub says, and of which channel."""
    channel_id = sized(message.channel_id, 32, "channel_id")
    said: Message
    match message.WhichOneof("said"):
        case "attached":
            said = _read_attached(message.attached)
        case "voucher":
            said = SayVoucher(
                read_voucher(message.voucher.voucher),
                tuple(read_invoice(invoice) for invoice in message.voucher.invoices),
                tuple(_read_refund(refund) for refund in message.voucher.refunds),
            )
        case "secret":
            invoice_hash = sized(message.secret.invoice_hash, 32, "secret.invoice_hash")
            said = SaySecret(invoice_hash, sized(message.secret.secret, 32, "secret.secret"))
        case "pending":
            said = SayPending(sized(message.pending, 32, "pending"))
        case "cancelled":
            invoice_hash = sized(message.cancelled.invoice_hash, 32, "cancelled.invoice_hash")
            said = SayCancelled(invoice_hash, sized(message.cancelled.secret_hash, 32, "cancelled.secret_hash"))
        case "accepted":
            accepted = message.accepted
            said = SayAccepted(accepted.nonce, signature(accepted.signature, "accepted.signature"))
        case "refunded":
            said = SayRefunded(_read_refund(message.refunded.refund), read_voucher(message.refunded.proof))
        case "agreed":
            agreed = message.agreed
            said = SayAgreed(_read_agreement(channel_id, agreed), signature(agreed.signature, "agreed.signature"))
        case "consent":
            consent = message.consent
            total = amount(consent.total, "consent.total")
            said = SayConsent(total, consent.deadline, signature(consent.signature, "consent.signature"))
        case "wanted":
            said = SayWanted(tuple(sized(one, 32, "wanted") for one in message.wanted.secret_hashes))
        case "refused":
            said = _read_refused(message.refused)
        case _:
            raise WireError("a message says nothing that this version knows")
    return channel_id, said


def _write_attach(said: InputAttach, attach_signature: bytes) -> _pb.Attach:
    return _pb.Attach(
        own=_write_optional(said.own),
        hubs=_write_optional(said.hubs),
        invoices=[write_invoice(invoice) for invoice in said.invoices],
        signature=attach_signature,
    )


def _read_attach(channel_id: bytes, message: _pb.Attach) -> Attachment:
    if len(message.invoices) > LOCKS_MAX:
        raise WireError(f"attach has {len(message.invoices)} invoices, at most {LOCKS_MAX}")
    said = InputAttach(
        channel_id,
        read_voucher(message.own) if message.HasField("own") else None,
        read_voucher(message.hubs) if message.HasField("hubs") else None,
        tuple(read_invoice(invoice) for invoice in message.invoices),
    )
    return Attachment(said, signature(message.signature, "attach.signature"))


def _write_attached(said: SayAttached) -> _pb.Attached:
    return _pb.Attached(
        own=_write_optional(said.own),
        hubs=_write_optional(said.hubs),
        deposited=write_amount(said.deposited),
        hub_deposited=write_amount(said.hub_deposited),
        released=said.released,
    )


def _read_attached(message: _pb.Attached) -> SayAttached:
    return SayAttached(
        read_voucher(message.own) if message.HasField("own") else None,
        read_voucher(message.hubs) if message.HasField("hubs") else None,
        amount(message.deposited, "attached.deposited"),
        amount(message.hub_deposited, "attached.hub_deposited"),
        tuple(sized(one, 32, "attached.released") for one in message.released),
    )


def _write_optional(signed: SignedVoucher | None) -> channel_pb2.Voucher | None:
    return None if signed is None else write_voucher(signed)


def _write_agreement(message: CooperativeClose, signed: bytes) -> _pb.Agreement:
    return _pb.Agreement(
        payout_a=write_amount(message.payout_a),
        payout_b=write_amount(message.payout_b),
        deadline=message.deadline,
        signature=signed,
    )


def _read_agreement(channel_id: bytes, message: _pb.Agreement) -> CooperativeClose:
    payout_a, payout_b = amount(message.payout_a, "payout_a"), amount(message.payout_b, "payout_b")
    return CooperativeClose(channel_id, payout_a, payout_b, message.deadline)


def _write_refund(refund: Refund) -> _pb.Refund:
    """Without the payer: its merchant need not know who it is."""
    return _pb.Refund(
        invoice_hash=refund.invoice_hash, nonce=refund.nonce, amount=write_amount(refund.amount), time=refund.time
    )


def _read_refund(message: _pb.Refund) -> Refund:
    """Channels and payer are the hub's to know."""
    invoice_hash = sized(message.invoice_hash, 32, "refund.invoice_hash")
    return Refund(
        bytes(32),
        bytes(32),
        bytes(20),
        invoice_hash,
        message.nonce,
        amount(message.amount, "refund.amount"),
        message.time,
        0,
    )


def _read_refused(message: _pb.Refused) -> SayRefused:
    try:
        reason = Reason(message.reason)
    except ValueError as error:
        raise WireError(f"the reason {message.reason} is not known to this version") from error
    return SayRefused(reason, message.text, message.subject, dict(message.details))
