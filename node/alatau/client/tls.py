"""Whom a client trusts, and who it is."""

from pathlib import Path

from alatau.transport.certificates import load_identity
from alatau.transport.credentials import ClientTls, dial_node

PemSource = bytes | str | Path
"""PEM text as bytes, or the path of a file that holds it."""


def client_tls(
    *,
    ca: PemSource | None = None,
    node_key: bytes | None = None,
    cert: PemSource | None = None,
    key: PemSource | None = None,
    server_name: str | None = None,
) -> ClientTls:
    """TLS of a client.

    Args:
        ca: certificates of the authorities that the node's certificate must come from.
        node_key: instead of ``ca``, the node's own public key (SubjectPublicKeyInfo, DER): no other node can answer.
        cert: the client's certificate, if it has one; roles follow from it.
        key: the private key of ``cert``, unencrypted.
        server_name: the name that the node's certificate carries, where it is not the host that is dialled.

    Raises:
        ValueError: neither or both of ``ca`` and ``node_key``, or only one of ``cert`` and ``key``.
        OSError: a file cannot be read.
        CertificateError: certificate and key are malformed or do not belong together.
    """
    if (ca is None) == (node_key is None):
        raise ValueError("give either ca or node_key: whom to trust")
    if (cert is None) != (key is None):
        raise ValueError("give both cert and key, or neither")
    identity = None if cert is None or key is None else load_identity(_pem(key), _pem(cert))
    if node_key is not None:
        return dial_node(node_key, identity)
    assert ca is not None
    return ClientTls(_pem(ca), identity, server_name)


def _pem(source: PemSource) -> bytes:
    return source if isinstance(source, bytes) else Path(source).read_bytes()
