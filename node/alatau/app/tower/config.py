"""A tower's configuration: the same kind of file as a node's, checked by the same code."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from alatau.app.config import LogConfig
from alatau.app.settings import (
    anything,
    between,
    endpoint,
    endpoint_list,
    endpoint_or_empty,
    hex_address,
    hex_address_or_empty,
    schema_of,
)
from alatau.artifacts.addresses import CITY_CHANNELS


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """Where hubs and wallets reach the tower."""

    listen: Annotated[str, endpoint, "Where they connect: gRPC over TLS."] = "127.0.0.1:7401"
    client_authority: Annotated[
        str,
        anything,
        "File (PEM) with the authorities of clients, relative to the home: only clients with a certificate of one "
        "connect, and this tower itself. Empty asks nobody for a certificate.",
    ] = ""
    requests_per_second: Annotated[
        int, between(1, 1_000_000), "Calls per second taken from one client; above it RESOURCE_EXHAUSTED."
    ] = 500


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The node by which the tower follows the chain, and others that it asks where that one does not answer."""

    endpoints: Annotated[str, endpoint_list, "host:port of each one's client API, between commas."] = "127.0.0.1:7101"
    authority: Annotated[
        str, anything, "File (PEM) with the certificates that the nodes' must come from, relative to the home."
    ] = "node.pem"
    certificate: Annotated[
        str, anything, "File (PEM) with the tower's certificate, for nodes that ask for one, relative to the home."
    ] = ""
    key: Annotated[str, anything, "File (PEM) with the private key of that certificate, relative to the home."] = ""


@dataclass(frozen=True, slots=True)
class ChannelsConfig:
    """The channels that the tower watches."""

    contract: Annotated[str, hex_address, "CityChannels of the network."] = f"0x{CITY_CHANNELS.hex()}"
    from_height: Annotated[
        int, between(0, 10**12), "Where a tower with an empty disk begins to follow the chain: 0 finds all channels."
    ] = 0
    kept_blocks: Annotated[
        int, between(0, 10**9), "Blocks after which a settled channel is forgotten; a week of blocks of a second."
    ] = 604_800


@dataclass(frozen=True, slots=True)
class KeysConfig:
    """How the tower opens its keys."""

    password_file: Annotated[
        str,
        anything,
        "File with the password of keys/tower.json and of the canary's key, relative to the home; empty: "
        "ALATAU_PASSWORD, else a prompt.",
    ] = ""


@dataclass(frozen=True, slots=True)
class CanaryConfig:
    """The tower's trial of itself: a channel of its own that it closes below its voucher, and contests."""

    hub_keystore: Annotated[
        str,
        anything,
        "Keystore of an account with a hub's licence, the other end of the canary channels, relative to the home. "
        "Empty: no trials of its own.",
    ] = ""
    period_s: Annotated[int, between(1, 30 * 86_400), "Seconds between two trials."] = 86_400
    account: Annotated[
        str,
        hex_address_or_empty,
        "Where somebody else tries the tower: a contest of a channel that this account opened is a sign of life.",
    ] = ""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """The HTTP endpoint for /metrics, /livez and /readyz."""

    listen: Annotated[str, endpoint_or_empty, "Where it listens, without TLS; empty: nowhere."] = "127.0.0.1:7402"


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """All settings of a tower."""

    service: ServiceConfig = field(default_factory=ServiceConfig)
    node: NodeConfig = field(default_factory=NodeConfig)
    channels: ChannelsConfig = field(default_factory=ChannelsConfig)
    keys: KeysConfig = field(default_factory=KeysConfig)
    canary: CanaryConfig = field(default_factory=CanaryConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    log: LogConfig = field(default_factory=LogConfig)


TOWER_SCHEMA: Final = schema_of(TowerConfig, "ALATAU_TOWER_", "this tower")
