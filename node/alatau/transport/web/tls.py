"""TLS of the HTTP face: 1.3 with the node's certificate, by Python's own library, as gRPC's is not in between."""

import ssl
from tempfile import NamedTemporaryFile

import trio

from alatau.transport.certificates import TlsIdentity
from alatau.transport.credentials import IdentityHolder

TlsStream = trio.SSLStream[trio.SocketStream]


class HandshakeError(Exception):
    """A client did not come to terms over TLS. ``reason`` is for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebTls:
    """Takes connections over TLS with the certificate of now."""

    def __init__(self, identity: IdentityHolder) -> None:
        self._identity = identity
        self._made: tuple[int, ssl.SSLContext] | None = None

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

    def _context(self) -> ssl.SSLContext:
        version = self._identity.version
        if self._made is None or self._made[0] != version:
            self._made = version, _context_of(self._identity.current)
        return self._made[1]


def _context_of(identity: TlsIdentity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    with NamedTemporaryFile(prefix="alatau-") as file:  # the library reads files only; nobody else may read this one
        file.write(identity.key_pem + identity.certificate_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _reason(cause: BaseException | None) -> str:
    match cause:
        case ssl.SSLError(reason="UNSUPPORTED_PROTOCOL"):
            return "TLS_BELOW_1_3"
        case ssl.SSLError(reason="HTTP_REQUEST" | "WRONG_VERSION_NUMBER"):
            return "NOT_TLS"
    return "HANDSHAKE_FAILED"
