"""A hub's configuration: one TOML file in its folder, checked as a node's is (:mod:`alatau.app.settings`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from alatau.app.config import LogConfig
from alatau.app.settings import (
    anything,
    between,
    endpoint,
    endpoint_list,
    endpoint_list_or_empty,
    endpoint_or_empty,
    hex_address_or_empty,
    one_of,
    origin_list,
    schema_of,
    zone_name,
)
from alatau.books.amounts import DECIMALS_MAX
from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.fees import MILLION, FeeSchedule
from alatau.channels.forwarding.limits import UNLIMITED, Limits
from alatau.zones import DEFAULT_ZONE

_TIER: Final = re.compile(r"(\d{1,3}):(\d{1,30}|-)/(\d{1,30}|-)/(\d{1,30}|-)")


def _tiers(value: str) -> str | None:
    parts = [part.strip() for part in value.split(",")]
    wrong = [part for part in parts if not _TIER.fullmatch(part)]
    if wrong:
        return f"expected tier:payment/day/month in token units or -, as 1:5000/10000/100000, not {wrong[0]!r}"
    numbers = [part.partition(":")[0] for part in parts]
    return "a tier is named twice" if len(set(numbers)) < len(numbers) else None


def _digits(value: str) -> str | None:
    return None if re.fullmatch(r"\d{1,30}", value) else "expected a whole number of token units"


@dataclass(frozen=True, slots=True)
class HubConfig:
    """Who the hub is and where it is reached."""

    listen: Annotated[str, endpoint, "Where wallets and tills connect, over TLS."] = "127.0.0.1:7501"
    metrics_listen: Annotated[str, endpoint_or_empty, "Where /metrics, /livez and /readyz answer; empty: nowhere."] = (
        "127.0.0.1:7502"
    )
    time_zone: Annotated[str, zone_name, "IANA name of the zone in which a day of the books begins."] = DEFAULT_ZONE
    kept_days: Annotated[
        int, between(31, 36_500), "Days after which ended payments and their lines are forgotten; statements end there."
    ] = 1_830
    password_file: Annotated[
        str, anything, "File with the password of the key, relative to the home; empty: it is asked for."
    ] = ""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """The nodes that the hub follows and sends through."""

    nodes: Annotated[
        str, endpoint_list, "host:port of their client API, between commas: the next is asked where one fails."
    ] = "127.0.0.1:7101"
    ca: Annotated[str, anything, "Certificates (PEM) that the nodes' must come from, relative to the folder."] = (
        "node.pem"
    )
    contract: Annotated[str, hex_address_or_empty, "CityChannels; empty: that of genesis."] = ""


@dataclass(frozen=True, slots=True)
class FeeConfig:
    """What a payment costs its payer, on top of its amount."""

    base: Annotated[str, _digits, "Token units a payment."] = "0"
    parts_per_million: Annotated[int, between(0, MILLION), "Of the amount, rounded down."] = 0


@dataclass(frozen=True, slots=True)
class LimitConfig:
    """How much an account may pay, by its tier in the participant registry."""

    tiers: Annotated[
        str,
        _tiers,
        "tier:payment/day/month in token units, - for no limit, between commas. Others have the lowest one's.",
    ] = "1:5000000/10000000/100000000,2:50000000/100000000/1000000000,3:-/-/-"


@dataclass(frozen=True, slots=True)
class LockConfig:
    """How long a payment may be under way, in blocks: all of it below the contract's window."""

    blocks_min: Annotated[int, between(4, 100_000), "A payer's lock lives at least so long."] = 20
    blocks_max: Annotated[int, between(4, 100_000), "And at most so long."] = 45
    margin_blocks: Annotated[
        int, between(2, 10_000), "The merchant's lock expires so much earlier: time to bring a secret on chain."
    ] = 10


@dataclass(frozen=True, slots=True)
class LiquidityConfig:
    """The hub's own money in channels."""

    step: Annotated[str, _digits, "What is put into a channel at a time, at least, when a payment is short of it."] = (
        "100000000"
    )


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """Watchtowers that get the hub's vouchers: better two, of two operators."""

    endpoints: Annotated[str, endpoint_list_or_empty, "host:port of each, between commas; empty: none."] = ""
    ca: Annotated[str, anything, "Certificates (PEM) that the towers' must come from, relative to the folder."] = (
        "towers.pem"
    )


@dataclass(frozen=True, slots=True)
class PagesConfig:
    """Wallet and till as web pages, over HTTP/1.1; a wallet on a page needs nothing but this port."""

    listen: Annotated[
        str,
        endpoint_or_empty,
        "Where browsers connect. Empty: nowhere. Without TLS keep it on loopback, behind a proxy that has it.",
    ] = ""
    tls: Annotated[str, one_of("off", "on"), "on: over TLS 1.3 with the hub's certificate; off: plain HTTP."] = "off"
    origins: Annotated[
        str,
        origin_list,
        "Where browsers see the pages, as https://wallet.example, between commas; of the network's relying party.",
    ] = ""

    def origin_set(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(filter(None, map(str.strip, self.origins.split(","))))


def _currency(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Z]{3}", value) else 'expected three capital letters, as "KZT"'


@dataclass(frozen=True, slots=True)
class BooksConfig:
    """How exports of the books write amounts, and who the hub is to banks."""

    currency: Annotated[str, _currency, "Code of ISO 4217."] = "KZT"
    decimals: Annotated[int, between(0, DECIMALS_MAX), "Digits after the point: the token's."] = 2
    name: Annotated[str, anything, "The hub's name in messages to banks and accountants."] = "Payment hub"
    account: Annotated[str, anything, "IBAN or number of the account from which payouts are made."] = "BOOKS"
    bank: Annotated[str, anything, "Name of the bank that has it."] = "Bank"
    bic: Annotated[str, anything, "Its BIC (ISO 9362); empty if it has none."] = ""
    beneficiaries: Annotated[
        str, anything, "CSV file with channel,name,account,bank,bic of owners paid out by bank, relative to the home."
    ] = ""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """All sections."""

    hub: HubConfig = field(default_factory=HubConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    fees: FeeConfig = field(default_factory=FeeConfig)
    limits: LimitConfig = field(default_factory=LimitConfig)
    locks: LockConfig = field(default_factory=LockConfig)
    liquidity: LiquidityConfig = field(default_factory=LiquidityConfig)
    towers: TowerConfig = field(default_factory=TowerConfig)
    pages: PagesConfig = field(default_factory=PagesConfig)
    books: BooksConfig = field(default_factory=BooksConfig)
    log: LogConfig = field(default_factory=LogConfig)


SCHEMA: Final = schema_of(HubSettings, "ALATAU_HUB_", "a payment hub")


class HubPolicyError(ValueError):
    """Settings that do not go together; the message names them."""


def policy_of(settings: HubSettings, settle_blocks: int) -> Policy:
    """What the operator decides, as the core takes it.

    Raises:
        HubPolicyError: locks would outlive the contract's window of ``settle_blocks``, or leave no room between them.
    """
    locks = settings.locks
    if not locks.margin_blocks < locks.blocks_min <= locks.blocks_max < settle_blocks:
        raise HubPolicyError(
            f"locks: margin_blocks ({locks.margin_blocks}) < blocks_min ({locks.blocks_min}) <= blocks_max "
            f"({locks.blocks_max}) < the contract's settle_blocks ({settle_blocks}) does not hold"
        )
    fees = FeeSchedule(int(settings.fees.base), settings.fees.parts_per_million)
    return Policy(tiers_of(settings.limits.tiers), fees, locks.blocks_min, locks.blocks_max, locks.margin_blocks)


def tiers_of(text: str) -> Mapping[int, Limits]:
    """Limits by tier; the text has been checked."""
    found = {}
    for part in text.split(","):
        match = _TIER.fullmatch(part.strip())
        assert match is not None, "the setting was checked"
        found[int(match[1])] = Limits(*(UNLIMITED if one == "-" else int(one) for one in match.groups()[1:]))
    return found
