"""What the PositionLedger of a network is told in genesis: classes, places and limits of custodians."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.types.genesis import GenesisContract

_DAY_S: Final = 86_400


class AssetClass(IntEnum):
    """Kinds of position, flags in Vyper."""

    COINS = 1
    FUND_UNITS = 2
    GOLD = 4
    SHARES = 8
    BONDS = 16


@dataclass(frozen=True, slots=True)
class ClassTerms:
    """How long a report of a class is good, how near attesters have to be to each other, and what it counts."""

    quantity_age_s: int
    price_age_s: int
    deviation_bps: int
    """Hundredths of a percent of the median."""
    haircut_bps: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a position is."""

    kind: AssetClass
    asset: bytes
    """The asset of the vault behind which it stands; zero for the native one."""
    custodian: bytes
    account_hash: bytes
    """keccak256 of the account's reference, 32 bytes."""

    def as_argument(self) -> tuple[int, bytes, bytes, bytes]:
        """As the contract takes it."""
        return (self.kind, self.asset, self.custodian, self.account_hash)


@dataclass(frozen=True, slots=True)
class CustodianLimit:
    """What counts at most at a custodian of what stands behind an asset, in the asset's smallest unit."""

    custodian: bytes
    asset: bytes
    limit: int


DEFAULT_CLASSES: Final[Mapping[AssetClass, ClassTerms]] = {
    AssetClass.COINS: ClassTerms(_DAY_S, _DAY_S, 50, 1_000),
    AssetClass.FUND_UNITS: ClassTerms(2 * _DAY_S, 5 * _DAY_S, 50, 500),
    AssetClass.GOLD: ClassTerms(30 * _DAY_S, 2 * _DAY_S, 100, 500),
    AssetClass.SHARES: ClassTerms(2 * _DAY_S, 2 * _DAY_S, 100, 1_500),
    AssetClass.BONDS: ClassTerms(7 * _DAY_S, 3 * _DAY_S, 100, 300),
}
"""Coins can be looked at daily; net asset values come late; gold is counted monthly, its price is not."""


@dataclass(frozen=True, slots=True)
class PositionPlan:
    """The position ledger of a network."""

    threshold: int = 2
    """Attesters that a report takes: a custodian, an auditor, and whoever more."""
    classes: Mapping[AssetClass, ClassTerms] = field(default_factory=lambda: dict(DEFAULT_CLASSES))
    places: tuple[Place, ...] = ()
    limits: tuple[CustodianLimit, ...] = ()


def position_ledger(plan: PositionPlan, delay_s: int) -> GenesisContract:
    """The ledger in genesis: attested by the vault's custodians and auditors, governed by the fund council."""
    code = load("PositionLedger").creation(
        addresses.RESERVE_VAULT,
        addresses.FUND_COUNCIL,
        delay_s,
        plan.threshold,
        [
            (kind, (terms.quantity_age_s, terms.price_age_s, terms.deviation_bps, terms.haircut_bps))
            for kind, terms in sorted(plan.classes.items())
        ],
        [place.as_argument() for place in plan.places],
        [(one.custodian, one.asset, one.limit) for one in plan.limits],
    )
    return GenesisContract("PositionLedger", addresses.POSITION_LEDGER, code)
