"""A voucher and an invoice with every field set, for whoever writes and reads them. Their signatures are none."""

from alatau.channels.forwarding.inputs import (
    InputAgree,
    InputFail,
    InputFold,
    InputPay,
    InputReceipt,
    InputRefund,
    InputSecret,
    InputWithdraw,
)
from alatau.channels.invoice import Invoice, SignedInvoice
from alatau.channels.messages import CooperativeClose, Lock, SignedVoucher, Voucher, Withdraw

LOCKS = (Lock(b"\x05" * 32, 7, 90), Lock(b"\x06" * 32, 2**111, 2**63))
VOUCHER = SignedVoucher(Voucher(b"\x01" * 32, b"\x02" * 20, 2**64 - 1, 2**112 - 1, LOCKS), b"\x03" * 65)
INVOICE = SignedInvoice(
    Invoice(b"\x01" * 20, b"\x02" * 20, 10**20, b"\x03" * 32, 1, 2, '{"reference":"чай"}'.encode()), b"\x04" * 65
)

CHANNEL = b"\x09" * 32
HASH = b"\x0a" * 32
AGREEMENT = CooperativeClose(CHANNEL, 10**20, 0, 7)

REQUESTS = (
    InputPay(CHANNEL, INVOICE, VOUCHER),
    InputSecret(CHANNEL, HASH),
    InputFail(CHANNEL, HASH, 77),
    InputReceipt(CHANNEL, 5, b"\x01" * 65),
    InputFold(CHANNEL, VOUCHER),
    InputRefund(CHANNEL, HASH, VOUCHER),
    InputAgree(CHANNEL, AGREEMENT, b"\x02" * 65),
    InputWithdraw(CHANNEL, Withdraw(CHANNEL, bytes(20), 10**18, 8)),
)
