"""Payments as a load: token transfers between residents, through gRPC to all nodes, timed until they are final.

A payment is *final* when a block that holds it is decided, as a client that subscribes to blocks is told. Every
sender talks to one node, so that its nonces arrive in order; senders are spread over the nodes evenly.
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Final

import trio

from alatau.client import Client, client_tls, connect
from alatau.client.submitting import Refused
from alatau.types.transaction import Transaction
from alatau.wire.block import BlockRecord, BlockView
from alatau_devnet import accounts
from alatau_devnet.network import Devnet
from alatau_devnet.token_payment import token_payment

_AMOUNT: Final = 1
"""Smallest units moved by a payment, so that no load runs a resident dry."""


_TICK_S: Final = 0.05
_RAMP_S: Final = 3.0
_STALL_S: Final = 30.0


class LoadError(RuntimeError):
    """Payments were refused or did not become final. The message says which and why."""


@dataclass(slots=True)
class Sender:
    """A resident who pays, and the node that it talks to."""

    name: str
    node: int
    nonce: int
    waiting: deque[Transaction] = field(default_factory=deque)
    """Signed beforehand, so that signing costs the nodes no time."""


@dataclass(slots=True)
class PaymentTimes:
    """When payments were sent and final, on Trio's clock."""

    sent_at: dict[bytes, float] = field(default_factory=dict)
    """Hash -> time; those not final yet."""
    latencies_s: list[float] = field(default_factory=list)
    final: int = 0
    failed: int = 0
    last_final_at: float = 0.0

    def quantile_ms(self, percent: int) -> float:
        """Milliseconds within which this share of the payments was final."""
        return quantiles(self.latencies_s, n=100, method="inclusive")[percent - 1] * 1_000


class PaymentLoad:
    """A load on a running network. Make one with :func:`open_load`."""

    def __init__(self, chain_id: int, clients: Sequence[Client], senders: list[Sender]) -> None:
        self._chain_id = chain_id
        self.clients = clients
        self.senders = deque(senders)
        self._blocks = trio.lowlevel.ParkingLot()
        self.times = PaymentTimes()

    def sign(self, count: int) -> None:
        """Sign ``count`` payments, spread over the senders."""
        senders = list(self.senders)
        keys = [accounts.key_of(sender.name) for sender in senders]
        for n in range(count):
            index = n % len(senders)
            sender, payee = senders[index], keys[(index + 1) % len(keys)].address
            sender.waiting.append(
                token_payment(keys[index], payee, _AMOUNT, chain_id=self._chain_id, nonce=sender.nonce)
            )
            sender.nonce += 1

    def restart_clock(self) -> None:
        """Forget the times measured so far: a new phase begins."""
        assert not self.times.sent_at, "a phase ends when everything it sent is final"
        self.times = PaymentTimes()

    async def at_rate(self, per_s: float, duration_s: float) -> None:
        """Send at a steady rate, a little every 50 ms as many tills would, and wait until all is final."""
        started = trio.current_time()
        sent = 0
        async with trio.open_nursery() as nursery:
            while (elapsed := trio.current_time() - started) < duration_s:
                due = round(elapsed * per_s)
                self._send(nursery, due - sent)
                sent = due
                await trio.sleep(_TICK_S)
        await self.drained()

    async def at_full_speed(self, duration_s: float, in_flight_max: int) -> float:
        """Keep ``in_flight_max`` payments under way; give how many became final per second.

        Measured between two blocks about ``duration_s`` apart, so that neither ramp-up nor drain count.
        """
        enough = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_full, in_flight_max, enough)
            await trio.sleep(_RAMP_S)
            await self.next_block()
            first_at, first = self.times.last_final_at, self.times.final
            while self.times.last_final_at - first_at < duration_s:
                await self.next_block()
            rate = (self.times.final - first) / (self.times.last_final_at - first_at)
            enough.set()
        await self.drained()
        return rate

    async def drained(self) -> None:
        """Wait until everything sent is final.

        Raises:
            LoadError: nothing became final for a long time, or payments failed.
        """
        while self.times.sent_at:
            with trio.move_on_after(_STALL_S) as stalled:
                await self.next_block()
            if stalled.cancelled_caught:
                raise LoadError(f"{len(self.times.sent_at)} payments are not final after {_STALL_S:.0f} s")
        if self.times.failed:
            raise LoadError(f"{self.times.failed} payments failed")

    async def follow(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Note when payments become final, until cancelled."""
        async with self.clients[0].subscribe_blocks(view=BlockView.OUTCOMES) as blocks:
            task_status.started()
            async for block in blocks:
                self._note(block)

    def _note(self, block: BlockRecord) -> None:
        times, now = self.times, trio.current_time()
        for hash_, outcome in zip(block.transaction_hashes, block.outcomes, strict=True):
            sent = times.sent_at.pop(hash_, None)
            if sent is None:
                continue
            times.latencies_s.append(now - sent)
            times.final += 1
            times.last_final_at = now
            times.failed += not outcome.succeeded
        self._blocks.unpark_all()

    async def next_block(self) -> None:
        """Wait until another block is final."""
        await self._blocks.park()

    async def _keep_full(self, in_flight_max: int, enough: trio.Event) -> None:
        async with trio.open_nursery() as nursery:
            while not enough.is_set():
                self._send(nursery, in_flight_max - len(self.times.sent_at))
                await self.next_block()

    def _send(self, nursery: trio.Nursery, count: int) -> None:
        """Send the next ``count`` signed payments, a batch to each node, each sender's in order."""
        batches: dict[int, list[Transaction]] = {}
        now = trio.current_time()
        for _ in range(count):
            sender = self.senders[0]
            if not sender.waiting:
                raise LoadError("the load ran out of signed payments: sign more of them beforehand")
            tx = sender.waiting.popleft()
            batches.setdefault(sender.node, []).append(tx)
            self.times.sent_at[tx.hash] = now
            self.senders.rotate(-1)
        for node, batch in batches.items():
            nursery.start_soon(self._submit, node, batch)

    async def _submit(self, node: int, batch: list[Transaction]) -> None:
        outcomes = await self.clients[node].submit_many(batch)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        if refused:
            raise LoadError(f"{len(refused)} of {len(batch)} payments refused, the first: {refused[0]}")


@asynccontextmanager
async def open_load(network: Devnet, senders: int) -> AsyncIterator[PaymentLoad]:
    """A load from the first ``senders`` residents of a running network."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(connect(node.rpc, client_tls(node_key=node.tls_public_key)))
            for node in network.nodes
        ]
        names = [accounts.resident(n) for n in range(1, senders + 1)]
        nonces = [(await clients[0].account(accounts.address_of(name))).next_nonce for name in names]
        load = PaymentLoad(
            network.chain_id,
            clients,
            [Sender(name, n % len(clients), nonce) for n, (name, nonce) in enumerate(zip(names, nonces, strict=True))],
        )
        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(load.follow)
        yield load
        nursery.cancel_scope.cancel()
