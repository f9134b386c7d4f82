"""A wallet for programs without an event loop: the same, in a thread of its own.

For example::

    with open_plain_wallet(setup) as wallet:
        paid = wallet.pay(read_invoice_text(scanned))
"""

import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import trio

from alatau.channels.invoice import SignedInvoice
from alatau.channels.party.records import Incoming, Outgoing
from alatau.channels.state import ChannelState
from alatau.wallet.channel_wallet import ANSWER_S, INVOICE_SECONDS, ChannelWallet, Quote, open_wallet
from alatau.wallet.setup import Setup
from alatau.wallet.statement import StatementLine
from alatau.wallet.towers import TowerStanding

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Started:
    wallet: ChannelWallet
    token: trio.lowlevel.TrioToken
    stop: trio.Event


class PlainWallet:
    """An open wallet. Made by :func:`open_plain_wallet`. Safe to use from several threads.

    Each method does and raises what the one of its name in :class:`alatau.wallet.channel_wallet.ChannelWallet` does.
    """

    def __init__(self, started: _Started) -> None:
        self._wallet = started.wallet
        self._token = started.token

    @property
    def state(self) -> ChannelState | None:
        """The channel; None before the first was opened."""
        return self._wallet.state

    @property
    def spendable(self) -> int:
        """What can be paid now, in token units."""
        return self._wallet.spendable

    @property
    def towers(self) -> tuple[TowerStanding, ...]:
        """How the wallet's watchtowers stand."""
        return self._look(lambda: self._wallet.towers)

    @property
    def outgoing(self) -> tuple[Outgoing, ...]:
        """Payments of this wallet, oldest first."""
        return self._look(lambda: self._wallet.outgoing)

    @property
    def incoming(self) -> tuple[Incoming, ...]:
        """Invoices of this wallet, oldest first."""
        return self._look(lambda: self._wallet.incoming)

    def open(self, amount: int) -> ChannelState:
        """Open a channel and put ``amount`` token units in."""
        return self._do(lambda: self._wallet.open(amount))

    def deposit(self, amount: int) -> None:
        """Put more money in."""
        self._do(lambda: self._wallet.deposit(amount))

    def withdraw(self, amount: int) -> int:
        """Take money out with the hub's consent."""
        return self._do(lambda: self._wallet.withdraw(amount))

    def quote(self, signed: SignedInvoice) -> Quote:
        """What paying an invoice would cost."""
        return self._do(lambda: self._wallet.quote(signed))

    def pay(self, signed: SignedInvoice, *, timeout_s: float = ANSWER_S) -> Outgoing:
        """Pay, and wait for the outcome."""
        return self._do(lambda: self._wallet.pay(signed, timeout_s=timeout_s))

    def invoice(self, amount: int, *, seconds: int = INVOICE_SECONDS, details: bytes = b"") -> Incoming:
        """Ask to be paid."""
        return self._look(lambda: self._wallet.invoice(amount, seconds=seconds, details=details))

    def paid(self, secret_hash: bytes) -> Incoming:
        """Wait until an invoice is paid for good."""
        return self._do(lambda: self._wallet.paid(secret_hash))

    def refund(self, secret_hash: bytes, amount: int) -> Incoming:
        """Pay back."""
        return self._do(lambda: self._wallet.refund(secret_hash, amount))

    def statement(self, first_day: int, last_day: int) -> list[StatementLine]:
        """What the hub has booked."""

        async def all_lines() -> list[StatementLine]:
            return [line async for line in self._wallet.statement(first_day, last_day)]

        return self._do(all_lines)

    def close(self) -> int:
        """Divide the channel as both agree, and claim."""
        return self._do(self._wallet.close)

    def close_alone(self, *, even_if_stale: bool = False) -> ChannelState:
        """Close without the hub."""
        return self._do(lambda: self._wallet.close_alone(even_if_stale=even_if_stale))

    def settle(self) -> int:
        """After the window: settle and claim."""
        return self._do(self._wallet.settle)

    def _do(self, what: Callable[[], Awaitable[T]]) -> T:
        return trio.from_thread.run(what, trio_token=self._token)

    def _look(self, what: Callable[[], T]) -> T:
        return trio.from_thread.run_sync(what, trio_token=self._token)


@contextmanager
def open_plain_wallet(setup: Setup) -> Iterator[PlainWallet]:
    """The wallet in ``setup.database``, until the block ends. Raises as :func:`open_wallet`."""
    begun: queue.Queue[_Started | BaseException] = queue.Queue()

    async def serve() -> None:
        async with open_wallet(setup) as wallet:
            stop = trio.Event()
            begun.put(_Started(wallet, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    ended: list[BaseException] = []

    def run(main: Callable[[], Awaitable[Any]]) -> None:
        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001  (the thread has nobody else to tell)
            ended.append(error)
            begun.put(error)

    thread = threading.Thread(target=run, args=(serve,), name="wallet", daemon=True)
    thread.start()
    started = begun.get()
    if isinstance(started, BaseException):
        thread.join()
        raise started
    try:
        yield PlainWallet(started)
    finally:
        if thread.is_alive():
            started.token.run_sync_soon(started.stop.set)
        thread.join()
    if ended:
        raise ended[0]
