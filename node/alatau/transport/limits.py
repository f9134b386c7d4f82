"""Limits of a listener and of a channel."""

from dataclasses import dataclass
from typing import Final

METADATA_BYTES_MAX: Final = 16 * 1024
"""Names and values of a call's headers, each counted with 32 bytes more (RFC 9113, 6.5.2). gRPC answers more with
RESOURCE_EXHAUSTED."""

_UNCOMPRESSED: Final = 1
"""Only the encoding ``identity``: 8 KB of gzip become 8 MB of zeros before any limit sees them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one side lets the other do."""

    message_bytes_max: int = 8 * 1024 * 1024
    """Longest message taken; grpc refuses a longer one from its length, before it is read."""
    concurrent_calls_max: int = 1_024
    """Calls under way in total; a call costs about 20 KiB."""
    concurrent_calls_per_peer_max: int = 256
    streams_per_connection_max: int = 256
    """Calls open at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS). gRPC resets what is above by itself.

    It also bounds a client that opens calls only to reset them: without it, 20,000 such a second fail others' calls."""
    calls_waiting_soft: int = 384
    """New calls that gRPC's core may hold for us before it drops some by chance, without asking us (CANCELLED).

    They are taken one after the other, 0.8 ms each, whoever sent them: 4,000 at once of sixteen connections made every
    other client wait 3.4 s, and each of core's own bounds (1,000 and 3,000) lets so many in."""
    calls_waiting_max: int = 512
    """From here on it drops every new one: what waits is at most 0.5 s of work, and one client's full share fits."""
    connections_max: int = 1_024
    """Connections of all clients together; fewer where descriptors are scarce (``transport.descriptors``)."""
    connections_per_address_max: int = 256
    """Of one address. Connections are shared by calls, so this is for many clients behind one address."""
    connections_per_s: float = 100.0
    """New ones from one address: a handshake costs about 1 ms of a core."""
    connections_burst: float = 400.0
    """New ones at once from an address that has been quiet."""
    handshake_s: float = 5.0
    """For each of the first message of TLS, the rest of the handshake, and HTTP/2's preface and settings."""
    young_bytes_per_s: float = 8.0 * 1024 * 1024
    """Taken from one address over connections younger than ``young_s``, after a burst of as much again; faster ones are
    read more slowly. Until a client acknowledges gRPC's settings, gRPC holds it to no limit of metadata."""
    young_total_bytes_per_s: float = 32.0 * 1024 * 1024
    """The same of all addresses: with ``young_s`` it bounds what such clients can make the node keep, to 350 MB."""
    cancelled_calls_per_s: float = 50.0
    """Calls that clients of one address give up within ``early_s``, over time; who gives up more loses the connection.

    A call begun for nothing costs about 1 ms. gRPC bounds how many are open at once, not how many are reset."""
    cancelled_calls_burst: float = 512.0
    """At once: every call of two full connections may be given up together."""
    held_bytes_max: int = 192 * 1024 * 1024
    """What all connections together may make the server keep (``transport.holdings``): every call that the client API
    lets be under way, and sixteen of the longest messages."""
    early_s: float = 1.0
    """Deadlines of clients that mean it are longer than this, also on a busy node."""
    idle_connection_s: float = 600.0
    """A connection without calls for this long is closed (GOAWAY); clients connect again by themselves."""
    calls_per_s: float = 5_000.0
    """Calls a second from one caller, over time."""
    calls_burst: float = 10_000.0
    """Calls at once from one caller that has been quiet."""
    keepalive_s: float = 10.0
    """A connection that is silent for this long is probed; in use or not."""
    keepalive_timeout_s: float = 5.0
    """A probe without an answer for this long ends the connection and with it its calls."""
    shutdown_grace_s: float = 2.0
    """Calls under way may finish for this long when the listener closes."""

    @property
    def young_s(self) -> float:
        """Age by which a client has acknowledged gRPC's settings, or was cut off."""
        return 2.0 * self.handshake_s

    def options(self) -> list[tuple[str, int]]:
        """The same as grpc channel arguments, for either side."""
        return [
            ("grpc.max_receive_message_length", self.message_bytes_max),
            ("grpc.max_send_message_length", self.message_bytes_max),
            ("grpc.max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1_000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_s * 1_000)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", int(self.keepalive_s * 500)),
        ]

    def server_options(self) -> list[tuple[str, int]]:
        """Those of a server: the same, and what it does not let clients do."""
        return [
            *self.options(),
            ("grpc.so_reuseport", 0),
            ("grpc.server.max_pending_requests", self.calls_waiting_soft),
            ("grpc.server.max_pending_requests_hard_limit", self.calls_waiting_max),
            ("grpc.max_concurrent_streams", self.streams_per_connection_max),
            ("grpc.server_handshake_timeout_ms", int(self.handshake_s * 1_000)),
            ("grpc.http2.settings_timeout", int(self.handshake_s * 1_000)),
            ("grpc.max_connection_idle_ms", int(self.idle_connection_s * 1_000)),
            ("grpc.compression_enabled_algorithms_bitset", _UNCOMPRESSED),
        ]
