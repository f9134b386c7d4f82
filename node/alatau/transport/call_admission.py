"""Who may call, and how much: checked on the asyncio side, before a call costs anything."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from alatau.transport.call import Call, PeerIdentity
from alatau.transport.certificates import CertificateError, common_name_of, key_hash, public_key_of
from alatau.transport.credentials import TrustStore
from alatau.transport.errors import Code, RpcError
from alatau.transport.front import client_address
from alatau.transport.garbage import check_metadata
from alatau.transport.limits import Limits
from alatau.transport.rates import PerCaller, TokenBucket

ServicerContext = Any
"""``grpc.aio.ServicerContext``; grpc ships no types."""

_IDENTITIES_MAX: Final = 1_024
"""Certificates whose parsed identity is kept: every peer of a large network several times over."""


class CallAdmission:
    """Identity, trust, rates and the count of calls under way."""

    def __init__(self, limits: Limits, trust: Sequence[TrustStore]) -> None:
        self._limits = limits
        self._trust = trust
        self._rates = PerCaller[bytes | str, TokenBucket](lambda _: TokenBucket(limits.calls_per_s, limits.calls_burst))
        self._identities: dict[bytes, PeerIdentity] = {}
        self._under_way: Counter[bytes | str] = Counter()
        self._total = 0
        self.refused: Counter[str] = Counter()
        """Calls refused, by reason."""

    def describe(self, method: str, context: ServicerContext, connection: str) -> Call:
        """Who calls; raises ``RpcError`` for a certificate that is no longer trusted, or metadata that is none."""
        remaining = context.time_remaining()
        metadata = {key.lower(): value for key, value in context.invocation_metadata() or ()}
        try:
            check_metadata(metadata)
        except RpcError as error:
            self.refused[error.reason] += 1
            raise
        return Call(
            method=method,
            peer=self._identify(context),
            address=client_address(connection),
            deadline=None if remaining is None else time.monotonic() + remaining,
            metadata=metadata,
        )

    def enter(self, caller: bytes | str) -> None:
        """Count a call in, or raise ``RpcError`` where its caller has had its share."""
        bucket = self._rates.of(caller)
        if not bucket.take():
            raise self.refusal(
                Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", "too many calls a second", retry_after_s=bucket.wait_s()
            )
        if self._total >= self._limits.concurrent_calls_max:
            raise self.refusal(Code.RESOURCE_EXHAUSTED, "SERVER_BUSY", "too many calls under way", retry_after_s=1.0)
        if self._under_way[caller] >= self._limits.concurrent_calls_per_peer_max:
            raise self.refusal(
                Code.RESOURCE_EXHAUSTED,
                "TOO_MANY_CALLS",
                f"{self._under_way[caller]} calls of this caller are under way already",
                metadata={"limit": str(self._limits.concurrent_calls_per_peer_max)},
                retry_after_s=1.0,
            )
        self._under_way[caller] += 1
        self._total += 1

    def leave(self, caller: bytes | str) -> None:
        """Count a call out."""
        self._total -= 1
        self._under_way[caller] -= 1
        if not self._under_way[caller]:
            del self._under_way[caller]

    def permits(self, hash_: bytes) -> bool:
        """Whether any listener still lets this key in."""
        return any(store.permits(hash_) for store in self._trust)

    def refusal(
        self,
        code: Code,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> RpcError:
        """An error for a call that is not let in, counted."""
        self.refused[reason] += 1
        return RpcError(code, message, reason=reason, metadata=metadata, retry_after_s=retry_after_s)

    def untrusted(self) -> RpcError:
        """The error for a key that is not, or no longer, trusted."""
        error = key_not_trusted()
        self.refused[error.reason] += 1
        return error

    def _identify(self, context: ServicerContext) -> PeerIdentity | None:
        certificates = context.auth_context().get("x509_pem_cert")
        if not certificates:
            return None
        pem = certificates[0]
        identity = self._identities.get(pem)
        if identity is None:
            try:
                identity = PeerIdentity(key_hash(public_key_of(pem)), common_name_of(pem) or "")
            except CertificateError as error:
                raise self.refusal(Code.UNAUTHENTICATED, "CERTIFICATE_UNREADABLE", str(error)) from error
            if len(self._identities) >= _IDENTITIES_MAX:
                self._identities.clear()
            self._identities[pem] = identity
        if not self.permits(identity.tls_key_hash):
            raise self.untrusted()
        return identity


def key_not_trusted() -> RpcError:
    """A certificate was verified, and its key is not let in all the same."""
    return RpcError(Code.PERMISSION_DENIED, "this TLS key is not, or no longer, trusted", reason="KEY_NOT_TRUSTED")
