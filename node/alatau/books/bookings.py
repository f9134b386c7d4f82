"""How each thing that happens to a hub is booked: the entries that it makes.

Amounts are token units, positive, and checked by the caller, who moves the money; ids and hashes have 32 bytes. A lock
is booked when it is signed, ``hold``, and when it is gone, ``release``; if its payment is final, ``payment`` follows.
What a refund gives back is the price: the fee was for the service and stays earned, so that no day's fees are negative,
which DayBook.vy could not take.
"""

from alatau.books.accounts import (
    CAPITAL,
    CREDIT,
    FEES,
    Account,
    escrow_account,
    owner_account,
    suspense_account,
)
from alatau.books.entries import Entry, EntryKind, Moment, Posting


def payment(
    at: Moment,
    payment_id: bytes,
    payer: bytes,
    payee: bytes,
    amount: int,
    *,
    fee: int = 0,
    invoice_hash: bytes = b"",
    offline: bool = False,
) -> Entry:
    """A final payment.

    Args:
        at: when it became final.
        payment_id: the payment's id.
        payer: the payer's channel, debited ``amount + fee``.
        payee: the payee's channel, credited ``amount``.
        amount: what the payee gets.
        fee: what the hub gets, 0 for nothing.
        invoice_hash: the invoice, if there is one.
        offline: whether it was made without a network.
    """
    postings = [Posting(owner_account(payer), debit=amount + fee), Posting(owner_account(payee), credit=amount)]
    if fee:
        postings.append(Posting(FEES, credit=fee))
    kind = EntryKind.OFFLINE_PAYMENT if offline else EntryKind.PAYMENT
    return Entry(at, kind, payment_id, tuple(postings), invoice_hash)


def refund(
    at: Moment, refund_id: bytes, merchant: bytes, customer: bytes, amount: int, *, invoice_hash: bytes = b""
) -> Entry:
    """A merchant's channel gives ``amount`` back to a customer's; ``invoice_hash`` is the invoice that was paid."""
    postings = (Posting(owner_account(merchant), debit=amount), Posting(owner_account(customer), credit=amount))
    return Entry(at, EntryKind.REFUND, refund_id, postings, invoice_hash)


def fee(at: Moment, reference: bytes, channel: bytes, amount: int) -> Entry:
    """The owner of a channel pays the hub for a service."""
    return _move(at, EntryKind.FEE, reference, Posting(owner_account(channel), debit=amount), FEES)


def deposit(at: Moment, reference: bytes, channel: bytes, amount: int) -> Entry:
    """The chain says that the owner paid in; ``reference`` is the transaction's hash."""
    escrow = Posting(escrow_account(channel), debit=amount)
    return _move(at, EntryKind.DEPOSIT, reference, escrow, owner_account(channel))


def hub_deposit(at: Moment, reference: bytes, channel: bytes, amount: int) -> Entry:
    """The chain says that the hub paid tokens into a channel; its credit goes there by :func:`rebalance`."""
    return _move(at, EntryKind.DEPOSIT, reference, Posting(escrow_account(channel), debit=amount), CAPITAL)


def withdrawal(at: Moment, reference: bytes, channel: bytes, amount: int) -> Entry:
    """The owner takes money out; booked when the hub consents, since it may go at any time from then on."""
    owner = Posting(owner_account(channel), debit=amount)
    return _move(at, EntryKind.WITHDRAWAL, reference, owner, escrow_account(channel))


def hub_withdrawal(at: Moment, reference: bytes, amount: int, *, channel: bytes = b"") -> Entry:
    """The hub takes its own money out of a channel, or claims its credit in the contract."""
    return _move(at, EntryKind.WITHDRAWAL, reference, Posting(CAPITAL, debit=amount), escrow_account(channel))


def close_payout(at: Moment, reference: bytes, channel: bytes, to_owner: int, to_hub: int) -> Entry:
    """The contract settled a channel: it credits the owner, who leaves the books, and the hub's credit.

    If ``to_owner`` is not what the books say, an :func:`adjustment` comes before.
    """
    postings = [Posting(escrow_account(channel), credit=to_owner + to_hub)]
    if to_owner:
        postings.append(Posting(owner_account(channel), debit=to_owner))
    if to_hub:
        postings.append(Posting(CREDIT, debit=to_hub))
    return Entry(at, EntryKind.CLOSE_PAYOUT, reference, tuple(postings))


def adjustment(at: Moment, reference: bytes, channel: bytes, change: int) -> Entry:
    """What the owner has is ``change`` more (negative: less) than the books said, by the chain's word."""
    owner = owner_account(channel)
    if change > 0:
        return _move(at, EntryKind.ADJUSTMENT, reference, Posting(CAPITAL, debit=change), owner)
    return _move(at, EntryKind.ADJUSTMENT, reference, Posting(owner, debit=-change), CAPITAL)


def rebalance(at: Moment, reference: bytes, source: bytes, target: bytes, amount: int) -> Entry:
    """The hub's money goes from channel to channel; an empty id is its credit in the contract."""
    debited = Posting(escrow_account(target), debit=amount)
    return _move(at, EntryKind.REBALANCE, reference, debited, escrow_account(source))


def hold(at: Moment, payment_id: bytes, channel: bytes, amount: int) -> Entry:
    """A lock of the owner holds ``amount``, the fee included."""
    owner = Posting(owner_account(channel), debit=amount)
    return _move(at, EntryKind.HOLD, payment_id, owner, suspense_account(channel))


def release(at: Moment, payment_id: bytes, channel: bytes, amount: int) -> Entry:
    """The lock is gone; if its payment became final, that is booked by the entry that follows."""
    held = Posting(suspense_account(channel), debit=amount)
    return _move(at, EntryKind.RELEASE, payment_id, held, owner_account(channel))


def _move(at: Moment, kind: EntryKind, reference: bytes, debited: Posting, credited: Account) -> Entry:
    return Entry(at, kind, reference, (debited, Posting(credited, credit=debited.debit)))
