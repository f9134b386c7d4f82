"""TLS of the HTTP face: 1.3 with the node's certificate, by Python's own library, as gRPC's is not in between.

Where there is a trust store clients show a certificate, as at the port for gRPC: who has none does not get through the
handshake, and what its key may do is looked at with every call.
"""

import ssl
from tempfile import NamedTemporaryFile

import trio

from alatau.transport.call import PeerIdentity
from alatau.transport.certificates import TlsIdentity, common_name_of, key_hash, public_key_of, trust_anchor
from alatau.transport.credentials import IdentityHolder, TrustStore

TlsStream = trio.SSLStream[trio.SocketStream]


class HandshakeError(Exception):
    """A client did not come to terms over TLS. ``reason`` is for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebTls:
    """Takes connections over TLS with the certificate of now."""

    def __init__(self, identity: IdentityHolder, trust: TrustStore | None = None) -> None:
        """Ask clients for a certificate of ``trust``; nobody for one where it is None."""
        self._identity = identity
        self.trust = trust
        self._made: tuple[tuple[int, int], ssl.SSLContext] | None = None

    async def accept(self, stream: trio.SocketStream, within_s: float) -> TlsStream:
        """Do the handshake; raises ``HandshakeError``."""
        secure = trio.SSLStream(stream, self._context(), server_side=True, https_compatible=True)
        with trio.move_on_after(within_s):
            try:
                await secure.do_handshake()
            except trio.BrokenResourceError as error:
                raise HandshakeError(_reason(error.__cause__)) from error
            return secure
        raise HandshakeError("HELLO_TIMEOUT")

    def peer_of(self, stream: TlsStream) -> PeerIdentity | None:
        """Whose certificate was verified; None where nobody is asked for one. Raises ``CertificateError``."""
        if self.trust is None:
            return None
        pem = ssl.DER_cert_to_PEM_cert(stream.getpeercert(binary_form=True)).encode()
        return PeerIdentity(key_hash(public_key_of(pem)), common_name_of(pem) or "")

    def permits(self, peer: PeerIdentity | None) -> bool:
        """Whether a key is let in still; it may have lost its roles since its handshake."""
        return peer is None or (self.trust is not None and self.trust.permits(peer.tls_key_hash))

    def _context(self) -> ssl.SSLContext:
        version = self._identity.version, 0 if self.trust is None else self.trust.version
        if self._made is None or self._made[0] != version:
            self._made = version, _context_of(self._identity.current, self.trust)
        return self._made[1]


def _context_of(identity: TlsIdentity, trust: TrustStore | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    with NamedTemporaryFile(prefix="alatau-") as file:  # the library reads files only; nobody else may read this one
        file.write(identity.key_pem + identity.certificate_pem)
        file.flush()
        context.load_cert_chain(file.name)
    if trust is not None:
        anchors = trust.bundle_pem() or trust_anchor(identity.public_key)
        context.load_verify_locations(cadata=anchors.decode())
        context.verify_mode = ssl.CERT_REQUIRED
        context.num_tickets = 0  # a resumed session would bring a certificate that has expired since
    return context


def _reason(cause: BaseException | None) -> str:
    match cause:
        case ssl.SSLError(reason="UNSUPPORTED_PROTOCOL"):
            return "TLS_BELOW_1_3"
        case ssl.SSLError(reason="HTTP_REQUEST" | "WRONG_VERSION_NUMBER"):
            return "NOT_TLS"
        case ssl.SSLError(reason="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
            return "NO_CERTIFICATE"
        case ssl.SSLError(reason="CERTIFICATE_VERIFY_FAILED"):
            return "CERTIFICATE_REFUSED"
    return "HANDSHAKE_FAILED"
