"""What a wallet says of its money by days: a statement with balances, and whether the hub's book of a day is right."""

from dataclasses import replace
from typing import Final

from alatau.books.calendar import day_number, day_start, moment
from alatau.books.statements import Statement
from alatau.channels.state import ChannelState
from alatau.wallet.bank_statement import bank_statement, chain_movements
from alatau.wallet.channel_wallet import ChannelWallet
from alatau.wallet.day_check import CheckedDay, ask_day_proof, check_day, posted_word
from alatau.wallet.errors import WalletError

_MIDNIGHT_S: Final = 300
"""So long before and after midnight wallet and hub may count a payment on different days."""


async def owner_statement(wallet: ChannelWallet, first_day: int, last_day: int) -> Statement:
    """Days since 1970 in the hub's time zone, both included. Raises ``RpcError``, ``WalletError``."""
    state, zone = _state(wallet), wallet.setup.zone
    today = day_number(zone, int(wallet.setup.clock()))
    lines = [line async for line in wallet.statement(first_day, max(today, last_day) + 1)]
    found = await chain_movements(wallet.account.client, state)
    moves = [replace(move, at=moment(zone, at)) for at, move in found]
    return bank_statement(state, lines, moves, first_day, last_day)


async def owner_day(wallet: ChannelWallet, day: int) -> CheckedDay:
    """Hold a day against the root that the hub posted.

    Raises:
        DayDiffersError: the hub's word, the chain's and the wallet's own differ.
        WalletError: the root is not on the chain yet.
        RpcError: hub or chain does not answer.
    """
    state, setup = _state(wallet), wallet.setup
    lines = [line async for line in wallet.statement(day, day)]
    proof = await ask_day_proof(wallet.hub_channel, setup, state.id, day)
    posted = await posted_word(wallet.account.client, setup.hub, day)
    sure = range(day_start(setup.zone, day) + _MIDNIGHT_S, day_start(setup.zone, day + 1) - _MIDNIGHT_S)
    outgoing = [one for one in wallet.outgoing if one.time in sure]
    incoming = [one for one in wallet.incoming if one.paid_time in sure]
    return check_day(day, lines, proof, posted, outgoing, incoming)


def _state(wallet: ChannelWallet) -> ChannelState:
    if wallet.state is None:
        raise WalletError("there is no channel; open one first")
    return wallet.state
