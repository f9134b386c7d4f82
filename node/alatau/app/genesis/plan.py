"""The plan of a network: everything in its genesis that the ministries agree on before each adds its own keys.

JSON, so that it can be read aloud in a meeting. ``"operators"`` in place of a list of council members stands for the
operators of all validators, who are not known yet.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

from alatau.app.genesis.file import alloc_from_json, alloc_to_json, config_from_json, config_to_json
from alatau.app.genesis.position_plan import positions_from_json, positions_to_json
from alatau.app.json_field import JsonField, canonical_json, pretty_json, read_document
from alatau.artifacts.genesis import NO_THRESHOLD, RELYING_PARTY, PaymentLimits, Role, VaultAsset, VaultRole
from alatau.artifacts.positions import PositionPlan
from alatau.chain.permission import Licence, ParticipantKind
from alatau.chain.validator_registry import Observer
from alatau.crypto.keccak import keccak256
from alatau.types.chain_config import ChainConfig

FORMAT: Final = "alatau-plan/1"
OPERATORS: Final = "operators"
Members: TypeAlias = tuple[bytes, ...] | Literal["operators"]
_FILE_SIZE_MAX: Final = 8 * 1024 * 1024
_COUNCIL_MAX: Final = 16
"""Bound in Council.vy."""
_UINT256_MAX: Final = 2**256 - 1
_DELAY_MAX_S: Final = 30 * 86_400
"""Longest delay of decisions that the contracts take (``lib/decisions.vy``); a large release waits twice that at most,
so that within the 90 days that a decision lives there is time to approve it."""
_E = TypeVar("_E", Role, VaultRole, ParticipantKind, Licence)


@dataclass(frozen=True, slots=True)
class CouncilPlan:
    """A council, before the operators are known."""

    name: str
    members: Members
    threshold: int
    guardian: bytes
    """Who may veto and pause; no member."""


@dataclass(frozen=True, slots=True)
class ParticipantPlan:
    """Somebody who may transact from block 1 on."""

    kind: ParticipantKind
    tier: int = 0
    deploys: bool = False
    licences: Licence = Licence.NONE


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """The settlement token."""

    name: str
    symbol: str
    decimals: int
    issuers: dict[bytes, int] = field(default_factory=dict)
    """Issuer -> what it may mint, in the token's smallest unit."""
    holdings: dict[bytes, int] = field(default_factory=dict)
    """Balances from genesis, in the token's smallest unit."""
    backed: bool = False
    """Whether it is minted only up to what the position ledger's attesters say is behind it."""
    travel_threshold: int = NO_THRESHOLD
    """From which amount on a payment between accounts needs a travel record, in the token's smallest unit."""


@dataclass(frozen=True, slots=True)
class VaultPlan:
    """The reserve vault."""

    large_delay_s: int = 7 * 86_400
    """Seconds between the approval of a large release and its execution; at least the plan's ``delay_s``."""
    roles: dict[bytes, VaultRole] = field(default_factory=dict)
    destinations: tuple[bytes, ...] = ()
    """Where releases may go."""
    assets: tuple[VaultAsset, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelsPlan:
    """Payment channels: how long a closing one waits for newer vouchers. Both must pass."""

    settle_blocks: int = 600
    settle_seconds: int = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """All that a genesis holds but its validators."""

    config: ChainConfig
    timestamp: int
    alloc: dict[bytes, int]
    observers: tuple[Observer, ...]
    fund_council: CouncilPlan
    reserve_council: CouncilPlan
    delay_s: int
    """Seconds between an approval and what raises risk."""
    roles: dict[bytes, Role]
    participants: dict[bytes, ParticipantPlan]
    tier_caps: tuple[int, ...]
    """Largest balance of tier 1, 2, ..., at least 1; 2^256 - 1 for none."""
    payment_limits: tuple[PaymentLimits, ...]
    """What members of tier 1, 2, ... may pay; as many as there are caps."""
    token: TokenPlan
    vault: VaultPlan = field(default_factory=VaultPlan)
    positions: PositionPlan = field(default_factory=PositionPlan)
    channels: ChannelsPlan = field(default_factory=ChannelsPlan)
    relying_party: str = ""
    """Domain whose passkeys sign for accounts; empty for none."""


def read_plan(path: Path) -> NetworkPlan:
    """Read and check a plan; raises ``DocumentError`` naming the place, and ``OSError``."""
    return plan_from_json(read_document(path, _FILE_SIZE_MAX))


def encode_plan(plan: NetworkPlan) -> bytes:
    """The bytes of a plan's file."""
    return pretty_json(plan_to_json(plan))


def plan_warnings(plan: NetworkPlan) -> list[str]:
    """What is allowed and rarely meant: a sentence for each, naming the place in the plan."""
    warnings = []
    for place, council in (("fund_council", plan.fund_council), ("reserve_council", plan.reserve_council)):
        if council.threshold == 1:
            warnings.append(f"{place}.threshold is 1: any one member decides alone")
        if not any(council.guardian):
            warnings.append(f"{place}.guardian is zero: name somebody who can veto and pause, or the merge is refused")
    return warnings


def plan_hash(plan: NetworkPlan) -> bytes:
    """keccak256 of the canonical JSON: what every contribution is signed for."""
    return keccak256(canonical_json(plan_to_json(plan)))


def plan_to_json(plan: NetworkPlan) -> dict[str, Any]:
    """The document of ``plan``."""
    return {
        "format": FORMAT,
        "config": config_to_json(plan.config),
        "timestamp": plan.timestamp,
        "alloc": alloc_to_json(plan.alloc),
        "observers": [{"name": o.name, "tls_key_hash": _hex(o.tls_key_hash)} for o in plan.observers],
        "fund_council": _council_to_json(plan.fund_council),
        "reserve_council": _council_to_json(plan.reserve_council),
        "delay_s": plan.delay_s,
        "roles": {_hex(a): plan.roles[a].name.lower() for a in sorted(plan.roles)},
        "participants": {_hex(a): _participant_to_json(plan.participants[a]) for a in sorted(plan.participants)},
        "tier_caps": [str(cap) for cap in plan.tier_caps],
        "payment_limits": [_limits_to_json(limits) for limits in plan.payment_limits],
        "token": {
            "name": plan.token.name,
            "symbol": plan.token.symbol,
            "decimals": plan.token.decimals,
            "issuers": alloc_to_json(plan.token.issuers),
            "holdings": alloc_to_json(plan.token.holdings),
            "backed": plan.token.backed,
            "travel_threshold": str(plan.token.travel_threshold),
        },
        "vault": _vault_to_json(plan.vault),
        "positions": positions_to_json(plan.positions),
        "channels": {
            "settle_blocks": plan.channels.settle_blocks,
            "settle_seconds": plan.channels.settle_seconds,
        },
        "relying_party": plan.relying_party,
    }


def plan_from_json(document: JsonField) -> NetworkPlan:
    """Read a document; raises ``DocumentError``."""
    f = document.members(("format", *(item.name for item in fields(NetworkPlan))))
    if f["format"].value != FORMAT:
        raise f["format"].wrong(repr(FORMAT))
    return NetworkPlan(
        config=config_from_json(f["config"]),
        timestamp=f["timestamp"].integer(),
        alloc=alloc_from_json(f["alloc"]),
        observers=tuple(_observer(item) for item in f["observers"].items()),
        fund_council=_council(f["fund_council"]),
        reserve_council=_council(f["reserve_council"]),
        delay_s=f["delay_s"].integer(1, _DELAY_MAX_S),
        roles={_address(name, f["roles"]): _named(value, Role) for name, value in f["roles"].entries().items()},
        participants={
            _address(name, f["participants"]): _participant(value)
            for name, value in f["participants"].entries().items()
        },
        tier_caps=tuple(item.integer(1, _UINT256_MAX) for item in f["tier_caps"].items()),
        payment_limits=tuple(_limits(item) for item in f["payment_limits"].items()),
        token=_token(f["token"]),
        vault=_vault(f["vault"]),
        positions=positions_from_json(f["positions"]),
        channels=_channels(f["channels"]),
        relying_party=_relying_party(f["relying_party"]),
    )


def _council_to_json(council: CouncilPlan) -> dict[str, Any]:
    members = OPERATORS if council.members == OPERATORS else [_hex(m) for m in council.members if isinstance(m, bytes)]
    return {
        "name": council.name,
        "members": members,
        "threshold": council.threshold,
        "guardian": _hex(council.guardian),
    }


def _council(document: JsonField) -> CouncilPlan:
    f = document.members(("name", "members", "threshold", "guardian"))
    members: Members = OPERATORS
    if f["members"].value != OPERATORS:
        members = tuple(item.hex(20) for item in f["members"].items())
        if not members or len(members) > _COUNCIL_MAX or len(set(members)) != len(members):
            raise f["members"].wrong(f'"operators" or 1 to {_COUNCIL_MAX} addresses, each once')
    return CouncilPlan(
        f["name"].text(), members, f["threshold"].integer(1, _COUNCIL_MAX), guardian=f["guardian"].hex(20)
    )


def _participant_to_json(participant: ParticipantPlan) -> dict[str, Any]:
    return {
        "kind": participant.kind.name.lower(),
        "tier": participant.tier,
        "deploys": participant.deploys,
        "licences": [licence.name.lower() for licence in participant.licences if licence.name],
    }


def _participant(document: JsonField) -> ParticipantPlan:
    f = document.members(("kind",), ("tier", "deploys", "licences"))
    licences = Licence.NONE
    for item in f["licences"].items() if "licences" in f else ():
        licences |= _named(item, Licence)
    return ParticipantPlan(
        kind=_named(f["kind"], ParticipantKind),
        tier=f["tier"].integer(0, 255) if "tier" in f else 0,
        deploys=_boolean(f["deploys"]) if "deploys" in f else False,
        licences=licences,
    )


def _limits_to_json(limits: PaymentLimits) -> dict[str, str]:
    return {"payment": str(limits.payment), "day": str(limits.day), "month": str(limits.month)}


def _limits(document: JsonField) -> PaymentLimits:
    f = document.members(("payment", "day", "month"))
    return PaymentLimits(**{name: f[name].integer(0, _UINT256_MAX) for name in ("payment", "day", "month")})


def _token(document: JsonField) -> TokenPlan:
    f = document.members(("name", "symbol", "decimals", "issuers", "holdings", "backed"), ("travel_threshold",))
    return TokenPlan(
        name=f["name"].text(),
        symbol=f["symbol"].text(),
        decimals=f["decimals"].integer(0, 36),
        issuers=alloc_from_json(f["issuers"]),
        holdings=alloc_from_json(f["holdings"]),
        backed=_boolean(f["backed"]),
        travel_threshold=f["travel_threshold"].integer(1, NO_THRESHOLD) if "travel_threshold" in f else NO_THRESHOLD,
    )


def _vault_to_json(vault: VaultPlan) -> dict[str, Any]:
    return {
        "large_delay_s": vault.large_delay_s,
        "roles": {_hex(a): vault.roles[a].name.lower() for a in sorted(vault.roles)},
        "destinations": [_hex(a) for a in vault.destinations],
        "assets": [
            {
                "asset": _hex(a.asset),
                "capacity": str(a.capacity),
                "leak_per_second": str(a.leak_per_second),
                "large_amount": str(a.large_amount),
            }
            for a in vault.assets
        ],
    }


def _vault(document: JsonField) -> VaultPlan:
    f = document.members(("large_delay_s", "roles", "destinations", "assets"))
    return VaultPlan(
        large_delay_s=f["large_delay_s"].integer(1, 2 * _DELAY_MAX_S),
        roles={_address(name, f["roles"]): _named(value, VaultRole) for name, value in f["roles"].entries().items()},
        destinations=tuple(item.hex(20) for item in f["destinations"].items()),
        assets=tuple(_vault_asset(item) for item in f["assets"].items()),
    )


def _vault_asset(document: JsonField) -> VaultAsset:
    f = document.members(("asset", "capacity", "leak_per_second", "large_amount"))
    capacity, leak, large = (
        f[name].integer(0, _UINT256_MAX) for name in ("capacity", "leak_per_second", "large_amount")
    )
    return VaultAsset(f["asset"].hex(20), capacity, leak, large)


def _channels(document: JsonField) -> ChannelsPlan:
    f = document.members(("settle_blocks", "settle_seconds"))
    return ChannelsPlan(f["settle_blocks"].integer(1, 2**32 - 1), f["settle_seconds"].integer(1, 2**32 - 1))


def _relying_party(document: JsonField) -> str:
    if document.value == "":
        return ""
    domain = document.text()
    if not RELYING_PARTY.fullmatch(domain):
        raise document.wrong("a domain in lower case, or empty for a network that takes no passkeys")
    return domain


def _observer(document: JsonField) -> Observer:
    f = document.members(("name", "tls_key_hash"))
    return Observer(f["tls_key_hash"].hex(32), f["name"].text())


def _boolean(document: JsonField) -> bool:
    if not isinstance(document.value, bool):
        raise document.wrong("true or false")
    return document.value


def _named(document: JsonField, kind: type[_E]) -> _E:
    names = {member.name.lower(): member for member in kind if member.name}
    if not isinstance(document.value, str) or document.value not in names:
        raise document.wrong("one of " + ", ".join(names))
    return names[document.value]


def _address(name: str, document: JsonField) -> bytes:
    return JsonField(name, f"{document.where}: a name").hex(20)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
