"""Learning the key behind a hash from the node that has it.

The registry keeps the hash of a node's TLS key. The node shows the key itself in any TLS handshake, and proves
there that it holds it; whether it is the right one, the hash says.
"""

import ssl

import trio

from alatau.transport.certificates import NODE_NAME, CertificateError, key_hash, public_key_of
from alatau.transport.errors import Code, RpcError
from alatau.types.endpoint import EndpointError, parse_endpoint

_HANDSHAKE_S = 5.0


async def discover_public_key(endpoint: str, expected_hash: bytes) -> bytes:
    """The SubjectPublicKeyInfo (DER) with ``expected_hash`` from the node at ``host:port``.

    Raises:
        RpcError: UNREACHABLE, or WRONG_KEY where somebody else answers.
    """
    try:
        at = parse_endpoint(endpoint)
    except EndpointError as error:
        raise RpcError(Code.UNAVAILABLE, f"{endpoint!r} is no endpoint: {error}", reason="UNREACHABLE") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the hash is the check
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    try:
        with trio.fail_after(_HANDSHAKE_S):
            stream = await trio.open_tcp_stream(at.host, at.port)
            async with stream:
                tls = trio.SSLStream(stream, context, server_hostname=NODE_NAME)
                await tls.do_handshake()
                certificate = tls.getpeercert(binary_form=True)
    except (OSError, trio.BrokenResourceError, trio.TooSlowError, ssl.SSLError) as error:
        raise RpcError(Code.UNAVAILABLE, f"no handshake with {endpoint}: {error}", reason="UNREACHABLE") from error
    try:
        public_key = public_key_of(certificate or b"")
    except CertificateError as error:
        raise RpcError(Code.UNAUTHENTICATED, str(error), reason="WRONG_KEY") from error
    if key_hash(public_key) != expected_hash:
        raise RpcError(
            Code.UNAUTHENTICATED, f"the node at {endpoint} has another key than the registry says", reason="WRONG_KEY"
        )
    return public_key
