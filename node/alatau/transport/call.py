"""What a handler knows about the call it serves."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Who calls, by the key of its verified client certificate, never by its address."""

    tls_key_hash: bytes
    """sha256 of the SubjectPublicKeyInfo (DER), 32 bytes."""
    common_name: str
    """The certificate's subject, for people; proves nothing."""


def _without_headers(_headers: Mapping[str, str]) -> None:
    """What has no stream sends no headers of its own."""


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
    begin: Callable[[Mapping[str, str]], None] = field(default=_without_headers, repr=False, compare=False)
    """Sends the response headers of a stream, with these fields: the client knows from then on that it is under way.

    For handlers marked with ``service.announces``; to be called before the first message, and before anything is waited
    for. The headers of other streams go out when the call is admitted.
    """

    @property
    def caller(self) -> bytes | str:
        """Who is charged for the call: the key, or the address of an anonymous caller."""
        return self.peer.tls_key_hash if self.peer else self.address

    def remaining_s(self) -> float | None:
        """Seconds until the deadline, not below zero; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
