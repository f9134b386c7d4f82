"""A voucher and an invoice with every field set, for whoever writes and reads them. Their signatures are none."""

from alatau.channels.invoice import Invoice, SignedInvoice
from alatau.channels.messages import Lock, SignedVoucher, Voucher

LOCKS = (Lock(b"\x05" * 32, 7, 90), Lock(b"\x06" * 32, 2**111, 2**63))
VOUCHER = SignedVoucher(Voucher(b"\x01" * 32, b"\x02" * 20, 2**64 - 1, 2**112 - 1, LOCKS), b"\x03" * 65)
INVOICE = SignedInvoice(
    Invoice(b"\x01" * 20, b"\x02" * 20, 10**20, b"\x03" * 32, 1, 2, '{"reference":"чай"}'.encode()), b"\x04" * 65
)
