"""Honest clients: they pay, follow blocks and ask for status, before, during and after an attack.

Each payer has a node of its own and goes to the next one when that does not take its payment, as a bank's gateway
would. A payment counts from its first attempt to the block that any node shows it in.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles
from typing import Final

import trio

from alatau.artifacts import addresses
from alatau.client import Client, ClientError, RpcError, client_tls, connect
from alatau.client.queries import CallMessage
from alatau.crypto.keccak import keccak256
from alatau.types.transaction import Transaction
from alatau.wire.block import BlockView
from alatau_devnet import accounts
from alatau_devnet.attack.sources import relay
from alatau_devnet.attack.web_probe import ask_status
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.token_payment import token_payment

HONEST_ADDRESS: Final = "127.0.0.9"
_PAYERS: Final = 32
_RATE_PER_S: Final = 20.0
_ATTEMPT_S: Final = 2.0
"""What a payer gives one node before it asks the next."""
_PROBE_EVERY_S: Final = 0.5
_PROBE_S: Final = 2.0
_SUPPLY_CALL: Final = keccak256(b"totalSupply()")[:4]


@dataclass(slots=True)
class Phase:
    """What honest clients saw in a stretch of time. Payments count where they were sent."""

    latencies_s: list[float] = field(default_factory=list)
    open: int = 0
    """Sent and not final yet."""
    probes: int = 0
    answered: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    """Why probes were not answered, by the error's reason."""

    @property
    def p50_ms(self) -> float:
        """Median time to finality; infinite where nothing became final."""
        return self._quantile_ms(50)

    @property
    def p95_ms(self) -> float:
        """95th percentile of it."""
        return self._quantile_ms(95)

    @property
    def answered_share(self) -> float:
        """Share of the probes that the victim answered."""
        return self.answered / self.probes if self.probes else 1.0

    def _quantile_ms(self, percent: int) -> float:
        if not self.latencies_s:
            return float("inf")
        if len(self.latencies_s) == 1:
            return self.latencies_s[0] * 1_000
        return quantiles(self.latencies_s, n=100, method="inclusive")[percent - 1] * 1_000

    async def settled(self, within_s: float) -> bool:
        """Whether every payment of this phase became final within so many seconds from now."""
        with trio.move_on_after(within_s):
            while self.open:  # noqa: ASYNC110  what is waited for has no event
                await trio.sleep(0.1)
        return not self.open


class Honest:
    """The honest clients of a network. Made by :func:`open_honest`."""

    def __init__(self, clients: Sequence[Client], http: str, chain_id: int, nonces: dict[str, int]) -> None:
        """``http`` is where the first client's node serves over HTTP, the victim."""
        self._clients = clients
        self._http = http
        self._chain_id = chain_id
        self._nonces = nonces
        self._under_way: dict[bytes, tuple[float, Phase]] = {}
        self.phase = Phase()

    def begin(self) -> Phase:
        """Begin another phase and give it."""
        self.phase = Phase()
        return self.phase

    async def pay(self) -> None:
        """Pay at a steady rate until cancelled."""
        names = list(self._nonces)
        async with trio.open_nursery() as nursery:
            turn, due = 0, trio.current_time()
            while True:
                nursery.start_soon(self._pay_once, names[turn % len(names)], turn)
                turn, due = turn + 1, due + 1 / _RATE_PER_S
                await trio.sleep_until(due)

    async def _pay_once(self, name: str, node: int) -> None:
        key, phase = accounts.key_of(name), self.phase
        payee = accounts.address_of(accounts.MERCHANT)
        tx = token_payment(key, payee, 1, chain_id=self._chain_id, nonce=self._nonces[name])
        self._nonces[name] += 1
        self._under_way[tx.hash] = (trio.current_time(), phase)
        phase.open += 1
        while tx.hash in self._under_way:
            with trio.move_on_after(_ATTEMPT_S):
                if await self._offered(tx, self._clients[node % len(self._clients)]):
                    return
            node += 1
            await trio.sleep(0.05)

    async def _offered(self, tx: Transaction, client: Client) -> bool:
        try:
            await client.submit(tx)
        except (RpcError, ClientError):
            return False
        return True

    async def follow(self, client: Client) -> None:
        """Note what becomes final, as one node tells it, until cancelled."""
        while True:
            try:
                async with client.subscribe_blocks(view=BlockView.HASHES) as blocks:
                    async for block in blocks:
                        self._note(block.transaction_hashes)
            except (RpcError, ClientError):
                await trio.sleep(0.2)

    def _note(self, hashes: Sequence[bytes]) -> None:
        now = trio.current_time()
        for hash_ in hashes:
            sent = self._under_way.pop(hash_, None)
            if sent is not None:
                at, phase = sent
                phase.latencies_s.append(now - at)
                phase.open -= 1

    async def probe(self) -> None:
        """Ask the victim for its status, over gRPC and HTTP, and run a call on it, in turn until cancelled."""
        victim, call = self._clients[0], CallMessage(to=addresses.SETTLEMENT_TOKEN, data=_SUPPLY_CALL)
        asks = (victim.status, lambda: victim.call(call), partial(ask_status, self._http, HONEST_ADDRESS))
        async with trio.open_nursery() as nursery:
            turn = 0
            while True:
                nursery.start_soon(self._probe_once, asks[turn % len(asks)])
                turn += 1
                await trio.sleep(_PROBE_EVERY_S)

    async def _probe_once(self, ask: object) -> None:
        assert callable(ask)
        phase = self.phase
        with trio.move_on_after(_PROBE_S) as scope:
            try:
                await ask()
            except RpcError as error:
                phase.probes += 1
                phase.refusals[error.reason] += 1
                return
        phase.probes += 1
        phase.answered += not scope.cancelled_caught
        if scope.cancelled_caught:
            phase.refusals[f"no answer in {_PROBE_S:g} s"] += 1


async def _next_nonce(clients: Sequence[Client], name: str) -> int:
    """What the node says that is furthest: another may still catch up."""
    return max([(await client.account(accounts.address_of(name))).next_nonce for client in clients])


@asynccontextmanager
async def open_honest(network: Devnet, nodes: Sequence[DevnetNode]) -> AsyncIterator[Honest]:
    """Honest clients of ``nodes`` of a running network, paying, following and probing until the block ends."""
    async with AsyncExitStack() as stack:
        clients = []
        for node in nodes:
            endpoint = await stack.enter_async_context(relay(HONEST_ADDRESS, node.rpc))
            tls = client_tls(node_key=node.tls_public_key)
            clients.append(await stack.enter_async_context(connect(endpoint, tls)))
        names = [accounts.resident(n) for n in range(1, _PAYERS + 1)]
        nonces = {name: await _next_nonce(clients, name) for name in names}
        honest = Honest(clients, nodes[0].http, network.chain_id, nonces)
        async with trio.open_nursery() as following:
            for client in clients:
                following.start_soon(honest.follow, client)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(honest.pay)
                nursery.start_soon(honest.probe)
                try:
                    yield honest
                finally:
                    nursery.cancel_scope.cancel()
            following.cancel_scope.cancel()
