"""The processes of the city and how they are reached: validators, a hub, towers, branches that carry transactions."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.messages import Domain, channels_domain, domain_of
from alatau.client import Client, client_tls, connect
from alatau.client.contract import Contract
from alatau.crypto.secp256k1 import PrivateKey
from alatau_devnet import accounts
from alatau_devnet.city.carriers import Carriers, Contracts
from alatau_devnet.city.plan import BRANCHES, TOWERS, Windows, branch, with_city
from alatau_devnet.city.population import TIYN, Person, Size, populate
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.service_homes import ServiceHome, make_hub, make_tower
from alatau_devnet.watch import wait_until_deciding

RELYING_PARTY: Final = "localhost"
MONTH_LIMIT: Final = 15_000 * TIYN
"""What a resident may pay in a month; the deposit is above it, so that the limit is what is met."""
FEE_PARTS: Final = 2_000
_VALIDATORS: Final = 4


@dataclass(frozen=True, slots=True)
class World:
    """All of it."""

    folder: Path
    size: Size
    windows: Windows
    network: Devnet
    domain: Domain
    token: Domain
    """Of the settlement token, for signed money."""
    hub: ServiceHome
    hub_key: PrivateKey
    towers: tuple[ServiceHome, ...]
    people: list[Person]

    @property
    def residents(self) -> Sequence[Person]:
        """Of the people."""
        return self.people[: self.size.residents]

    @property
    def merchants(self) -> Sequence[Person]:
        """Of the people."""
        return self.people[self.size.residents :]


@dataclass(frozen=True, slots=True)
class Lines:
    """Open connections to the chain."""

    nodes: tuple[Client, ...]
    """One a validator."""
    any: Client
    """Whichever answers."""
    carriers: Carriers
    contracts: Contracts

    def channels(self) -> Contract:
        """CityChannels."""
        return self.any.contract(load("CityChannels").abi, addresses.CITY_CHANNELS)

    def token(self) -> Contract:
        """The settlement token."""
        return self.any.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)

    def registry(self) -> Contract:
        """The participants' registry."""
        return self.any.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)


def build_world(folder: Path, scale: float, seed: int) -> World:
    """Ceremony, homes, keys; the validators run when this returns."""
    size, windows = Size.of(scale), Windows.of(scale)
    options = DevnetOptions(validators=_VALIDATORS, residents=1)
    network = create_network(folder / "network", options, adapt=partial(with_city, windows=windows))
    hub_key = accounts.key_of(accounts.HUB)
    domain = channels_domain(network.chain_id, addresses.CITY_CHANNELS, RELYING_PARTY)
    token = domain_of("Digital Tenge", network.chain_id, addresses.SETTLEMENT_TOKEN)
    towers = tuple(make_tower(network, folder / name, accounts.key_of(name), {}) for name in TOWERS)
    settings = {
        "fees.parts_per_million": FEE_PARTS,
        "limits.tiers": f"1:-/-/{MONTH_LIMIT}",
        "locks.blocks_min": windows.lock_blocks_min,
        "locks.blocks_max": windows.lock_blocks_max,
        "locks.margin_blocks": windows.lock_margin,
        "liquidity.step": str(5_000 * TIYN),
    }
    hub = make_hub(network, folder / "hub", hub_key, settings, towers)
    people = populate(size, hub_key.address, domain, seed)
    start_nodes(network)
    wait_until_deciding(network)
    return World(folder, size, windows, network, domain, token, hub, hub_key, towers, people)


def end_world(world: World) -> None:
    """Stop every process; what they wrote stays."""
    for home in (world.hub, *world.towers):
        home.stop()


def clear(folder: Path) -> None:
    """Remove what an earlier run left."""
    remove_network(folder / "network")


@asynccontextmanager
async def open_lines(world: World) -> AsyncIterator[Lines]:
    """Connected with every validator."""
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(connect(node.rpc, client_tls(node_key=node.tls_public_key)))
            for node in world.network.nodes
        ]
        tls = client_tls(ca=world.network.ca_file)
        every = await stack.enter_async_context(connect([node.rpc for node in world.network.nodes], tls))
        keys = [accounts.key_of(branch(number)) for number in range(BRANCHES)]
        yield Lines(tuple(nodes), every, Carriers(nodes, keys, world.network.chain_id), Contracts())


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())
