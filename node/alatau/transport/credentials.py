"""Who may connect to whom: trust stores and the TLS settings of listeners and dialers.

TLS 1.3 only: what a listener takes is decided before grpc sees a connection (``transport.client_hello``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import grpc

from alatau.transport.certificates import NODE_NAME, TlsIdentity, key_hash, trust_anchor


class TrustStore:
    """The keys, and authorities where clients bring certificates of one, that a listener lets in.

    Changing it takes effect at the next handshake, and at once for calls under way: listeners end the calls of a
    key that is no longer permitted.
    """

    def __init__(self, public_keys: Iterable[bytes] = (), authorities_pem: bytes = b"") -> None:
        """Trust nodes by ``public_keys`` (SubjectPublicKeyInfo, DER) and clients certified by authorities."""
        self._authorities_pem = authorities_pem
        self._anchors: dict[bytes, bytes] = {}
        self._revoked: frozenset[bytes] = frozenset()
        self._on_change: list[Callable[[], None]] = []
        self.version = 0
        self.set_keys(public_keys)

    def set_keys(self, public_keys: Iterable[bytes]) -> None:
        """Trust exactly these keys from now on (authorities stay). Raises ``CertificateError``, changing nothing."""
        old = self._anchors
        fresh = {key_hash(key): key for key in public_keys}
        self._anchors = {hash_: old.get(hash_) or trust_anchor(key) for hash_, key in fresh.items()}
        self._changed()

    def revoke(self, key_hashes: Iterable[bytes]) -> None:
        """Keys to refuse although an authority certified them; replaces the list."""
        self._revoked = frozenset(key_hashes)
        self._changed()

    def permits(self, hash_: bytes) -> bool:
        """Whether a peer with this key, whose certificate was verified, is let in."""
        return hash_ not in self._revoked and (hash_ in self._anchors or bool(self._authorities_pem))

    def bundle_pem(self) -> bytes:
        """Every anchor, for a handshake."""
        return self._authorities_pem + b"".join(self._anchors.values())

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after every change; gives a function that stops that."""
        self._on_change.append(callback)
        return lambda: self._on_change.remove(callback)

    def _changed(self) -> None:
        self.version += 1
        for callback in tuple(self._on_change):
            callback()


class IdentityHolder:
    """The identity in use, replaceable while the node runs: the next handshake shows the new certificate."""

    def __init__(self, identity: TlsIdentity) -> None:
        self.current = identity
        self.version = 0

    def renew(self, identity: TlsIdentity) -> None:
        """Use another certificate on the same key.

        Raises:
            ValueError: the key differs; a node that changes its key changes who it is, which needs a restart.
        """
        if identity.key_hash != self.current.key_hash:
            msg = "a renewed certificate is on the same key"
            raise ValueError(msg)
        self.current = identity
        self.version += 1


@dataclass(frozen=True, slots=True)
class ServerTls:
    """TLS of a listener."""

    identity: IdentityHolder
    trust: TrustStore | None
    """Who may connect; None asks for no client certificate, and peers stay anonymous."""

    def credentials(self) -> grpc.ServerCredentials:
        """Credentials that look at identity and trust anew at every handshake."""
        seen = (-1, -1)

        def configuration() -> grpc.ServerCertificateConfiguration:
            identity = self.identity.current
            # A lone validator trusts nobody yet; grpc needs some anchor, and its own lets no other in.
            own = trust_anchor(identity.public_key)
            roots = None if self.trust is None else self.trust.bundle_pem() or own
            return grpc.ssl_server_certificate_configuration([(identity.key_pem, identity.certificate_pem)], roots)

        def changed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal seen
            version = (self.identity.version, 0 if self.trust is None else self.trust.version)
            if version == seen:
                return None
            seen = version
            return configuration()

        return grpc.dynamic_ssl_server_credentials(
            configuration(), changed, require_client_authentication=self.trust is not None
        )


@dataclass(frozen=True, slots=True)
class ClientTls:
    """TLS of a dialer."""

    roots_pem: bytes
    """Anchors of whom is dialled: one node's, or an authority's."""
    identity: TlsIdentity | None = None
    """Shown to the server; None stays anonymous."""
    server_name: str | None = None
    """Name that the server's certificate must carry; None takes the host that is dialled."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Credentials of one channel."""
        if self.identity is None:
            return grpc.ssl_channel_credentials(self.roots_pem)
        return grpc.ssl_channel_credentials(self.roots_pem, self.identity.key_pem, self.identity.certificate_pem)


def dial_node(public_key: bytes, identity: TlsIdentity | None = None) -> ClientTls:
    """TLS towards the node with this key (SubjectPublicKeyInfo, DER), wherever it is: no other can answer."""
    return ClientTls(trust_anchor(public_key), identity, NODE_NAME)
