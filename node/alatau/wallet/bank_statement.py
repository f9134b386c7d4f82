"""A channel's statement for accountants: the hub's lines and the chain's deposits and withdrawals, with balances.

The closing balance is what the channel's newest vouchers give its owner; the opening one follows by taking back what
moved since.
"""

from collections.abc import Iterable, Sequence

from alatau.artifacts.artifact import load
from alatau.books.entries import EntryKind, Moment
from alatau.books.statements import Movement, Statement
from alatau.channels.forwarding.payment import LineKind
from alatau.channels.messages import uint_word
from alatau.channels.state import ChannelState, payouts, side_of
from alatau.client import Client
from alatau.client.abi import load_abi
from alatau.crypto.keccak import keccak256
from alatau.wallet.statement import StatementLine
from alatau.wire.logs import EventFilter

_KINDS = {
    LineKind.PAID: EntryKind.PAYMENT,
    LineKind.RECEIVED: EntryKind.PAYMENT,
    LineKind.REFUND_PAID: EntryKind.REFUND,
    LineKind.REFUND_RECEIVED: EntryKind.REFUND,
}
_DEBITS = (LineKind.PAID, LineKind.REFUND_PAID)


async def chain_movements(client: Client, state: ChannelState) -> list[tuple[int, Movement]]:
    """Deposits and withdrawals of the owner: when, and without a day what. Raises ``RpcError``."""
    abi = load_abi(load("CityChannels").abi)
    names = ("Opened", "Deposited", "Withdrawn")
    wanted = EventFilter((state.domain.contract,), (tuple(abi.event(name).topic for name in names), (state.id,)))
    found, times = [], {}
    async for log in client.logs(wanted):
        event = abi.decode_event(log)
        assert event is not None, "the filter lets through what the ABI declares"
        amount = event.values["amount"]
        if not amount or (event.name != "Opened" and event.values["party"] != state.parties.a):
            continue
        if log.height not in times:
            times[log.height] = (await client.block(log.height)).header.timestamp
        out = event.name == "Withdrawn"
        kind = EntryKind.WITHDRAWAL if out else EntryKind.DEPOSIT
        debit = amount if out else 0
        movement = Movement(Moment(0, 0), kind, log.transaction_hash, b"", debit, amount - debit, 0)
        found.append((times[log.height], movement))
    return found


def movement_of(line: StatementLine) -> Movement:
    """Of a line of the hub's."""
    debit = line.amount if line.kind in _DEBITS else 0
    reference = line.invoice_hash
    if line.kind in (LineKind.REFUND_PAID, LineKind.REFUND_RECEIVED):
        reference = keccak256(line.invoice_hash + uint_word(line.time) + uint_word(line.amount))
    at = Moment(line.day, line.time)
    return Movement(at, _KINDS[line.kind], reference, line.invoice_hash, debit, line.amount - debit, line.fee)


def bank_statement(
    state: ChannelState, lines: Iterable[StatementLine], moves: Iterable[Movement], first_day: int, last_day: int
) -> Statement:
    """The statement of some days.

    Args:
        state: the channel now.
        lines: the hub's, from ``first_day`` until now.
        moves: the chain's, with their days; earlier ones count for nothing.
        first_day: days since 1970.
        last_day: is included; later movements are taken back.
    """
    movements = [*map(movement_of, lines), *(one for one in moves if one.at.day >= first_day)]
    movements.sort(key=lambda one: (one.at.day, one.at.time))
    later = [one for one in movements if one.at.day > last_day]
    shown = tuple(one for one in movements if one.at.day <= last_day)
    held = side_of(state, state.parties.a).locked
    closing = payouts(state)[0] - _sum(later)
    return Statement(state.id, first_day, last_day, closing - _sum(shown), shown, closing, held if not later else 0)


def _sum(movements: Sequence[Movement]) -> int:
    return sum(one.credit - one.debit for one in movements)
