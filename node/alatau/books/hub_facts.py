"""From the facts that a hub's core wrote to entries of its ledger."""

from alatau.books import bookings
from alatau.books.entries import Entry, Moment
from alatau.channels.forwarding.facts import Fact, FactKind


def entry_of(fact: Fact) -> Entry:
    """The entry that books a fact."""
    at, channel, amount = Moment(fact.day, fact.time), fact.channel, fact.amount
    match fact.kind:
        case FactKind.PAYMENT | FactKind.OFFLINE_PAYMENT:
            return bookings.payment(
                at,
                fact.reference,
                channel,
                fact.other,
                amount,
                fee=fact.part,
                invoice_hash=fact.invoice_hash,
                offline=fact.kind is FactKind.OFFLINE_PAYMENT,
            )
        case FactKind.REFUND:
            return bookings.refund(at, fact.reference, channel, fact.other, amount, invoice_hash=fact.invoice_hash)
        case FactKind.DEPOSIT:
            return bookings.deposit(at, fact.reference, channel, amount)
        case FactKind.HUB_DEPOSIT:
            return bookings.hub_deposit(at, fact.reference, channel, amount)
        case FactKind.WITHDRAWAL:
            return bookings.withdrawal(at, fact.reference, channel, amount)
        case FactKind.HUB_WITHDRAWAL:
            return bookings.hub_withdrawal(at, fact.reference, amount, channel=channel)
        case FactKind.PAYOUT:
            return bookings.close_payout(at, fact.reference, channel, amount, fact.part)
        case FactKind.ADJUSTMENT:
            return bookings.adjustment(at, fact.reference, channel, amount - fact.part)
        case FactKind.CLAIM:
            return bookings.hub_withdrawal(at, fact.reference, amount)
