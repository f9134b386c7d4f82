"""The contracts of a network from block 0: who they are told about, and the creation code that says so."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.positions import PositionPlan, position_ledger
from alatau.chain.permission import Licence, ParticipantKind, kind_of, status_word, tier_of
from alatau.chain.validator_registry import Observer
from alatau.types.chain_config import SystemContracts
from alatau.types.genesis import GenesisContract, GenesisValidator

PARTICIPANTS_MAX: Final = 512
"""Accounts that the constructors take (bounds in the Vyper sources); later ones are registered."""

_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
RELYING_PARTY: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
"""A domain as browsers compare it: lower case, letters of other scripts in their ASCII form (RFC 5890)."""

NO_CAP: Final = 2**256 - 1
"""Says that the members of a tier may hold any amount. A tier without a cap holds nothing."""


class Role(IntEnum):
    """Public roles of the ParticipantRegistry; an account has at most one."""

    REGISTRAR = 1
    LICENSOR = 2
    COMPLIANCE = 3
    COURT = 4


class VaultRole(IntEnum):
    """Roles of the ReserveVault, flags in Vyper; an account has at most one."""

    PROPOSER = 1
    CUSTODIAN = 2
    COURT = 4
    AUDITOR = 8
    PROSECUTOR = 16


@dataclass(frozen=True, slots=True)
class VaultAsset:
    """What may leave the vault of an asset: a bucket of ``capacity`` that leaks, so capacity + rate * T in any T."""

    asset: bytes
    """Token address; 20 zero bytes for the native asset."""
    capacity: int
    leak_per_second: int
    large_amount: int
    """Releases above it wait for the large delay."""


@dataclass(frozen=True, slots=True)
class PaymentLimits:
    """How much a member of a tier may pay to others, in the token's smallest unit; ``NO_CAP`` for no limit."""

    payment: int
    """At once."""
    day: int
    """From midnight to midnight of UTC+5."""
    month: int
    """A calendar month, by the same clock."""


NO_LIMITS: Final = PaymentLimits(NO_CAP, NO_CAP, NO_CAP)

NO_THRESHOLD: Final = 2**128 - 1
"""Says that no payment needs a travel record: no amount is larger."""

LIMIT_END: Final = 2**80 - 1
"""Limits are below it: larger ones do not fit the token's words, and are none."""


@dataclass(frozen=True, slots=True)
class CouncilMembers:
    """Who sits in a council."""

    name: str
    members: tuple[bytes, ...]
    """20-byte addresses, in any order, each once."""
    threshold: int
    guardian: bytes
    """Who may veto and pause; not a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkContracts:
    """What the constructors of a network's contracts are told."""

    validators: Sequence[GenesisValidator]
    observers: Sequence[Observer] = ()
    fund_council: CouncilMembers
    reserve_council: CouncilMembers
    delay_s: int
    """Seconds between an approval and what raises risk; days in production, seconds in a devnet."""
    silence_s: int = 180 * 86_400
    """Seconds without a sign of life after which a council member's key leaves the quorum; at least 30 days."""
    roles: dict[bytes, Role] = field(default_factory=dict)
    participants: dict[bytes, int] = field(default_factory=dict)
    """Account -> status word (``alatau.chain.permission.status_word``). Everyone who sends transactions must be
    here: operators, council members who act by transaction, role holders, residents."""
    tier_caps: tuple[int, ...] = ()
    """Largest balance of tier 1, 2, ... in token units, at least 1; ``NO_CAP`` for none. Residents and merchants need a
    tier that has one."""
    payment_limits: tuple[PaymentLimits, ...] = ()
    """Of tier 1, 2, ...: as many as there are caps."""
    token_name: str = "Digital Tenge"  # noqa: S105  a currency, not a secret
    token_symbol: str = "KZTD"  # noqa: S105
    token_decimals: int = 2
    issuers: dict[bytes, int] = field(default_factory=dict)
    """Issuer -> what it may mint."""
    holdings: dict[bytes, int] = field(default_factory=dict)
    """Balances from genesis."""
    travel_threshold: int = NO_THRESHOLD
    """From which amount on a payment between accounts needs a travel record, in token units."""
    token_backed: bool = False
    """Whether the token is minted only up to what the PositionLedger's attesters say is behind it."""
    large_delay_s: int | None = None
    """Seconds for a large release from the reserve; None is four times ``delay_s``."""
    vault_roles: dict[bytes, VaultRole] = field(default_factory=dict)
    destinations: tuple[bytes, ...] = ()
    """Where releases may go."""
    vault_assets: tuple[VaultAsset, ...] = ()
    positions: PositionPlan = field(default_factory=PositionPlan)
    """What the reserve holds outside the chain, as far as genesis knows."""
    settle_blocks: int = 50
    """Blocks between the closing of a payment channel and its settlement, at least; and seconds, likewise."""
    settle_seconds: int = 10
    relying_party: str = ""
    """Domain whose passkeys sign for accounts, in lower case (WebAuthn Level 3, section 5.1.2); empty for none."""


SYSTEM_CONTRACTS: Final = SystemContracts(
    validator_registry=addresses.VALIDATOR_REGISTRY,
    participant_registry=addresses.PARTICIPANT_REGISTRY,
)
"""For the chain configuration of a network with these contracts."""


def genesis_contracts(network: NetworkContracts) -> tuple[GenesisContract, ...]:
    """The contracts of ``network``, at their fixed addresses, in an order in which each finds what it needs."""
    return (
        # Each restores the other, should it lose its keys.
        _council(addresses.FUND_COUNCIL, "FundCouncil", network.fund_council, addresses.RESERVE_COUNCIL, network),
        _council(addresses.RESERVE_COUNCIL, "ReserveCouncil", network.reserve_council, addresses.FUND_COUNCIL, network),
        _validator_registry(network),
        _participant_registry(network),
        _settlement_token(network),
        _reserve_vault(network),
        _city_channels(network),
        position_ledger(network.positions, network.delay_s),
        GenesisContract(
            "OfflineBonds", addresses.OFFLINE_BONDS, load("OfflineBonds").creation(addresses.CITY_CHANNELS)
        ),
        GenesisContract("DayBook", addresses.DAY_BOOK, load("DayBook").creation(addresses.PARTICIPANT_REGISTRY)),
        _signature_verifier(network),
        _channel_pause(network),
        _court_recoveries(network),
    )


def _council(
    address: bytes, name: str, body: CouncilMembers, higher: bytes, network: NetworkContracts
) -> GenesisContract:
    members = sorted(body.members)
    arguments = (body.name, members, body.threshold, body.guardian, network.delay_s, network.silence_s, higher)
    return GenesisContract(name, address, load("Council").creation(*arguments))


def _validator_registry(network: NetworkContracts) -> GenesisContract:
    entries = [(v.operator, v.voting_address, v.tls_key_hash, v.endpoint, v.power, v.name) for v in network.validators]
    observers = [(o.tls_key_hash, o.name) for o in network.observers]
    code = load("ValidatorRegistry").creation(addresses.FUND_COUNCIL, network.delay_s, entries, observers)
    return GenesisContract("ValidatorRegistry", addresses.VALIDATOR_REGISTRY, code)


def _participant_registry(network: NetworkContracts) -> GenesisContract:
    contract = status_word(ParticipantKind.CONTRACT)
    own = dict.fromkeys((addresses.RESERVE_VAULT, addresses.CITY_CHANNELS, addresses.OFFLINE_BONDS), contract)
    words = own | network.participants
    _check_count("participants", words)
    _check_tiers(words, network)
    code = load("ParticipantRegistry").creation(
        addresses.FUND_COUNCIL,
        network.delay_s,
        sorted(network.roles.items()),
        network.tier_caps,
        [addresses.SETTLEMENT_TOKEN],
        sorted(words.items()),
    )
    return GenesisContract("ParticipantRegistry", addresses.PARTICIPANT_REGISTRY, code)


def _settlement_token(network: NetworkContracts) -> GenesisContract:
    _check_count("holdings", network.holdings)
    if not 0 < network.travel_threshold <= NO_THRESHOLD:
        raise ValueError(f"travel_threshold is {network.travel_threshold}; say 1 to 2^128 - 1, which is no threshold")
    code = load("SettlementToken").creation(
        network.token_name,
        network.token_symbol,
        network.token_decimals,
        addresses.FUND_COUNCIL,
        network.delay_s,
        addresses.PARTICIPANT_REGISTRY,
        sorted(network.issuers.items()),
        sorted(network.holdings.items()),
        addresses.POSITION_LEDGER if network.token_backed else bytes(20),
        [(limits.payment, limits.day, limits.month) for limits in network.payment_limits],
        network.travel_threshold,
        addresses.COURT_RECOVERIES,
    )
    return GenesisContract("SettlementToken", addresses.SETTLEMENT_TOKEN, code)


def _reserve_vault(network: NetworkContracts) -> GenesisContract:
    large_delay_s = 4 * network.delay_s if network.large_delay_s is None else network.large_delay_s
    code = load("ReserveVault").creation(
        addresses.RESERVE_COUNCIL,
        addresses.FUND_COUNCIL,
        network.delay_s,
        large_delay_s,
        sorted(network.vault_roles.items()),
        network.destinations,
        [(a.asset, a.capacity, a.leak_per_second, a.large_amount) for a in network.vault_assets],
        addresses.POSITION_LEDGER,
    )
    return GenesisContract("ReserveVault", addresses.RESERVE_VAULT, code)


def _city_channels(network: NetworkContracts) -> GenesisContract:
    code = load("CityChannels").creation(
        addresses.SETTLEMENT_TOKEN,
        addresses.PARTICIPANT_REGISTRY,
        addresses.CHANNEL_PAUSE,
        network.settle_blocks,
        network.settle_seconds,
    )
    return GenesisContract("CityChannels", addresses.CITY_CHANNELS, code)


def _signature_verifier(network: NetworkContracts) -> GenesisContract:
    if network.relying_party and not RELYING_PARTY.fullmatch(network.relying_party):
        raise ValueError(f"relying_party is {network.relying_party!r:.80}; name a domain in lower case, or none")
    code = load("SignatureVerifier").creation(network.relying_party)
    return GenesisContract("SignatureVerifier", addresses.SIGNATURE_VERIFIER, code)


def _channel_pause(network: NetworkContracts) -> GenesisContract:
    code = load("ChannelPause").creation(addresses.FUND_COUNCIL, network.delay_s)
    return GenesisContract("ChannelPause", addresses.CHANNEL_PAUSE, code)


def _court_recoveries(network: NetworkContracts) -> GenesisContract:
    code = load("CourtRecoveries").creation(addresses.SETTLEMENT_TOKEN, addresses.FUND_COUNCIL, network.delay_s)
    return GenesisContract("CourtRecoveries", addresses.COURT_RECOVERIES, code)


def _check_count(what: str, entries: Iterable[object]) -> None:
    count = len(tuple(entries))
    if count > PARTICIPANTS_MAX:
        raise ValueError(f"genesis names {count} {what}; at most {PARTICIPANTS_MAX}, register the rest on chain")


def _check_tiers(words: dict[bytes, int], network: NetworkContracts) -> None:
    tier_caps = network.tier_caps
    if any(cap < 1 for cap in tier_caps):
        raise ValueError("a tier's cap is at least 1; say 2^256 - 1 for none")
    if len(network.payment_limits) != len(tier_caps):
        raise ValueError(
            f"{len(tier_caps)} tiers have caps and {len(network.payment_limits)} have payment_limits; say 2^256 - 1"
            " three times for a tier whose members pay without limit"
        )
    for tier, limits in enumerate(network.payment_limits, start=1):
        for limit in (limits.payment, limits.day, limits.month):
            if not (0 <= limit < LIMIT_END or limit == NO_CAP):
                raise ValueError(f"payment_limits of tier {tier}: {limit} is not below 2^80 - 1; 2^256 - 1 is no limit")
    for account, word in words.items():
        if kind_of(word) in (ParticipantKind.RESIDENT, ParticipantKind.MERCHANT):
            tier = tier_of(word)
            if not 1 <= tier <= len(tier_caps):
                raise ValueError(f"0x{account.hex()} is of tier {tier}, which has no cap: tier_caps begins with tier 1")


def resident_word(tier: int = 1) -> int:
    """Status word of a resident who may transact."""
    return status_word(ParticipantKind.RESIDENT, tier=tier)


def hub_word() -> int:
    """Status word of a licensed payment hub."""
    return status_word(ParticipantKind.INSTITUTION, licences=Licence.PAYMENT_HUB | Licence.PLATFORM)


def institution_word(*, deploys: bool = False) -> int:
    """Status word of an institution: a ministry, a role holder, a council member."""
    return status_word(ParticipantKind.INSTITUTION, deploys=deploys)
