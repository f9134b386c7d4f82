"""What a handler knows about the call it serves."""

import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Who calls, by the key of its verified client certificate, never by its address."""

    tls_key_hash: bytes
    """sha256 of the SubjectPublicKeyInfo (DER), 32 bytes."""
    common_name: str
    """The certificate's subject, for people; proves nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call under way."""

    method: str
    """``/package.Service/Method``."""
    peer: PeerIdentity | None
    """None on a listener that asks for no client certificate."""
    address: str
    """Where the call came from, for logs and for rate limits of anonymous callers."""
    deadline: float | None
    """On ``time.monotonic``'s clock; None where the client set none. The handler is cancelled when it passes."""
    metadata: Mapping[str, str | bytes]
    """Request headers, names in lower case; ``-bin`` ones are bytes."""

    def remaining_s(self) -> float | None:
        """Seconds until the deadline, not below zero; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
