"""How the city comes about on chain: registered in batches, funded, a channel each, the hub's money with merchants."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from alatau.artifacts import addresses
from alatau.channels.calls import parties_argument
from alatau.channels.signed_money import Authorization, authorization_digest, signed_money_argument
from alatau_devnet import accounts
from alatau_devnet.city.carriers import Call, Carriers
from alatau_devnet.city.population import TIYN, Kind
from alatau_devnet.city.schedule import Purchase
from alatau_devnet.city.world import Lines, World, now

Step = Callable[[str, int], None]
"""Name of what is done and how many more of it are."""

_REGISTERED_AT_ONCE: Final = 150
_GAS_MAX: Final = 1 << 24
"""Of a transaction (EIP-7825)."""
_OPEN_GAS, _OPEN_P256_GAS = 260_000, 420_000
_SPARE: Final = 20_000 * TIYN
_WITHOUT: Final = 50
"""One merchant of so many gets none of the hub's money beforehand: the hub puts it in when a payment needs it."""


async def open_city(world: World, lines: Lines, day: Sequence[Purchase], step: Step) -> dict[str, int]:
    """Everything up to the moment in which the hub starts; gives the gas of each step."""
    gas = {}
    branches = lines.carriers
    registrar = Carriers(lines.nodes[:1], [accounts.key_of(accounts.REGISTRAR)], world.network.chain_id)
    gas["register"] = await registrar.carry(_registrations(world, lines), lambda n: step("register", n))
    gas["fund"] = await branches.carry(_funding(world, lines), lambda n: step("fund", n))
    gas["open"] = await branches.carry(_openings(world, lines), lambda n: step("open", n))
    hub = Carriers(lines.nodes[:1], [world.hub_key], world.network.chain_id)
    gas["liquidity"] = await hub.carry(_liquidity(world, lines, day), lambda n: step("liquidity", n))
    return gas


def _registrations(world: World, lines: Lines) -> Iterator[Call]:
    for kind, people in ((Kind.RESIDENT, world.residents), (Kind.MERCHANT, world.merchants)):
        for first in range(0, len(people), _REGISTERED_AT_ONCE):
            batch = [person.address for person in people[first : first + _REGISTERED_AT_ONCE]]
            gas = min(100_000 + 70_000 * len(batch), _GAS_MAX)
            arguments = (batch, kind.value, 1, 0)
            yield lines.contracts.call(
                "ParticipantRegistry", addresses.PARTICIPANT_REGISTRY, gas, "register_many", *arguments
            )


def _funding(world: World, lines: Lines) -> Iterator[Call]:
    token = addresses.SETTLEMENT_TOKEN
    for person in world.residents:
        yield lines.contracts.call("SettlementToken", token, 150_000, "transfer", person.address, person.deposit)


def _openings(world: World, lines: Lines) -> Iterator[Call]:
    until = now() + 86_400
    for person in world.people:
        money = Authorization(person.address, addresses.CITY_CHANNELS, person.deposit, 0, until, person.channel_id)
        signature = person.key.sign(authorization_digest(world.token, money))
        argument = signed_money_argument(money, signature)
        gas = _OPEN_P256_GAS if person.is_p256 else _OPEN_GAS
        yield lines.contracts.call(
            "CityChannels",
            addresses.CITY_CHANNELS,
            gas,
            "open_for",
            world.hub_key.address,
            person.parties.salt,
            argument,
        )


def _liquidity(world: World, lines: Lines, day: Sequence[Purchase]) -> Iterator[Call]:
    """As much as a merchant will need, for most of them: a hub knows its merchants."""
    token, channels = addresses.SETTLEMENT_TOKEN, addresses.CITY_CHANNELS
    yield lines.contracts.call("SettlementToken", token, 100_000, "approve", channels, 2**256 - 1)
    expected = [0] * len(world.merchants)
    for purchase in day:
        expected[purchase.merchant] += purchase.amount
    for number, merchant in enumerate(world.merchants):
        if number % _WITHOUT == _WITHOUT - 1 or number == len(world.merchants) - 1:
            continue
        arguments = parties_argument(merchant.parties), expected[number] + _SPARE
        yield lines.contracts.call("CityChannels", channels, 150_000, "deposit", *arguments)
