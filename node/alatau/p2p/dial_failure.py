"""Why a connection did not come about, as a stable word and a sentence for the operator.

grpc says it in prose; the words that are looked for here are held to it by tests against real failures.
"""

from datetime import UTC, datetime
from typing import Final

from alatau.transport.certificates import TlsIdentity
from alatau.transport.errors import Code, RpcError

_NOT_CONNECTED: Final = "failed to connect to all addresses"
_UNREACHABLE: Final = (
    "Connection refused",
    "timed out",
    "Timeout",
    "No route to host",
    "Network is unreachable",
    "DNS",
)
_CLOSED: Final = ("Socket closed", "Connection reset", "Broken pipe", "EOF")


def dial_failure(error: RpcError, own: TlsIdentity, now: datetime | None = None) -> tuple[str, str]:
    """(reason, explanation) of a failed attempt to reach a peer."""
    if error.code is not Code.UNAVAILABLE or error.reason != Code.UNAVAILABLE.name:
        return error.reason, error.message  # the peer, or this side, has said it already
    message = error.message
    if "CERTIFICATE_VERIFY_FAILED" in message:
        if "expired" in message:
            return "PEER_CERTIFICATE_EXPIRED", f"the peer's operator renews its certificate: {message}"
        return "PEER_CERTIFICATE_UNTRUSTED", f"another key answers there than the registry says: {message}"
    if any(word in message for word in _UNREACHABLE):
        return "UNREACHABLE", message
    if _NOT_CONNECTED in message and any(word in message for word in _CLOSED):
        if own.not_after <= (now or datetime.now(UTC)):
            return "OWN_CERTIFICATE_EXPIRED", "our certificate has expired: renew it, on the same key"
        return "CERTIFICATE_REFUSED", "the peer ended the handshake: it does not, or not yet, know our key"
    return error.reason, message
