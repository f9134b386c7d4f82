"""A real hub on a real chain of one validator, in one process: residents and tills connect to it over TLS."""

import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    NO_LIMITS,
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    Role,
    genesis_contracts,
    hub_word,
    resident_word,
)
from alatau.channels.calls import parties_argument
from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.limits import Limits, Moment
from alatau.channels.messages import Parties, channel_id, channels_domain
from alatau.channels.party.core import PartyCore
from alatau.channels.party.effects import Put, Tell
from alatau.channels.state import opened
from alatau.client import Client
from alatau.client.abi import load_abi
from alatau.client.tower_feeding import TowerEndpoint
from alatau.crypto.secp256k1 import PrivateKey
from alatau.hub.hub import Hub, ask_settle_blocks, build_hub
from alatau.hub.store import open_store
from alatau.transport.certificates import trust_anchor
from alatau.transport.channel import open_channel
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.server import Listener, Server, serve
from alatau.types.genesis import GenesisContract
from alatau.wallet.chain_watch import ChainWatch
from alatau.wallet.link import Link
from alatau.wallet.setup import Setup
from tests.support.phones import ChipKey
from tests.support.solo_node import Running, SoloNode, founder, node_identity, running, solo_node
from tests.support.transactions import CHAIN_ID, signed
from tests.support.waiting import eventually

HUB = PrivateKey(b"\x51" * 32)
RESIDENTS = tuple(PrivateKey(bytes([number]) * 32) for number in (0x52, 0x53))
TILL = PrivateKey(b"\x54" * 32)
REGISTRAR = PrivateKey(b"\x55" * 32)
PHONE = ChipKey("phone")
"""A registered resident whose key is on P-256."""
DOMAIN = channels_domain(CHAIN_ID, addresses.CITY_CHANNELS, "localhost")
POLICY = Policy({0: Limits(payment=600, day=5_000)})
SETTLE_BLOCKS, SETTLE_SECONDS = 50, 3
DEPOSIT = 10_000
_DAY = 86_400


def contracts() -> tuple[GenesisContract, ...]:
    """Residents, a till and a hub are registered and have money."""
    members = tuple(PrivateKey(bytes([number]) * 32).address for number in (21, 22, 23))
    council = CouncilMembers("Council", members, 2, PrivateKey(b"\x18" * 32).address)
    people = {key.address: resident_word() for key in RESIDENTS}
    return genesis_contracts(
        NetworkContracts(
            validators=(founder(),),
            fund_council=council,
            reserve_council=council,
            delay_s=2,
            roles={REGISTRAR.address: Role.REGISTRAR},
            participants=people
            | {
                PHONE.address: resident_word(),
                TILL.address: resident_word(),
                HUB.address: hub_word(),
                REGISTRAR.address: resident_word(),
            },
            tier_caps=(10**9,),
            payment_limits=(NO_LIMITS,),
            holdings=dict.fromkeys((*(key.address for key in (*RESIDENTS, HUB, TILL)), PHONE.address), 10**6),
            settle_blocks=SETTLE_BLOCKS,
            settle_seconds=SETTLE_SECONDS,
            relying_party="localhost",
        )
    )


def moment(seconds: float, height: int) -> Moment:
    """Days of UTC, months of 30 days."""
    now = int(seconds)
    day = now // _DAY
    return Moment(now, height, day, (day + 1) * _DAY, day // 30, (day // 30 + 1) * 30 * _DAY)


class Memory:
    """A wallet's disk for a test that does not kill it."""

    def __init__(self) -> None:
        self.kept: list[Put] = []

    def keep(self, puts: Iterable[Put]) -> None:
        """As ``Keeper``."""
        self.kept += puts

    def agreed(self) -> None:
        """As ``Keeper``."""


@dataclass
class HubCity:
    """The chain and the hub."""

    chain: Running
    client: Client
    folder: Path
    nursery: trio.Nursery
    policy: Policy = POLICY
    hub: Hub | None = None
    server: Server | None = None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    told: list[Tell] = field(default_factory=list)
    towers: tuple[TowerEndpoint, ...] = ()
    """Of the hub, from its next start on."""
    clock: Callable[[], float] = time.time
    """Of the hub and of everybody's wallet."""

    @property
    def node(self) -> SoloNode:
        """The chain's node."""
        return self.chain.node

    async def start_hub(self) -> None:
        """From its disk."""
        self.scope = trio.CancelScope()
        await self.nursery.start(self._serve)

    async def _serve(self, task_status: trio.TaskStatus[None]) -> None:
        store = open_store(self.folder / "hub", DOMAIN, HUB.address)
        try:
            with self.scope:
                hub = build_hub(
                    store=store,
                    client=self.client,
                    key=HUB,
                    domain=DOMAIN,
                    policy=self.policy,
                    settle_blocks=await ask_settle_blocks(self.client, DOMAIN.contract),
                    moment=moment,
                    liquidity_step=1_000,
                    tower_endpoints=self.towers,
                    clock=self.clock,
                )
                hub.days.pause_s = 0.1
                self.hub = hub
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(hub.run)
                    services = [hub.service.service(), hub.wallets.service()]
                    listener = Listener("127.0.0.1", 0, ServerTls(IdentityHolder(node_identity()), None))
                    self.server = await nursery.start(partial(serve, services, [listener]))
                    task_status.started()
        finally:
            store.close()

    async def stop_hub(self) -> None:
        """It ends; what is on its disk stays."""
        self.scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep(0.2)

    def setup(self, key: PrivateKey, folder: Path) -> Setup:
        """What a wallet of ``key`` is told."""
        chain, tls = self.chain.endpoint, self.chain.tls
        return Setup(key, DOMAIN, HUB.address, self.hub_endpoint, tls, (chain,), tls, folder, clock=self.clock)

    @property
    def hub_endpoint(self) -> str:
        """Where the hub listens."""
        assert self.server is not None
        return f"127.0.0.1:{self.server.ports[0]}"

    def dial(self) -> Any:
        """A channel to the hub."""
        return open_channel(self.hub_endpoint, self.chain.tls)

    def open_on_chain(self, key: PrivateKey, deposit: int) -> Parties:
        """Somebody opens a channel with the hub, in a block."""
        parties = Parties(key.address, HUB.address, bytes(32))
        self.send(key, "SettlementToken", addresses.SETTLEMENT_TOKEN, "approve", DOMAIN.contract, 10**9)
        self.send(key, "CityChannels", DOMAIN.contract, "open", HUB.address, parties.salt, deposit)
        self.node.commit_block()
        return parties

    def send(self, key: PrivateKey, artifact: str, contract: bytes, name: str, *arguments: Any) -> None:
        """Offer a transaction; it waits for a block."""
        data = load_abi(load(artifact).abi).encode_call(name, arguments)
        nonce = self.node.next_nonce(key.address)
        transaction = signed(key, nonce=nonce, gas_limit=1_000_000, to=contract, value=0, data=data)
        assert self.node._admit(transaction.encoded) is None, "the transaction is taken"

    def link(self, key: PrivateKey, parties: Parties, deposit: int) -> Link:
        """A wallet's or a till's end of a channel."""
        core = PartyCore(opened(DOMAIN, parties, deposit, settle_blocks=SETTLE_BLOCKS), key.address, key.sign)
        return Link(
            core,
            Memory(),
            clock=self.clock,
            fee=lambda _amount: 0,
            lock_blocks=30,
            carry=lambda _act: None,
            tell=self.told.append,
        )

    async def joined(self, key: PrivateKey, deposit: int) -> Link:
        """Somebody opens a channel, and the hub has seen it."""
        parties = self.open_on_chain(key, deposit)
        assert self.hub is not None
        members = self.hub.owner.core.book.members
        await eventually(lambda: channel_id(DOMAIN, parties) in members)
        return self.follow(key, parties, deposit)

    def follow(self, key: PrivateKey, parties: Parties, deposit: int) -> Link:
        """An end of a channel that was just opened; it follows the chain."""
        link = self.link(key, parties, deposit)
        assert self.node.store.tip is not None
        watch = ChainWatch(self.client, link, self.node.store.tip.number)
        link.height = watch.height
        self.nursery.start_soon(watch.run)
        return link


@dataclass(frozen=True)
class ServedCity:
    """A hub and a chain in a thread of their own, for what needs a thread itself."""

    city: HubCity
    folder: Path
    """For whatever the test makes; ``ca.pem`` and ``password`` lie there."""
    token: trio.lowlevel.TrioToken

    def stop_hub(self) -> None:
        """It goes away."""
        trio.from_thread.run(self.city.stop_hub, trio_token=self.token)

    def wait_attached(self, key: PrivateKey) -> None:
        """The first channel of ``key`` is connected with the hub."""

        async def wait() -> None:
            assert self.city.hub is not None
            identity = channel_id(DOMAIN, Parties(key.address, HUB.address, bytes(32)))
            member = self.city.hub.owner.core.book.members[identity]
            await eventually(lambda: member.attached)

        trio.from_thread.run(wait, trio_token=self.token)

    def give_liquidity(self, key: PrivateKey, amount: int) -> None:
        """The hub puts money into the first channel of ``key``, and has seen it."""

        async def give() -> None:
            parties = Parties(key.address, HUB.address, bytes(32))
            assert self.city.hub is not None
            members, identity = self.city.hub.owner.core.book.members, channel_id(DOMAIN, parties)
            token, channels = addresses.SETTLEMENT_TOKEN, DOMAIN.contract
            self.city.send(HUB, "SettlementToken", token, "approve", channels, amount)
            self.city.send(HUB, "CityChannels", channels, "deposit", parties_argument(parties), amount)
            self.city.node.commit_block()
            await eventually(lambda: members[identity].state.b.deposited == amount)

        trio.from_thread.run(give, trio_token=self.token)


@contextmanager
def served_city(folder: Path) -> Iterator[ServedCity]:
    """A chain and a hub that serve, from a thread."""
    (folder / "ca.pem").write_bytes(trust_anchor(node_identity().public_key))
    (folder / "password").write_text("correct horse\n")
    started: queue.Queue[Any] = queue.Queue()

    async def serve() -> None:
        stop = trio.Event()
        async with hub_city(folder) as city:
            started.put((city, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=(serve,), daemon=True)
    thread.start()
    city, token, stop = started.get(timeout=60)
    try:
        yield ServedCity(city, folder, token)
    finally:
        token.run_sync_soon(stop.set)
        thread.join(60)
        assert not thread.is_alive(), "the hub has stopped"


@asynccontextmanager
async def hub_city(folder: Path, *, hub: bool = True, clock: Callable[[], float] = time.time) -> AsyncIterator[HubCity]:
    """A chain that serves, and a hub in this process, or none."""
    node = solo_node(folder, registry=SYSTEM_CONTRACTS.participant_registry, contracts=contracts())
    async with running(node) as chain, chain.connect() as client, trio.open_nursery() as nursery:
        city = HubCity(chain, client, folder, nursery, clock=clock)
        nursery.start_soon(node.produce)
        if hub:
            await city.start_hub()
        yield city
        nursery.cancel_scope.cancel()
