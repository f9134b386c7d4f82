"""A wallet: one account, its channel with a hub, kept on disk. On Trio; without it: :mod:`alatau.wallet.plain`.

For example::

    async with open_wallet(setup) as wallet:
        await wallet.open(200_000)
        quote = await wallet.quote(read_invoice_text(scanned))
        paid = await wallet.pay(quote.signed)

The hub is spoken to only while a node of the chain answers: whether a lock may still be believed depends on the height.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import trio

from alatau.channels.invoice import SignedInvoice, check_invoice, invoice_digest
from alatau.channels.party.core import PartyCore
from alatau.channels.party.effects import Tell
from alatau.channels.party.records import Incoming, Outgoing, OutgoingPhase
from alatau.channels.state import ChannelState, Phase, side_of
from alatau.client import Client, connect
from alatau.client.hub_plans import HubFacts
from alatau.transport.channel import Channel, open_channel
from alatau.transport.errors import RpcError
from alatau.wallet.chain_account import ChainAccount, OnChain
from alatau.wallet.chain_acts import ChainActs
from alatau.wallet.chain_watch import ChainWatch
from alatau.wallet.errors import NoAnswerError, OutcomeUnknownError, WalletError
from alatau.wallet.link import Link
from alatau.wallet.setup import Setup
from alatau.wallet.statement import StatementLine, ask_statement
from alatau.wallet.store import Kept, WalletStore, open_wallet_store
from alatau.wallet.terms import ask_terms, check_terms
from alatau.wallet.towers import TowerStanding, WalletTowers

T = TypeVar("T")

INVOICE_SECONDS: Final = 15 * 60
"""A customer at the till has so long to pay, unless the merchant says otherwise."""
ANSWER_S: Final = 60.0
"""How long hub and chain may take to answer before the person is told."""
_AGREEMENT_SECONDS: Final = 1_800
"""How long an agreement to close, or a consent to take out, is good: no voucher is signed beside an agreement."""
_BEAT_S: Final = 5.0
"""How often a node is asked whether it is still there."""
_BEAT_MAX_S: Final = 10.0
_PAUSE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Quote:
    """What a payment would be, for a person to say yes to."""

    signed: SignedInvoice
    amount: int
    """Token units, to the merchant."""
    fee: int
    """To the hub, besides."""
    available: int
    """What can be paid now."""
    known: Outgoing | None
    """The same payment, if it was begun before: paying again asks for its outcome and costs nothing."""


class ChannelWallet:
    """An open wallet. Made by :func:`open_wallet`."""

    def __init__(
        self, setup: Setup, store: WalletStore, client: Client, hub: Channel, nursery: trio.Nursery, kept: Kept
    ) -> None:
        self.setup = setup
        self.account = ChainAccount(client, setup)
        self.told: Callable[[Tell], None] = lambda _told: None
        """Called with what the person should know; may be replaced."""
        self._store = store
        self._client = client
        self._hub = hub
        self._nursery = nursery
        self._terms: HubFacts | None = None
        self._past = kept
        self._link: Link | None = None
        self._watch: ChainWatch | None = None
        self._towers: WalletTowers | None = None
        self._ended = trio.CancelScope()
        if kept.state is not None:
            self._begin(kept.state, kept)

    # What is known without asking anybody

    @property
    def state(self) -> ChannelState | None:
        """The channel; None before the first was opened."""
        return None if self._link is None else self._link.core.state

    @property
    def stale(self) -> bool:
        """Whether the folder was put back from a backup, and the hub has not been asked since."""
        return self._link is not None and self._link.core.stale

    @property
    def connected(self) -> bool:
        """Whether hub and wallet agree, now."""
        return self._link is not None and self._link.connected.is_set()

    @property
    def towers(self) -> tuple[TowerStanding, ...]:
        """How the wallet's watchtowers stand."""
        return () if self._towers is None else self._towers.standings()

    async def protected(self) -> None:
        """Wait until every watchtower holds the hub's newest voucher."""
        if self._towers is not None:
            await self._towers.caught_up()

    @property
    def spendable(self) -> int:
        """What can be paid now, in token units."""
        state = self.state
        return 0 if self._link is None or state is None or state.phase is not Phase.OPEN else self._link.core.spendable

    @property
    def outgoing(self) -> tuple[Outgoing, ...]:
        """Payments of this wallet, oldest first."""
        known = self._past.outgoing if self._link is None else self._link.core.outgoing.values()
        return tuple(sorted(known, key=lambda one: one.time))

    @property
    def incoming(self) -> tuple[Incoming, ...]:
        """Invoices of this wallet, oldest first."""
        known = self._past.incoming if self._link is None else self._link.core.incoming.values()
        return tuple(sorted(known, key=lambda one: one.signed.invoice.issued))

    @property
    def hub_channel(self) -> Channel:
        """To the hub, for questions of one's own."""
        return self._hub

    # Money in and out

    async def open(self, amount: int) -> ChannelState:
        """Open a channel and put ``amount`` token units in; wait until the hub knows it.

        A channel that the account has on chain already, since the folder was lost, is taken up: the hub then tells what
        was paid.

        Raises:
            WalletError: there is a channel, or the account has too little.
            ContractReverted: the contract refuses; nothing was sent.
            RpcError: hub or chain does not answer.
        """
        if self.state is not None and self.state.phase is not Phase.SETTLED:
            raise WalletError("this wallet has a channel already; deposit puts more money in")
        await self.terms()
        found = await self.account.find()
        opened = found or await self.account.open(amount)
        await self._hub_knows(opened.height)
        self._store.begin(opened.state, opened.height, opened.withdrawn, stale=found is not None)
        self._begin_new(opened, stale=found is not None)
        assert self._link is not None, "it was just begun"
        if opened.state.phase is Phase.OPEN:
            await self._in_time(self._link.connected.wait, "the hub does not answer for the channel that was opened")
        return self._link.core.state

    async def deposit(self, amount: int) -> None:
        """Put more money into the channel; wait until it can be spent. Raises ``ContractReverted``."""
        link = self._open_link()
        before = side_of(link.core.state, link.core.me).deposited
        await self.account.deposit(link.core.state.parties, amount)
        await self._until(lambda: side_of(link.core.state, link.core.me).deposited >= before + amount)

    async def withdraw(self, amount: int) -> int:
        """Take money out of the open channel with the hub's consent; gives what came out.

        What it has consented to before, and the chain has not paid, comes out too.

        Raises:
            HubRefusedError, ChannelError, ContractReverted: nothing moves.
        """
        link = self._open_link()
        parties, me = link.core.state.parties, link.core.me
        consent = await self._in_time(
            lambda: link.withdraw(amount, int(self.setup.clock()) + _AGREEMENT_SECONDS), "the hub does not answer"
        )
        before = link.core.withdrawn.get(me, 0)
        if consent.message.total <= before:
            return 0
        await self.account.withdraw(parties, consent.message, consent.signature)
        await self._until(lambda: link.core.withdrawn.get(me, 0) >= consent.message.total)
        return consent.message.total - before

    # Paying and being paid

    async def terms(self) -> HubFacts:
        """What the hub asks and allows; asked once. Raises ``RpcError``, ``WalletError``."""
        if self._terms is None:
            self._terms = check_terms(self.setup, await ask_terms(self._hub))
            if self._link is not None:
                self._link.fee, self._link.lock_blocks = self._terms.fee, self._terms.lock_blocks
        return self._terms

    async def quote(self, signed: SignedInvoice) -> Quote:
        """What paying an invoice would cost. Raises ``InvalidInvoiceError``, ``ForgedMessageError``, ``RpcError``."""
        digest = invoice_digest(self.setup.domain, signed.invoice)
        known = next((one for one in self.outgoing if one.invoice_hash == digest), None)
        if known is None:
            check_invoice(self.setup.domain, signed, int(self.setup.clock()))
        fee = (await self.terms()).fee(signed.invoice.amount)
        return Quote(signed, signed.invoice.amount, fee, self.spendable, known)

    async def pay(self, signed: SignedInvoice, *, timeout_s: float = ANSWER_S) -> Outgoing:
        """Pay, and wait for the outcome. The same invoice again is the same payment, whatever happened meanwhile.

        Raises:
            PaymentFailedError: it came to nothing; the amount is free again.
            ChannelError: nothing was signed: too little money, expired, another hub's.
            OutcomeUnknownError: signed, and not answered in time. Ask again with the same invoice.
            NoAnswerError: nothing was signed.
        """
        link = self._open_link()
        digest = invoice_digest(self.setup.domain, signed.invoice)
        try:
            with trio.fail_after(timeout_s):
                await self.terms()
                return await link.pay(signed)
        except (trio.TooSlowError, RpcError) as error:
            known = link.core.outgoing.get(digest)
            if known is not None and known.phase in (OutgoingPhase.OFFERED, OutgoingPhase.TAKEN):
                raise OutcomeUnknownError(
                    "the payment is signed, and its outcome is not known yet: pay the same invoice again to see it."
                    " Do not pay by another one"
                ) from error
            raise NoAnswerError(f"{self._why_not()}; nothing was signed") from error

    def invoice(self, amount: int, *, seconds: int = INVOICE_SECONDS, details: bytes = b"") -> Incoming:
        """Ask to be paid. Raises ``InvalidInvoiceError``, ``WalletError``."""
        return self._open_link().invoice(amount, secrets.token_bytes(32), seconds=seconds, details=details)

    async def paid(self, secret_hash: bytes) -> Incoming:
        """Wait until an invoice is paid for good; only then goods change hands."""
        return await self._open_link().paid(secret_hash)

    async def refund(self, secret_hash: bytes, amount: int) -> Incoming:
        """Pay back. Raises ``InvalidVoucherError``, ``NoAnswerError``."""
        link = self._open_link()
        await self._in_time(link.connected.wait, "the hub does not answer; nothing was refunded")
        await self._in_time(
            lambda: link.refund(secret_hash, amount),
            "the refund is signed, and the hub has not answered: it is said again by itself. Do not refund again",
        )
        return link.core.incoming[secret_hash]

    async def changed(self) -> None:
        """Wait until anything of the channel has changed. Raises ``WalletError`` without one."""
        await self._open_link().changed()

    def statement(self, first_day: int, last_day: int) -> AsyncIterator[StatementLine]:
        """What the hub has booked, days since 1970 in its time zone, both included. Raises ``RpcError``."""
        if self.state is None:
            raise WalletError("there is no channel; open one first")
        return ask_statement(self._hub, self.setup, self.state.id, first_day, last_day)

    # Leaving

    async def close(self) -> int:
        """Divide the channel as both agree, wait until the chain has it, claim; gives what came to the account.

        Raises:
            ChannelError: payments are pending.
            HubRefusedError: the hub does not agree; :meth:`close_alone` needs nobody's consent.
            NoAnswerError: the same.
        """
        link = self._open_link()
        now = int(self.setup.clock())
        agreement = link.core.state.agreement
        earlier = agreement is not None and agreement.message.deadline >= now
        deadline = agreement.message.deadline if agreement is not None and earlier else now + _AGREEMENT_SECONDS
        await self._in_time(
            lambda: link.close(deadline), "the hub does not answer; without it the channel is closed by close_alone"
        )
        await self._until(lambda: link.core.state.phase is Phase.SETTLED)
        return await self.account.claim()

    async def close_alone(self, *, even_if_stale: bool = False) -> ChannelState:
        """Close without the hub, by the newest voucher. :meth:`settle` ends it after the window.

        Raises:
            WalletError: the folder came from a backup and may hold an old voucher, by which the account would get less.
        """
        link = self._open_link()
        if link.core.stale and not even_if_stale:
            raise WalletError(
                "this folder was put back from a backup, and the hub has not said what is newer: closing now may lose"
                " what was paid to you since. Wait for the hub, or close with --even-if-stale"
            )
        best = side_of(link.core.state, link.core.hub).latest
        await self.account.close(link.core.state.parties, best)
        await self._until(lambda: link.core.state.phase is not Phase.OPEN)
        return link.core.state

    async def settle(self) -> int:
        """After the window: settle, claim; gives what came to the account.

        Raises:
            WalletError: the channel is open, or its window has not ended.
        """
        link = self._link
        if link is None:
            raise WalletError("there is no channel; open one first")
        state = link.core.state
        if state.phase is Phase.OPEN:
            raise WalletError("the channel is open; close it first")
        if state.phase is Phase.CLOSING:
            assert state.window is not None, "a closing channel has a window"
            status = await self._client.status()
            block, time = state.window.settle_block, state.window.settle_time
            if status.height < block or self.setup.clock() < time:
                raise WalletError(
                    f"the channel can be settled from block {block} and {time} s since 1970 on; the chain is at"
                    f" {status.height}"
                )
            if await self.account.phase(state.parties) is Phase.CLOSING:
                await self.account.settle(state.parties)
            await self._until(lambda: link.core.state.phase is Phase.SETTLED)
        return await self.account.claim()

    # Inside

    def _begin(self, state: ChannelState, kept: Kept) -> None:
        core = PartyCore(state, self.setup.address, self.setup.key.sign, stale=kept.stale, refunding=kept.refunding)
        core.outgoing.update({one.invoice_hash: one for one in kept.outgoing})
        core.incoming.update({one.signed.invoice.secret_hash: one for one in kept.incoming})
        core.withdrawn.update(zip((state.parties.a, state.parties.b), kept.withdrawn, strict=True))
        acts = ChainActs(self.account, core, self.setup.clock)
        link = Link(
            core,
            self._store,
            clock=self.setup.clock,
            fee=self._no_fee,
            lock_blocks=0,
            carry=acts.take,
            tell=self._tell,
            height=kept.height,
        )
        if self._terms is not None:
            link.fee, link.lock_blocks = self._terms.fee, self._terms.lock_blocks
        self._link, self._watch = link, ChainWatch(self._client, link, kept.height)
        self._towers = WalletTowers(self.setup, self._store, link)
        self._nursery.start_soon(self._run, link, self._watch, acts, self._towers)

    def _begin_new(self, opened: OnChain, *, stale: bool) -> None:
        kept = Kept(opened.state, opened.height, opened.withdrawn, self.outgoing, self.incoming, None, stale)
        self._ended.cancel()
        self._ended = trio.CancelScope()
        self._begin(opened.state, kept)

    def _tell(self, told: Tell) -> None:
        self.told(told)

    @staticmethod
    def _no_fee(_amount: int) -> int:
        raise WalletError("the hub has not said what it takes")

    async def _run(self, link: Link, watch: ChainWatch, acts: ChainActs, towers: WalletTowers) -> None:
        with self._ended:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(towers.run)
                nursery.start_soon(watch.run)
                nursery.start_soon(acts.run)
                nursery.start_soon(self._stay_linked, link, watch, towers)

    async def _stay_linked(self, link: Link, watch: ChainWatch, towers: WalletTowers) -> None:
        """Speak to the hub while a node of the chain answers, and only after all that it has to tell.

        A wallet that was restored asks its towers before: what one of them holds may be newer than the hub admits.
        """
        while link.core.stale and not await towers.compare():  # noqa: ASYNC110  the towers are far away
            await trio.sleep(_PAUSE_S)
        while True:
            if link.core.state.phase is not Phase.OPEN:
                await link.changed()  # the hub has nothing to say any more; the chain has
                continue
            if not await _is_current(watch):
                await trio.sleep(_PAUSE_S)
                continue
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.run, self._hub)
                while link.core.state.phase is Phase.OPEN and await _is_current(watch):  # noqa: ASYNC110  a clock
                    await trio.sleep(_BEAT_S)
                nursery.cancel_scope.cancel()

    def _open_link(self) -> Link:
        if self._link is None:
            raise WalletError("there is no channel; open one first")
        phase = self._link.core.state.phase
        if phase is Phase.CLOSING:
            raise WalletError("the channel is closing; settle it after its window")
        if phase is Phase.SETTLED:
            raise WalletError("the channel is over; open another")
        return self._link

    async def _hub_knows(self, height: int) -> None:
        async def ask() -> None:
            while (await ask_terms(self._hub)).height < height:  # noqa: ASYNC110  the hub is far away
                await trio.sleep(_PAUSE_S)

        await self._in_time(ask, "the channel is open, but the hub does not follow the chain: run open again later")

    def _why_not(self) -> str:
        if self.connected:
            return "the hub does not answer in time"
        return f"no connection with the hub at {self.setup.hub_endpoint} (or no node of the chain answers)"

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for the chain's news."""
        link = self._link
        assert link is not None, "who waits has a channel"

        async def wait() -> None:
            while not condition():
                await link.changed()

        await self._in_time(wait, "it was sent, and the chain has not told of it yet: ask again later")

    async def _in_time(self, what: Callable[[], Awaitable[T]], otherwise: str) -> T:
        try:
            with trio.fail_after(ANSWER_S):
                return await what()
        except trio.TooSlowError as error:
            raise NoAnswerError(otherwise) from error


async def _is_current(watch: ChainWatch) -> bool:
    """Whether a node answers, and all that it has to tell is told."""
    with trio.move_on_after(_BEAT_MAX_S):
        try:
            await watch.catch_up(await watch.tip())
        except RpcError:
            return False
        return True
    return False


@asynccontextmanager
async def open_wallet(setup: Setup) -> AsyncIterator[ChannelWallet]:
    """The wallet in ``setup.database``. It opens without hub and chain, and connects as they come.

    Raises:
        StoreLockedError: another process has it open.
        StorageError: the disk, as it says.
    """
    store = open_wallet_store(setup.database, setup.domain)
    try:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(connect(list(setup.nodes), setup.chain_tls))
            hub = await stack.enter_async_context(open_channel(setup.hub_endpoint, setup.hub_tls))
            failed: Exception | None = None
            async with trio.open_nursery() as nursery:
                try:
                    yield ChannelWallet(setup, store, client, hub, nursery, store.load())
                except Exception as error:  # noqa: BLE001  raised below, as it is and not in a group
                    failed = error
                nursery.cancel_scope.cancel()
            if failed is not None:
                raise failed
    finally:
        store.close()
