"""TLS identities: a P-256 key is who a node is; certificates around it are disposable.

A node's *leaf* certificate is issued by a certificate authority of its own on the **same key**, named after the
key's hash. Whoever knows the key can write down that authority's certificate, a *trust anchor*: RFC 5280
(6.1.1 d) makes an anchor a name and a key, nothing else, and verifiers do not check its signature. So trust is
handed around as keys, from the genesis file or the registry, and a leaf is renewed by its node alone.
``docs/adr/0003-node-identity.md`` gives the reasons.

The profile is the strictest that verifiers ask for (RFC 5280, 4.2; ``openssl -x509_strict``, Python's
``VERIFY_X509_STRICT``, rustls, Go, Node.js): authority and leaf each have a Subject Key Identifier and the leaf names
its authority's, key usages are what each is for and no more, and no leaf has its authority's name, although both have
one key: a leaf that looked self-issued would be taken for another authority.
"""

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

NODE_NAME: Final = "node.alatau"
"""DNS name in every node's leaf; peers ask for it instead of an address, which says nothing about identity."""

LEAF_VALIDITY: Final = timedelta(days=90)
BACKDATE: Final = timedelta(hours=1)
"""A leaf starts in the past, so that a peer whose clock is behind takes it."""

_ANCHOR_NOT_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_ANCHOR_NOT_AFTER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280, 4.1.2.5: a certificate without a well-defined end. Keys end by leaving the registry."""

_NAME_BYTES_MAX: Final = 64
"""Longest common name (X.520, ub-common-name), in UTF-8."""

_ORGANISATION: Final = "Alatau node"
"""In the subject of every leaf and of no authority, so that the two never have one name."""

_HOST_NAME: Final = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
"""RFC 1123, section 2.1."""


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
    key = load_key(key_pem)
    public_key = key.public_key()
    start = (now or datetime.now(UTC)) - BACKDATE
    names = [x509.DNSName(NODE_NAME), *(_general_name(host) for host in hosts if host != NODE_NAME)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_leaf_name(common_name))
        .issuer_name(_authority_name(public_key))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + BACKDATE + validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
    )
    leaf = builder.sign(key, hashes.SHA256())
    return load_identity(key_pem, leaf.public_bytes(serialization.Encoding.PEM))


def hosts_of(certificate: bytes) -> list[str]:
    """Names and addresses in a leaf (PEM or DER) besides ``NODE_NAME``; raises ``CertificateError``."""
    names = _extension(_load_certificate(certificate), x509.SubjectAlternativeName)
    if names is None:
        return []
    dns = names.get_values_for_type(x509.DNSName)
    return [name for name in dns if name != NODE_NAME] + list(map(str, names.get_values_for_type(x509.IPAddress)))


def is_outdated(certificate: bytes) -> bool:
    """Whether a node issued this leaf (PEM or DER) to itself by an earlier profile; raises ``CertificateError``.

    One that another authority issued is its operator's business.
    """
    leaf = _load_certificate(certificate)
    key = _load_public_key(spki_of_certificate(leaf))
    if leaf.issuer != _authority_name(key):
        return False
    identified = _extension(leaf, x509.SubjectKeyIdentifier) and _extension(leaf, x509.AuthorityKeyIdentifier)
    return not identified or not leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)


def load_identity(key_pem: bytes, certificate_pem: bytes) -> TlsIdentity:
    """Put a key and a leaf certificate together; raises ``CertificateError`` where they do not belong together."""
    key = load_key(key_pem)
    certificate = _load_certificate(certificate_pem)
    public_key = spki_of_certificate(certificate)
    if public_key != _spki(key.public_key()):
        msg = "the certificate is for another key"
        raise CertificateError(msg)
    try:
        not_after = certificate.not_valid_after_utc
    except ValueError as error:
        raise CertificateError(f"the certificate's end is no time: {error}") from error
    return TlsIdentity(key_pem, certificate_pem, public_key, key_hash(public_key), not_after)


def trust_anchor(public_key: bytes) -> bytes:
    """The authority certificate (PEM) of a node, written down from its public key (SubjectPublicKeyInfo, DER).

    Its signature is by a throw-away key: verifiers take an anchor for its name and key (RFC 5280, 6.1.1 d).
    Raises ``CertificateError``.
    """
    key = _load_public_key(public_key)
    return _authority(key, ec.generate_private_key(ec.SECP256R1()))


def authority_certificate(key_pem: bytes) -> bytes:
    """The same certificate (PEM) with a signature that verifies, made by the key's owner for publication."""
    key = load_key(key_pem)
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
    """SubjectPublicKeyInfo (DER) of a parsed certificate; raises ``CertificateError``."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the certificate's key is of no known kind: {error}") from error
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def common_name_of(certificate: bytes) -> str | None:
    """The subject's common name, for people; raises ``CertificateError``."""
    try:
        names = _load_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:  # Parsed when it is asked for.
        raise CertificateError(f"the certificate's subject is malformed: {error}") from error
    return str(names[0].value) if names else None


def _authority(public_key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    name = _authority_name(public_key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(_authority_serial(public_key))
        .not_valid_before(_ANCHOR_NOT_BEFORE)
        .not_valid_after(_ANCHOR_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    # Deterministic (RFC 6979): whoever has the key publishes the same bytes each time, to be compared as a file.
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(serialization.Encoding.PEM)


def _authority_name(public_key: ec.EllipticCurvePublicKey) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key_hash(_spki(public_key)).hex())])


def _authority_serial(public_key: ec.EllipticCurvePublicKey) -> int:
    # Issuer and serial number name a certificate (RFC 5280, 4.1.2.2); everybody who writes this one gives it the same.
    return int.from_bytes(key_hash(_spki(public_key))[:16]) >> 1 | 1


def _leaf_name(common_name: str) -> x509.Name:
    cut = common_name.encode(errors="replace")[:_NAME_BYTES_MAX].decode(errors="ignore").strip()
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, cut or "node"),
        ]
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST_NAME.fullmatch(host):
            raise CertificateError(f"{host!r} is neither a host name (in its xn-- form) nor an address") from None
        return x509.DNSName(host)


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except ValueError as error:
        raise CertificateError(f"the certificate's extensions are malformed: {error}") from error


def _spki(public_key: ec.EllipticCurvePublicKey) -> bytes:
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(key_pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A node's private key from its PEM; raises ``CertificateError``."""
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
