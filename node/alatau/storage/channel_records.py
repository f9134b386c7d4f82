"""What hubs and wallets keep of channels on disk, as RLP and back. What was not written here raises ``RlpError``."""

from alatau.channels.forwarding.effects import DoStoreChannel
from alatau.channels.forwarding.inputs import InputRefund
from alatau.channels.forwarding.limits import Usage
from alatau.channels.forwarding.payment import Payment, PaymentPhase, Refund
from alatau.channels.invoice import Invoice, SignedInvoice
from alatau.channels.messages import CooperativeClose, Domain, Lock, Parties, SignedVoucher, Voucher, channel_id
from alatau.channels.party.records import Incoming, IncomingPhase, Outgoing, OutgoingPhase
from alatau.channels.state import Agreement, ChannelState, Phase, Side, Window
from alatau.codec.rlp import Decoded, decode, encode, to_bytes, to_list, to_uint
from alatau.codec.rlp import Item as Encodable


def write_channel(stored: DoStoreChannel) -> bytes:
    """A channel; its domain and id follow from where it is kept."""
    state = stored.state
    return encode(
        [
            [state.parties.a, state.parties.b, state.parties.salt],
            state.settle_blocks,
            state.phase.value,
            _write_side(state.a),
            _write_side(state.b),
            [state.window.settle_block, state.window.settle_time] if state.window else [],
            _write_agreement(state.agreement),
            list(stored.withdrawn_on_chain),
            int(stored.agreed),
        ]
    )


def read_channel(domain: Domain, data: bytes) -> DoStoreChannel:
    """A channel of the contract ``domain``."""
    ends, settle_blocks, phase, a, b, window, agreement, withdrawn, agreed = to_list(decode(data), 9)
    party_a, party_b, salt = to_list(ends, 3)
    parties = Parties(to_bytes(party_a, 20), to_bytes(party_b, 20), to_bytes(salt, 32))
    identity = channel_id(domain, parties)
    state = ChannelState(
        domain,
        parties,
        identity,
        to_uint(settle_blocks),
        Phase(to_uint(phase)),
        _read_side(identity, parties.a, a),
        _read_side(identity, parties.b, b),
        Window(*(to_uint(word) for word in to_list(window, 2))) if to_list(window) else None,
        _read_agreement(identity, agreement),
    )
    by_a, by_b = to_list(withdrawn, 2)
    return DoStoreChannel(state, (to_uint(by_a), to_uint(by_b)), bool(to_uint(agreed)))


def write_payment(payment: Payment) -> bytes:
    """A payment with its invoice."""
    return encode(
        [
            payment.payer,
            payment.invoice_hash,
            write_invoice(payment.signed),
            payment.payer_channel,
            payment.merchant_channel,
            _write_lock(payment.payer_lock),
            _write_lock(payment.merchant_lock),
            payment.time,
            payment.day,
            payment.month,
            payment.phase.value,
            payment.secret or b"",
            payment.refunded,
        ]
    )


def read_payment(data: bytes) -> Payment:
    """A payment."""
    fields = to_list(decode(data), 13)
    secret = to_bytes(fields[11])
    return Payment(
        to_bytes(fields[0], 20),
        to_bytes(fields[1], 32),
        read_invoice(fields[2]),
        to_bytes(fields[3], 32),
        to_bytes(fields[4], 32),
        _read_lock(fields[5]),
        _read_lock(fields[6]),
        to_uint(fields[7]),
        to_uint(fields[8]),
        to_uint(fields[9]),
        PaymentPhase(to_uint(fields[10])),
        secret or None,
        to_uint(fields[12]),
    )


def write_invoice(signed: SignedInvoice) -> Encodable:
    """An invoice with its signature."""
    invoice = signed.invoice
    return [
        invoice.merchant,
        invoice.hub,
        invoice.amount,
        invoice.secret_hash,
        invoice.issued,
        invoice.expires,
        invoice.details,
        signed.signature,
    ]


def read_invoice(item: Decoded) -> SignedInvoice:
    """An invoice with its signature."""
    fields = to_list(item, 8)
    return SignedInvoice(
        Invoice(
            to_bytes(fields[0], 20),
            to_bytes(fields[1], 20),
            to_uint(fields[2]),
            to_bytes(fields[3], 32),
            to_uint(fields[4]),
            to_uint(fields[5]),
            to_bytes(fields[6]),
        ),
        to_bytes(fields[7]),
    )


def write_outgoing(outgoing: Outgoing) -> bytes:
    """A payment of one's own."""
    return encode(
        [
            write_invoice(outgoing.signed),
            outgoing.invoice_hash,
            _write_lock(outgoing.lock),
            outgoing.time,
            outgoing.phase.value,
            outgoing.secret or b"",
            outgoing.refunded,
            outgoing.note.encode(),
        ]
    )


def read_outgoing(data: bytes) -> Outgoing:
    """A payment of one's own."""
    fields = to_list(decode(data), 8)
    return Outgoing(
        read_invoice(fields[0]),
        to_bytes(fields[1], 32),
        _read_lock(fields[2]),
        to_uint(fields[3]),
        OutgoingPhase(to_uint(fields[4])),
        to_bytes(fields[5]) or None,
        to_uint(fields[6]),
        to_bytes(fields[7]).decode(),
    )


def write_incoming(incoming: Incoming) -> bytes:
    """An invoice of one's own."""
    return encode(
        [
            write_invoice(incoming.signed),
            incoming.invoice_hash,
            incoming.secret,
            incoming.phase.value,
            incoming.paid_time,
            incoming.refunded,
            [list(refund) for refund in incoming.refunds],
        ]
    )


def read_incoming(data: bytes) -> Incoming:
    """An invoice of one's own."""
    fields = to_list(decode(data), 7)
    return Incoming(
        read_invoice(fields[0]),
        to_bytes(fields[1], 32),
        to_bytes(fields[2], 32),
        IncomingPhase(to_uint(fields[3])),
        to_uint(fields[4]),
        to_uint(fields[5]),
        tuple((to_uint(time), to_uint(amount)) for time, amount in (to_list(one, 2) for one in to_list(fields[6]))),
    )


def write_pending_refund(request: InputRefund) -> bytes:
    """A refund that waits for the hub's answer."""
    voucher = request.voucher.voucher
    locks: list[Encodable] = [_write_lock(lock) for lock in voucher.locks]
    return encode(
        [
            request.channel_id,
            request.invoice_hash,
            voucher.payer,
            voucher.nonce,
            voucher.transferred,
            locks,
            request.voucher.signature,
        ]
    )


def read_pending_refund(data: bytes) -> InputRefund:
    """A refund that waits for the hub's answer."""
    fields = to_list(decode(data), 7)
    channel, invoice_hash = to_bytes(fields[0], 32), to_bytes(fields[1], 32)
    locks = tuple(_read_lock(lock) for lock in to_list(fields[5]))
    voucher = Voucher(channel, to_bytes(fields[2], 20), to_uint(fields[3]), to_uint(fields[4]), locks)
    return InputRefund(channel, invoice_hash, SignedVoucher(voucher, to_bytes(fields[6])))


def write_chain(height: int, withdrawn: tuple[int, int]) -> bytes:
    """How far a wallet knows the chain, and what that says a and b have taken out of the channel."""
    return encode([height, *withdrawn])


def read_chain(data: bytes) -> tuple[int, tuple[int, int]]:
    """As :func:`write_chain` took it."""
    height, by_a, by_b = (to_uint(word) for word in to_list(decode(data), 3))
    return height, (by_a, by_b)


def write_refund(refund: Refund) -> bytes:
    """A refund; hash of the invoice and nonce are its key."""
    return encode(
        [
            refund.payer_channel,
            refund.merchant_channel,
            refund.payer,
            refund.invoice_hash,
            refund.nonce,
            refund.amount,
            refund.time,
            refund.day,
        ]
    )


def read_refund(data: bytes) -> Refund:
    """A refund."""
    fields = to_list(decode(data), 8)
    nonce, amount, time, day = (to_uint(field) for field in fields[4:])
    return Refund(
        to_bytes(fields[0], 32),
        to_bytes(fields[1], 32),
        to_bytes(fields[2], 20),
        to_bytes(fields[3], 32),
        nonce,
        amount,
        time,
        day,
    )


def write_usage(usage: Usage) -> bytes:
    """What an account has paid."""
    return encode([usage.day, usage.day_paid, usage.month, usage.month_paid])


def read_usage(data: bytes) -> Usage:
    """What an account has paid."""
    return Usage(*(to_uint(word) for word in to_list(decode(data), 4)))


def _write_side(side: Side) -> Encodable:
    latest = side.latest
    voucher: list[Encodable] = []
    if latest is not None:
        locks: list[Encodable] = [_write_lock(lock) for lock in latest.voucher.locks]
        voucher = [latest.voucher.nonce, latest.voucher.transferred, locks, latest.signature]
    return [side.deposited, side.withdrawn, voucher, side.receipt or b"", side.submitted_nonce]


def _read_side(identity: bytes, payer: bytes, item: Decoded) -> Side:
    deposited, withdrawn, voucher, receipt, submitted = to_list(item, 5)
    latest = None
    if to_list(voucher):
        nonce, transferred, locks, signature = to_list(voucher, 4)
        latest = SignedVoucher(
            Voucher(
                identity,
                payer,
                to_uint(nonce),
                to_uint(transferred),
                tuple(_read_lock(lock) for lock in to_list(locks)),
            ),
            to_bytes(signature),
        )
    return Side(to_uint(deposited), to_uint(withdrawn), latest, to_bytes(receipt) or None, to_uint(submitted))


def _write_lock(lock: Lock) -> Encodable:
    return [lock.secret_hash, lock.amount, lock.expiry_block]


def _read_lock(item: Decoded) -> Lock:
    secret_hash, amount, expiry = to_list(item, 3)
    return Lock(to_bytes(secret_hash, 32), to_uint(amount), to_uint(expiry))


def _write_agreement(agreement: Agreement | None) -> Encodable:
    if agreement is None:
        return []
    message = agreement.message
    return [
        message.payout_a,
        message.payout_b,
        message.deadline,
        agreement.signature_a or b"",
        agreement.signature_b or b"",
    ]


def _read_agreement(identity: bytes, item: Decoded) -> Agreement | None:
    if not to_list(item):
        return None
    payout_a, payout_b, deadline, by_a, by_b = to_list(item, 5)
    message = CooperativeClose(identity, to_uint(payout_a), to_uint(payout_b), to_uint(deadline))
    return Agreement(message, to_bytes(by_a) or None, to_bytes(by_b) or None)
