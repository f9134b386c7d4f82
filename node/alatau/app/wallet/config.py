"""A wallet's configuration: one TOML file in its folder, checked as a node's is."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Final

from alatau.app.settings import (
    anything,
    between,
    endpoint_list,
    endpoint_list_or_empty,
    hex_address,
    schema_of,
    zone_name,
)
from alatau.app.settings import endpoint as host_and_port
from alatau.books.amounts import DECIMALS_MAX, Unit
from alatau.channels.messages import Domain, channels_domain
from alatau.zones import DEFAULT_ZONE


def _currency(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Z]{3}", value) else 'expected three capital letters, as "KZT"'


NOWHERE: Final = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class HubConfig:
    """The payment hub."""

    endpoint: Annotated[str, host_and_port, "Where it serves wallets."] = "127.0.0.1:7501"
    ca: Annotated[str, anything, "Certificates (PEM) that the hub's must come from, relative to the folder."] = (
        "hub.pem"
    )
    address: Annotated[str, hex_address, "Its account: another hub at this endpoint is not spoken to."] = NOWHERE


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """The nodes that tell the wallet what the chain says, and take its transactions."""

    nodes: Annotated[str, endpoint_list, "host:port of their client API, between commas."] = "127.0.0.1:7101"
    ca: Annotated[str, anything, "Certificates (PEM) that the nodes' must come from, relative to the folder."] = (
        "chain.pem"
    )
    id: Annotated[int, between(1, 2**63), "Of the network: a node of another one is not believed."] = 1
    contract: Annotated[str, hex_address, "CityChannels."] = NOWHERE


@dataclass(frozen=True, slots=True)
class MoneyConfig:
    """How amounts and days are written."""

    currency: Annotated[str, _currency, "Code of ISO 4217."] = "KZT"
    decimals: Annotated[int, between(0, DECIMALS_MAX), "Digits after the point: the token's."] = 2
    time_zone: Annotated[str, zone_name, "In which a day begins at midnight."] = DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """Watchtowers that get the hub's vouchers: better two, of two operators."""

    endpoints: Annotated[str, endpoint_list_or_empty, "host:port of each, between commas; empty: none."] = ""
    ca: Annotated[str, anything, "Certificates (PEM) that the towers' must come from, relative to the folder."] = (
        "towers.pem"
    )
    close_days: Annotated[
        int,
        between(0, 3_650),
        "For so many days from each start a tower may close the channel when all leave a silent hub; 0: never.",
    ] = 365


@dataclass(frozen=True, slots=True)
class WalletSettings:
    """All sections."""

    hub: HubConfig = field(default_factory=HubConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    money: MoneyConfig = field(default_factory=MoneyConfig)
    towers: TowerConfig = field(default_factory=TowerConfig)


SCHEMA: Final = schema_of(WalletSettings, "ALATAU_WALLET_", "a wallet")


def domain_of_settings(settings: WalletSettings) -> Domain:
    """The contract that the wallet signs for."""
    return channels_domain(settings.chain.id, address_of(settings.chain.contract))


def unit_of(settings: WalletSettings) -> Unit:
    """What its amounts count."""
    return Unit(settings.money.currency, settings.money.decimals)


def address_of(text: str) -> bytes:
    """20 bytes of a setting that was checked."""
    return bytes.fromhex(text.removeprefix("0x"))
