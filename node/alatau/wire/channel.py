"""Channels, vouchers, invoices and what towers keep, as protobuf and back.

Reading raises ``WireError`` for what no correct sender writes: a wrong length, too many locks, an amount above 256
bits. Whether a voucher or an invoice is good is for :mod:`alatau.channels` to say.
"""

from typing import Final

from alatau.channels.invoice import Invoice, SignedInvoice
from alatau.channels.messages import LOCKS_MAX, Lock, Parties, SignedVoucher, Voucher
from alatau.pb.channel.v1 import channel_pb2
from alatau.wire.amount import AmountError, read_amount, write_amount
from alatau.wire.bounds import WireError, sized

SIGNATURE_BYTES_MAX: Final = 1024
"""A passkey's signature brings its client data along."""


def write_parties(parties: Parties) -> channel_pb2.Parties:
    """The ends of a channel."""
    return channel_pb2.Parties(a=parties.a, b=parties.b, salt=parties.salt)


def read_parties(message: channel_pb2.Parties) -> Parties:
    """The ends of a channel."""
    return Parties(
        sized(message.a, 20, "parties.a"), sized(message.b, 20, "parties.b"), sized(message.salt, 32, "parties.salt")
    )


def write_voucher(signed: SignedVoucher) -> channel_pb2.Voucher:
    """A signed voucher."""
    voucher = signed.voucher
    return channel_pb2.Voucher(
        channel_id=voucher.channel_id,
        payer=voucher.payer,
        nonce=voucher.nonce,
        transferred=write_amount(voucher.transferred),
        locks=[
            channel_pb2.Lock(
                secret_hash=lock.secret_hash, amount=write_amount(lock.amount), expiry_block=lock.expiry_block
            )
            for lock in voucher.locks
        ],
        signature=signed.signature,
    )


def read_voucher(message: channel_pb2.Voucher) -> SignedVoucher:
    """A signed voucher."""
    if len(message.locks) > LOCKS_MAX:
        raise WireError(f"a voucher has {len(message.locks)} locks, at most {LOCKS_MAX}")
    voucher = Voucher(
        sized(message.channel_id, 32, "voucher.channel_id"),
        sized(message.payer, 20, "voucher.payer"),
        message.nonce,
        amount(message.transferred, "voucher.transferred"),
        tuple(
            Lock(sized(lock.secret_hash, 32, "lock.secret_hash"), amount(lock.amount, "lock.amount"), lock.expiry_block)
            for lock in message.locks
        ),
    )
    return SignedVoucher(voucher, signature(message.signature, "voucher.signature"))


def write_invoice(signed: SignedInvoice) -> channel_pb2.Invoice:
    """A signed invoice."""
    invoice = signed.invoice
    return channel_pb2.Invoice(
        merchant=invoice.merchant,
        hub=invoice.hub,
        amount=write_amount(invoice.amount),
        secret_hash=invoice.secret_hash,
        issued=invoice.issued,
        expires=invoice.expires,
        details=invoice.details,
        signature=signed.signature,
    )


def read_invoice(message: channel_pb2.Invoice) -> SignedInvoice:
    """A signed invoice."""
    invoice = Invoice(
        sized(message.merchant, 20, "invoice.merchant"),
        sized(message.hub, 20, "invoice.hub"),
        amount(message.amount, "invoice.amount"),
        sized(message.secret_hash, 32, "invoice.secret_hash"),
        message.issued,
        message.expires,
        message.details,
    )
    return SignedInvoice(invoice, signature(message.signature, "invoice.signature"))


def signature(data: bytes, what: str) -> bytes:
    """Pass on a signature of any scheme, by its length only."""
    if not 0 < len(data) <= SIGNATURE_BYTES_MAX:
        raise WireError(f"{what} has {len(data)} bytes, expected 1 to {SIGNATURE_BYTES_MAX}")
    return data


def amount(data: bytes, what: str) -> int:
    """Token units."""
    try:
        return read_amount(data)
    except AmountError as error:
        raise WireError(f"{what}: {error}") from error
