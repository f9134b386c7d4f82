"""The city's genesis: the development network's, with bank branches that carry transactions, and short windows."""

from dataclasses import dataclass, replace
from typing import Final

from alatau.app.genesis.plan import ChannelsPlan, NetworkPlan, ParticipantPlan
from alatau.chain.permission import ParticipantKind
from alatau_devnet import accounts
from alatau_devnet.city.population import TIYN

BRANCHES: Final = 120
"""Accounts that send the city's transactions: a node gives each sender its share and no more."""
TOWERS: Final = ("city_tower_1", "city_tower_2")
_HELD_BY_HUB: Final = 500_000_000 * TIYN
_HELD_BY_BRANCH: Final = 20_000_000 * TIYN
_BLOCK_MS: Final = 250
_HEARTBEAT_MS: Final = 600


@dataclass(frozen=True, slots=True)
class Windows:
    """How long things may take on this chain, where a day takes minutes."""

    settle_blocks: int
    settle_seconds: int
    lock_blocks_min: int
    lock_blocks_max: int
    lock_margin: int

    @classmethod
    def of(cls, scale: float) -> "Windows":
        """A large hub needs longer to be back after a kill, and its locks must live that long."""
        return cls(160, 45, 50, 120, 20) if scale > 0.2 else cls(50, 15, 14, 40, 8)


def branch(number: int) -> str:
    """Name of a branch, from 0."""
    return f"branch_{number}"


def with_city(plan: NetworkPlan, windows: Windows) -> NetworkPlan:
    """``plan`` of a development network, made the city's."""
    branches = [accounts.address_of(branch(number)) for number in range(BRANCHES)]
    institution = ParticipantPlan(ParticipantKind.INSTITUTION)
    towers = [accounts.address_of(name) for name in TOWERS]
    holdings = plan.token.holdings | dict.fromkeys(branches, _HELD_BY_BRANCH)
    consensus = replace(plan.config.consensus, block_interval_ms=_BLOCK_MS, heartbeat_ms=_HEARTBEAT_MS)
    return replace(
        plan,
        config=replace(plan.config, consensus=consensus),
        participants=plan.participants | dict.fromkeys((*branches, *towers), institution),
        token=replace(plan.token, holdings=holdings | {accounts.address_of(accounts.HUB): _HELD_BY_HUB}),
        channels=ChannelsPlan(windows.settle_blocks, windows.settle_seconds),
    )
