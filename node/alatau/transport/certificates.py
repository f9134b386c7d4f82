"""TLS identities: a P-256 key is who a node is; certificates around it are disposable.

A node's *leaf* certificate is issued by a certificate authority of its own on the **same key**, named after the
key's hash. Whoever knows the key can write down that authority's certificate, a *trust anchor*: RFC 5280
(6.1.1 d) makes an anchor a name and a key, nothing else, and verifiers do not check its signature. So trust is
handed around as keys, from the genesis file or the registry, and a leaf is renewed by its node alone.
``docs/adr/0003-node-identity.md`` gives the reasons.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NODE_NAME: Final = "node.alatau"
"""DNS name in every node's leaf; peers ask for it instead of an address, which says nothing about identity."""

LEAF_VALIDITY: Final = timedelta(days=90)
BACKDATE: Final = timedelta(hours=1)
"""A leaf starts in the past, so that a peer whose clock is behind takes it."""

_ANCHOR_NOT_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_ANCHOR_NOT_AFTER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280, 4.1.2.5: a certificate without a well-defined end. Keys end by leaving the registry."""

_NAME_LENGTH_MAX: Final = 64
"""Longest common name (X.520)."""


class CertificateError(ValueError):
    """A key or certificate cannot be used: malformed, of another kind, or not matching its key. Make a new one."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """A node's key with its current leaf certificate."""

    key_pem: bytes
    """PKCS#8, unencrypted: it lives in memory and in a file that only the node can read."""
    certificate_pem: bytes
    """The leaf, and its chain where another authority issued it."""
    public_key: bytes
    """SubjectPublicKeyInfo, DER."""
    key_hash: bytes
    """sha256 of ``public_key``, 32 bytes: who this node is."""
    not_after: datetime

    def __repr__(self) -> str:
        """Name the identity without its key."""
        return f"TlsIdentity(key_hash={self.key_hash.hex()}, not_after={self.not_after.isoformat()})"


def new_key() -> bytes:
    """A fresh P-256 key, as PKCS#8 PEM."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def issue_identity(
    key_pem: bytes,
    common_name: str,
    hosts: Sequence[str] = (),
    *,
    now: datetime | None = None,
    validity: timedelta = LEAF_VALIDITY,
) -> TlsIdentity:
    """Issue a leaf on ``key_pem``: at first start, and again on the same key before the last one ends.

    ``hosts`` are further names and addresses that clients dial. Raises ``CertificateError``.
    """
    key = _load_key(key_pem)
    start = (now or datetime.now(UTC)) - BACKDATE
    names = [x509.DNSName(NODE_NAME), *(_general_name(host) for host in hosts)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_NAME_LENGTH_MAX])]))
        .issuer_name(_authority_name(key.public_key()))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + BACKDATE + validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    leaf = builder.sign(key, hashes.SHA256())
    return load_identity(key_pem, leaf.public_bytes(serialization.Encoding.PEM))


def load_identity(key_pem: bytes, certificate_pem: bytes) -> TlsIdentity:
    """Put a key and a leaf certificate together; raises ``CertificateError`` where they do not belong together."""
    key = _load_key(key_pem)
    certificate = _load_certificate(certificate_pem)
    public_key = spki_of_certificate(certificate)
    if public_key != _spki(key.public_key()):
        msg = "the certificate is for another key"
        raise CertificateError(msg)
    return TlsIdentity(key_pem, certificate_pem, public_key, key_hash(public_key), certificate.not_valid_after_utc)


def trust_anchor(public_key: bytes) -> bytes:
    """The authority certificate (PEM) of a node, written down from its public key (SubjectPublicKeyInfo, DER).

    Its signature is by a throw-away key: verifiers take an anchor for its name and key (RFC 5280, 6.1.1 d).
    Raises ``CertificateError``.
    """
    key = _load_public_key(public_key)
    return _authority(key, ec.generate_private_key(ec.SECP256R1()))


def authority_certificate(key_pem: bytes) -> bytes:
    """The same certificate (PEM) with a signature that verifies, made by the key's owner for publication."""
    key = _load_key(key_pem)
    return _authority(key.public_key(), key)


def key_hash(public_key: bytes) -> bytes:
    """Who a node is: sha256 of its SubjectPublicKeyInfo (DER)."""
    return hashlib.sha256(public_key).digest()


def is_node_key(public_key: bytes) -> bool:
    """Whether this is the SubjectPublicKeyInfo (DER) of a P-256 key; a registered hash may stand for anything."""
    try:
        _load_public_key(public_key)
    except CertificateError:
        return False
    return True


def public_key_of(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo (DER) of a certificate in PEM or DER; raises ``CertificateError``."""
    return spki_of_certificate(_load_certificate(certificate))


def spki_of_certificate(certificate: x509.Certificate) -> bytes:
    """SubjectPublicKeyInfo (DER) of a parsed certificate."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def common_name_of(certificate: bytes) -> str | None:
    """The subject's common name, for people; raises ``CertificateError``."""
    names = _load_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _authority(public_key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    name = _authority_name(public_key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(1)
        .not_valid_before(_ANCHOR_NOT_BEFORE)
        .not_valid_after(_ANCHOR_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _authority_name(public_key: ec.EllipticCurvePublicKey) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key_hash(_spki(public_key)).hex())])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _spki(public_key: ec.EllipticCurvePublicKey) -> bytes:
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_key(key_pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"not an unencrypted private key in PEM: {error}"
        raise CertificateError(msg) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = "a node's TLS key is on P-256"
        raise CertificateError(msg)
    return key


def _load_public_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"not a SubjectPublicKeyInfo: {error}"
        raise CertificateError(msg) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = "a node's TLS key is on P-256"
        raise CertificateError(msg)
    return key


def _load_certificate(data: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data) if data[:5] == b"-----" else x509.load_der_x509_certificate(data)
    except ValueError as error:
        msg = f"not a certificate in PEM or DER: {error}"
        raise CertificateError(msg) from error
