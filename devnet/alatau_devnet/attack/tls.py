"""An attacker's TLS, and what came of its connections."""

import ssl
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import trio

from alatau.transport.certificates import NODE_NAME
from alatau.types.endpoint import Endpoint

CONNECT_S: Final = 5.0
"""How long a connection and its handshake may take before an attacker tries the next."""

GONE: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
"""How a connection ends that the node, or the machine, does not want."""


@dataclass(slots=True)
class Outcome:
    """What an attack did and how the node answered: events by name, for a table."""

    attack: str
    events: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """One line."""
        return f"{self.attack}: " + (", ".join(f"{name} {count}" for name, count in sorted(self.events.items())) or "-")


def client_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """TLS of an attacker: any certificate will do, ``version`` and HTTP/2 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    return context


async def connect_tls(target: Endpoint, context: ssl.SSLContext | None = None) -> trio.SSLStream[trio.SocketStream]:
    """A connection past its handshake. Raises ``OSError``, ``trio.BrokenResourceError`` or ``trio.TooSlowError``."""
    with trio.fail_after(CONNECT_S):
        raw = await trio.open_tcp_stream(target.host, target.port)
        try:
            stream = trio.SSLStream(raw, context or client_context(), server_hostname=NODE_NAME)
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(raw)
            raise
    return stream
