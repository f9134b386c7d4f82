"""The plan of a development network: the real contracts and roles, with short delays and funded accounts."""

from dataclasses import dataclass
from typing import Final

from alatau.app.genesis.plan import ChannelsPlan, CouncilPlan, NetworkPlan, ParticipantPlan, TokenPlan, VaultPlan
from alatau.artifacts import addresses
from alatau.artifacts.genesis import NO_LIMITS, SYSTEM_CONTRACTS, Role, VaultAsset, VaultRole
from alatau.artifacts.positions import AssetClass, CustodianLimit, Place, PositionPlan
from alatau.chain.permission import Licence, ParticipantKind
from alatau.crypto.keccak import keccak256
from alatau.types.chain_config import ChainConfig, ConsensusParameters
from alatau_devnet import accounts

CHAIN_ID: Final = 7773
MINISTRIES: Final = (
    "Ministry of Finance",
    "Ministry of Digital Development",
    "National Bank",
    "Financial Monitoring Agency",
    "Ministry of Justice",
    "City of Alatau",
    "Audit Chamber",
    "Ministry of Energy",
    "Ministry of Transport",
    *(
        f"Region of {region}"
        for region in (
            "Abai",
            "Akmola",
            "Aktobe",
            "Almaty",
            "Atyrau",
            "East Kazakhstan",
            "Karaganda",
            "Kostanay",
            "Kyzylorda",
            "Mangystau",
            "North Kazakhstan",
            "Pavlodar",
            "Turkistan",
            "Ulytau",
            "West Kazakhstan",
            "Zhambyl",
        )
    ),
)
GOLD: Final = Place(
    AssetClass.GOLD,
    addresses.SETTLEMENT_TOKEN,
    accounts.address_of(accounts.CUSTODIAN),
    keccak256(b"devnet: bars in vault 3, account 7"),
)
"""What stands behind the settlement token; the tour attests it before anything is issued."""

_ETHER: Final = 10**18
_TOKEN: Final = 100
"""Smallest units of a token: two decimals."""

_CONSENSUS: Final = ConsensusParameters(
    block_interval_ms=200,
    heartbeat_ms=5_000,
    timeout_propose_ms=1_000,
    timeout_vote_ms=500,
    timeout_delta_ms=250,
    timeout_max_ms=10_000,
)
"""A fifth of production's interval, so that a developer never waits; a dead proposer costs a second."""


@dataclass(frozen=True, slots=True)
class DevnetOptions:
    """What may differ between two development networks."""

    validators: int = 4
    """At most as many as ``MINISTRIES`` has names."""
    residents: int = 64
    """At most 480: the constructors take 512 accounts."""
    delay_s: int = 3
    """Seconds between an approval and its execution."""
    settle_seconds: int = 3
    """Between the closing of a payment channel and its settlement, at least."""
    settle_blocks: int = 5
    """The same in blocks; the locks of a hub's payments live shorter."""


def devnet_plan(options: DevnetOptions, timestamp: int) -> NetworkPlan:
    """The plan of a network that starts at ``timestamp`` (seconds since 1970)."""
    residents = [accounts.resident(n) for n in range(1, options.residents + 1)]
    people = [*accounts.INSTITUTIONS, *_OFFICES, accounts.HUB, accounts.DEVELOPER, accounts.MERCHANT, *residents]
    return NetworkPlan(
        config=ChainConfig(chain_id=CHAIN_ID, name="devnet", system=SYSTEM_CONTRACTS, consensus=_CONSENSUS),
        timestamp=timestamp,
        alloc={accounts.address_of(name): 1_000 * _ETHER for name in people},
        observers=(),
        fund_council=_council("Fund Council", accounts.FUND_COUNCIL),
        reserve_council=_council("National Bank Board", accounts.RESERVE_BOARD),
        delay_s=options.delay_s,
        roles={accounts.address_of(name): role for name, role in _OFFICES.items()},
        participants=_participants(residents),
        tier_caps=(10_000_000 * _TOKEN, 100_000_000 * _TOKEN),
        payment_limits=(NO_LIMITS, NO_LIMITS),
        token=TokenPlan(
            name="Digital Tenge",
            symbol="KZTD",
            decimals=2,
            issuers={accounts.address_of(accounts.ISSUER): 1_000_000_000 * _TOKEN},
            holdings={
                accounts.address_of(name): 1_000_000 * _TOKEN for name in (accounts.HUB, accounts.CUSTODIAN, *residents)
            },
            backed=True,
        ),
        vault=_vault(options.delay_s),
        positions=PositionPlan(
            places=(GOLD,),
            limits=(CustodianLimit(GOLD.custodian, GOLD.asset, 10_000_000_000 * _TOKEN),),
        ),
        channels=ChannelsPlan(settle_blocks=options.settle_blocks, settle_seconds=options.settle_seconds),
        relying_party="localhost",
    )


_OFFICES: Final = {
    accounts.REGISTRAR: Role.REGISTRAR,
    accounts.LICENSOR: Role.LICENSOR,
    accounts.COMPLIANCE: Role.COMPLIANCE,
    accounts.COURT: Role.COURT,
}


def _vault(delay_s: int) -> VaultPlan:
    return VaultPlan(
        large_delay_s=4 * delay_s,
        roles={
            accounts.address_of(accounts.PROPOSER): VaultRole.PROPOSER,
            accounts.address_of(accounts.CUSTODIAN): VaultRole.CUSTODIAN,
            accounts.address_of(accounts.COURT): VaultRole.COURT,
            accounts.address_of(accounts.AUDITOR): VaultRole.AUDITOR,
            accounts.address_of(accounts.PROSECUTOR): VaultRole.PROSECUTOR,
        },
        destinations=(accounts.address_of(accounts.TREASURY),),
        assets=(
            VaultAsset(addresses.SETTLEMENT_TOKEN, 500_000 * _TOKEN, _TOKEN, 100_000 * _TOKEN),
            VaultAsset(bytes(20), 500 * _ETHER, _ETHER // 100, 100 * _ETHER),
        ),
    )


def _council(name: str, members: tuple[str, ...]) -> CouncilPlan:
    guardian = accounts.address_of(accounts.GUARDIAN)
    return CouncilPlan(name, tuple(accounts.address_of(m) for m in members), threshold=2, guardian=guardian)


def _participants(residents: list[str]) -> dict[bytes, ParticipantPlan]:
    institution = ParticipantPlan(ParticipantKind.INSTITUTION)
    hub = ParticipantPlan(ParticipantKind.INSTITUTION, licences=Licence.PLATFORM | Licence.PAYMENT_HUB)
    plan = {accounts.address_of(name): institution for name in accounts.INSTITUTIONS}
    plan |= {accounts.address_of(name): ParticipantPlan(ParticipantKind.RESIDENT, tier=1) for name in residents}
    plan[accounts.address_of(accounts.HUB)] = hub
    plan[accounts.address_of(accounts.MERCHANT)] = ParticipantPlan(ParticipantKind.MERCHANT, tier=1)
    plan[accounts.address_of(accounts.DEVELOPER)] = ParticipantPlan(ParticipantKind.INSTITUTION, deploys=True)
    return plan
