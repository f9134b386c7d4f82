"""A node's configuration: one TOML file in its home, every setting with a default, environment overrides.

Each setting carries its check and its explanation in its annotation; the template that ``alatau init`` writes, the
messages of ``alatau config check`` and the table in the documentation all come from here (:mod:`alatau.app.settings`).

What the whole network must agree on is not here but in the genesis file.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

from alatau.app.settings import anything, between, endpoint, endpoint_or_empty, one_of, origin_list, schema_of
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.shares import DEFAULT_ALLOWANCES, Allowance, SenderClass
from alatau.storage.database import MIB

_POOL: Final = MempoolLimits()
"""What the pool itself takes as bounds: the defaults say it, and why, in one place."""


@dataclass(frozen=True, slots=True)
class P2pConfig:
    """How peers reach this node and it reaches them."""

    listen: Annotated[str, endpoint, "Where peers connect, over mutual TLS."] = "127.0.0.1:7001"
    introduce_to: Annotated[
        str, endpoint_or_empty, "For an observer: client endpoint of any validator, to tell it this node's TLS key."
    ] = ""


@dataclass(frozen=True, slots=True)
class RpcConfig:
    """The gRPC services for clients."""

    listen: Annotated[str, endpoint, "Where clients connect, over TLS."] = "127.0.0.1:7101"
    requests_per_second: Annotated[
        int, between(1, 1_000_000), "Calls per second taken from one client address; above it RESOURCE_EXHAUSTED."
    ] = 5_000
    streams_max: Annotated[int, between(1, 100_000), "Streams open at once, over all clients."] = 512
    client_authority: Annotated[
        str,
        anything,
        "File (PEM) with the authorities of clients, relative to the home: only clients with a certificate of one "
        "connect, and this node itself. Empty asks nobody for a certificate.",
    ] = ""
    client_roles: Annotated[
        str,
        anything,
        "File (TOML) with roles by key, relative to the home; see the page about certificates. Empty: clients of the "
        "authority read and submit.",
    ] = ""


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The same services for browsers and curl: Connect and gRPC-Web over HTTP/1.1."""

    listen: Annotated[
        str,
        endpoint_or_empty,
        "Where they connect. Empty: nowhere. Without TLS keep it on loopback, behind a proxy that has it.",
    ] = ""
    tls: Annotated[
        str,
        one_of("off", "on"),
        "on: over TLS 1.3 with the node's certificate, asking clients for theirs where rpc.client_authority does; off: "
        "plain HTTP.",
    ] = "off"
    allowed_origins: Annotated[
        str,
        origin_list,
        "Origins of web pages that may call, as https://bank.example, between commas; * lets all. Empty: no page.",
    ] = ""
    jsonrpc: Annotated[
        str,
        one_of("off", "on"),
        "on: also Ethereum's JSON-RPC, over HTTP and WebSocket at the path /, for the tools that speak it.",
    ] = "off"

    def origins(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(filter(None, map(str.strip, self.allowed_origins.split(","))))


@dataclass(frozen=True, slots=True)
class MempoolConfig:
    """Bounds of the pool of transactions that wait for a block."""

    transactions_max: Annotated[int, between(10, 10_000_000), "Transactions held at most."] = _POOL.count_max
    size_mib_max: Annotated[int, between(1, 16_384), "MiB of transactions held at most."] = _POOL.size_bytes_max // MIB
    per_sender_max: Annotated[int, between(1, 1_000_000), "Transactions held of one sender."] = _POOL.per_sender_max
    blocks_max: Annotated[int, between(2, 100_000), "Gas held at most, in blocks full of it."] = 256
    per_sender_blocks_max: Annotated[
        int, between(1, 100_000), "Gas held of one sender, in blocks full of it; one transaction always may wait."
    ] = 8
    queued_lifetime_s: Annotated[
        int, between(1, 86_400), "Seconds after which a transaction behind a missing nonce is dropped."
    ] = _POOL.queued_lifetime_ms // 1_000


_DEFAULT: Final = {str(sender_class): allowance for sender_class, allowance in DEFAULT_ALLOWANCES.items()}


@dataclass(frozen=True, slots=True)
class SharesConfig:
    """What one sender and each class of senders may take of the blocks that this node builds."""

    resident_block_gas_percent: Annotated[
        int, between(1, 100), "Of a block's gas, one resident; its first transaction in a block may exceed it."
    ] = _DEFAULT["resident"].block_gas_percent
    resident_gas_per_second: Annotated[
        int, between(21_000, 10**12), "Gas per second of one resident, two seconds' worth at once."
    ] = _DEFAULT["resident"].gas_per_s
    resident_time_percent: Annotated[int, between(1, 100), "Of this node's time, the transactions of one resident."] = (
        _DEFAULT["resident"].time_percent
    )
    resident_class_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the heavy transactions of all residents."
    ] = _DEFAULT["resident"].class_time_percent
    merchant_block_gas_percent: Annotated[
        int, between(1, 100), "Of a block's gas, one merchant; its first transaction in a block may exceed it."
    ] = _DEFAULT["merchant"].block_gas_percent
    merchant_gas_per_second: Annotated[
        int, between(21_000, 10**12), "Gas per second of one merchant, two seconds' worth at once."
    ] = _DEFAULT["merchant"].gas_per_s
    merchant_time_percent: Annotated[int, between(1, 100), "Of this node's time, the transactions of one merchant."] = (
        _DEFAULT["merchant"].time_percent
    )
    merchant_class_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the heavy transactions of all merchants."
    ] = _DEFAULT["merchant"].class_time_percent
    developer_block_gas_percent: Annotated[
        int, between(1, 100), "Of a block's gas, one developer; its first transaction in a block may exceed it."
    ] = _DEFAULT["developer"].block_gas_percent
    developer_gas_per_second: Annotated[
        int, between(21_000, 10**12), "Gas per second of one developer, two seconds' worth at once."
    ] = _DEFAULT["developer"].gas_per_s
    developer_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the transactions of one developer."
    ] = _DEFAULT["developer"].time_percent
    developer_class_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the heavy transactions of all developers."
    ] = _DEFAULT["developer"].class_time_percent
    licensed_block_gas_percent: Annotated[
        int, between(1, 100), "Of a block's gas, one licensee; its first transaction in a block may exceed it."
    ] = _DEFAULT["licensed"].block_gas_percent
    licensed_gas_per_second: Annotated[
        int, between(21_000, 10**12), "Gas per second of one licensee, two seconds' worth at once."
    ] = _DEFAULT["licensed"].gas_per_s
    licensed_time_percent: Annotated[int, between(1, 100), "Of this node's time, the transactions of one licensee."] = (
        _DEFAULT["licensed"].time_percent
    )
    licensed_class_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the heavy transactions of all licensees."
    ] = _DEFAULT["licensed"].class_time_percent
    institution_block_gas_percent: Annotated[
        int, between(1, 100), "Of a block's gas, one institution; its first transaction in a block may exceed it."
    ] = _DEFAULT["institution"].block_gas_percent
    institution_gas_per_second: Annotated[
        int, between(21_000, 10**12), "Gas per second of one institution, two seconds' worth at once."
    ] = _DEFAULT["institution"].gas_per_s
    institution_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the transactions of one institution."
    ] = _DEFAULT["institution"].time_percent
    institution_class_time_percent: Annotated[
        int, between(1, 100), "Of this node's time, the heavy transactions of all institutions."
    ] = _DEFAULT["institution"].class_time_percent

    def allowances(self) -> dict[SenderClass, Allowance]:
        """The same by class."""
        return {
            SenderClass.RESIDENT: Allowance(
                self.resident_block_gas_percent,
                self.resident_gas_per_second,
                self.resident_time_percent,
                self.resident_class_time_percent,
            ),
            SenderClass.MERCHANT: Allowance(
                self.merchant_block_gas_percent,
                self.merchant_gas_per_second,
                self.merchant_time_percent,
                self.merchant_class_time_percent,
            ),
            SenderClass.DEVELOPER: Allowance(
                self.developer_block_gas_percent,
                self.developer_gas_per_second,
                self.developer_time_percent,
                self.developer_class_time_percent,
            ),
            SenderClass.LICENSED: Allowance(
                self.licensed_block_gas_percent,
                self.licensed_gas_per_second,
                self.licensed_time_percent,
                self.licensed_class_time_percent,
            ),
            SenderClass.INSTITUTION: Allowance(
                self.institution_block_gas_percent,
                self.institution_gas_per_second,
                self.institution_time_percent,
                self.institution_class_time_percent,
            ),
        }


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """The database."""

    cache_mib: Annotated[int, between(4, 65_536), "MiB of LevelDB's block cache."] = 32
    node_cache_mib: Annotated[int, between(1, 65_536), "MiB of trie nodes and accounts kept in memory."] = 32
    account_index: Annotated[
        str,
        one_of("off", "on"),
        "Whether blocks are indexed by account from now on, for ListTransactions and GetTransaction by nonce.",
    ] = "off"


@dataclass(frozen=True, slots=True)
class ExecutionConfig:
    """How blocks are built."""

    build_budget_percent: Annotated[
        int, between(5, 80), "Share of the block interval after which the builder adds no more transactions."
    ] = 40


@dataclass(frozen=True, slots=True)
class KeysConfig:
    """How the node opens its keys."""

    password_file: Annotated[
        str,
        anything,
        "File with the password of the voting key, relative to the home; empty: ALATAU_PASSWORD, else a prompt.",
    ] = ""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """The HTTP endpoint for /metrics, /livez and /readyz."""

    listen: Annotated[str, endpoint_or_empty, "Where it listens, without TLS; empty: nowhere."] = "127.0.0.1:7201"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What the node says about itself."""

    level: Annotated[str, one_of("debug", "info", "warning", "error"), "The least severe entries written."] = "info"
    format: Annotated[str, one_of("auto", "human", "json"), "auto: for people on a terminal, JSON lines elsewhere."] = (
        "auto"
    )
    file: Annotated[
        str, anything, "File to write to and rotate, relative to the home; empty: standard error, for journald to keep."
    ] = ""
    file_mib_max: Annotated[int, between(1, 4_096), "MiB after which the file is set aside and a new one begun."] = 64
    files_max: Annotated[int, between(1, 100), "Files kept, the one being written included; the oldest goes."] = 8


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """All settings of a node."""

    p2p: P2pConfig = field(default_factory=P2pConfig)
    rpc: RpcConfig = field(default_factory=RpcConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    mempool: MempoolConfig = field(default_factory=MempoolConfig)
    shares: SharesConfig = field(default_factory=SharesConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)
    keys: KeysConfig = field(default_factory=KeysConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    log: LogConfig = field(default_factory=LogConfig)


SCHEMA: Final = schema_of(NodeConfig, "ALATAU_", "this node")

SETTINGS: Final = SCHEMA.settings
