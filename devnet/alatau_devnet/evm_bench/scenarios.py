"""What is measured: messages that a city's contracts receive, and three contracts that are heavy in one way."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import compile_source
from alatau.channels.calls import claim_argument, own_request, parties_argument
from alatau.channels.messages import Parties, Voucher, channel_id, channels_domain, sign_voucher
from alatau.evm.environment import BlockEnvironment
from alatau_devnet import accounts
from alatau_devnet.evm_bench.world import CONFIG, World, calldata, genesis, resident

_CONTRACTS: Final = Path(__file__).parent / "contracts"
_PARTIES: Final = "(address,address,bytes32)"
_REQUEST: Final = "(address,uint256,bytes)"
_LOCKS: Final = "(bytes32,uint256,uint256)[]"
_CLAIM: Final = f"(address,uint256,uint256,{_LOCKS},bytes,bytes)"
_GAS: Final = 16_000_000
"""Each message's gas: below Osaka's cap for a transaction, and enough for the heaviest scenario."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A message on a state; run again and again from the same state."""

    name: str
    pre: dict[str, Any]
    """Accounts, as ``World.dump`` writes them."""
    environment: BlockEnvironment
    sender: bytes
    to: bytes
    data: bytes
    repeats: int
    """For our engine; the slower ones run fewer."""
    gas: int = _GAS


def scenarios() -> list[Scenario]:
    """All of them, prepared."""
    return [*_token(), *_channels(), *_heavy()]


def _token() -> list[Scenario]:
    world = World.at_genesis(genesis())
    payer, payee = resident(1).address, resident(2).address
    issuer = accounts.address_of(accounts.ISSUER)
    # The first transfer of an account asks the registry and notes the answer; the measured ones are the rest.
    transfer = calldata("transfer(address,uint256)", payee, 5)
    world.send(payer, addresses.SETTLEMENT_TOKEN, transfer)
    pre = world.dump()
    calls = (
        ("token transfer", payer, transfer),
        ("token approve", payer, calldata("approve(address,uint256)", payee, 1_000)),
        ("token mint", issuer, calldata("mint(address,uint256)", payee, 1_000)),
    )
    return [
        Scenario(name, pre, world.environment, sender, addresses.SETTLEMENT_TOKEN, data, 3_000)
        for name, sender, data in calls
    ]


def _channels() -> list[Scenario]:
    world = World.at_genesis(genesis())
    a, b = resident(1), accounts.key_of(accounts.HUB)
    channels, limit = addresses.CITY_CHANNELS, 2**256 - 1
    world.send(a.address, addresses.SETTLEMENT_TOKEN, calldata("approve(address,uint256)", channels, limit))
    opening = _opening(1)
    world.send(a.address, channels, opening)
    opened = world.dump()
    parties = Parties(a.address, b.address, (1).to_bytes(32, "big"))
    world.send(b.address, channels, _closing(parties))
    now = world.environment
    later = replace(now, number=now.number + 100, timestamp=now.timestamp + 60)
    settling = calldata(f"settle({_PARTIES},{_LOCKS},{_LOCKS})", parties_argument(parties), [], [])
    return [
        Scenario("channel open", opened, world.environment, a.address, channels, _opening(2), 2_000),
        Scenario("channel close", opened, world.environment, b.address, channels, _closing(parties), 1_000),
        Scenario("channel settle", world.dump(), later, b.address, channels, settling, 2_000),
    ]


def _opening(salt: int) -> bytes:
    hub = accounts.address_of(accounts.HUB)
    return calldata("open(address,bytes32,uint256)", hub, salt.to_bytes(32, "big"), 1_000)


def _closing(parties: Parties) -> bytes:
    """The hub closes with the newest voucher of its customer."""
    domain = channels_domain(CONFIG.chain_id, addresses.CITY_CHANNELS)
    voucher = Voucher(channel_id(domain, parties), parties.a, 7, 300)
    signed = sign_voucher(domain, voucher, resident(1).sign)
    return calldata(
        f"close({_PARTIES},{_REQUEST},{_CLAIM})",
        parties_argument(parties),
        own_request(parties.b),
        claim_argument(signed),
    )


def _heavy() -> list[Scenario]:
    world = World.at_genesis(genesis())
    sender = accounts.address_of(accounts.ISSUER)
    places = {
        name: world.send(sender, None, compile_source(_CONTRACTS / f"{name}.vy").creation())
        for name in ("Hashes", "Ledger", "Numbers")
    }
    world.send(sender, places["Ledger"], calldata("post(uint256,uint256,uint256)", 0, 200, 1))
    pre = world.dump()
    calls = (
        ("10,000 hashes", "Hashes", calldata("chain(bytes32,uint256)", bytes(32), 10_000), 20),
        ("storage: 200 entries", "Ledger", calldata("post(uint256,uint256,uint256)", 0, 200, 3), 100),
        ("arithmetic: 2,000 periods", "Numbers", calldata("interest(uint256,uint256,uint256)", 10**9, 75, 2_000), 100),
    )
    return [
        Scenario(name, pre, world.environment, sender, places[contract], data, repeats)
        for name, contract, data, repeats in calls
    ]
