"""Identities: one key, disposable certificates."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from alatau.transport.certificates import (
    CertificateError,
    authority_certificate,
    common_name_of,
    issue_identity,
    key_hash,
    load_identity,
    new_key,
    public_key_of,
    trust_anchor,
)


def test_a_renewed_certificate_keeps_the_identity() -> None:
    """Only the validity and the serial number change."""
    key = new_key()
    first = issue_identity(key, "Ministry of Finance")
    second = issue_identity(key, "Ministry of Finance", now=datetime.now(UTC) + timedelta(days=60))
    assert first.key_hash == second.key_hash == key_hash(first.public_key)
    assert second.not_after - first.not_after > timedelta(days=59)
    assert first.certificate_pem != second.certificate_pem


def test_an_anchor_written_down_from_the_key_names_the_same_authority() -> None:
    """Name, key and constraints are those of the owner's own authority certificate; only the signature differs."""
    key = new_key()
    identity = issue_identity(key, "node")
    written = x509.load_pem_x509_certificate(trust_anchor(identity.public_key))
    published = x509.load_pem_x509_certificate(authority_certificate(key))
    leaf = x509.load_pem_x509_certificate(identity.certificate_pem)
    assert written.subject == written.issuer == published.subject == leaf.issuer
    assert written.public_key() == published.public_key() == leaf.public_key()
    assert list(written.extensions) == list(published.extensions)
    leaf.verify_directly_issued_by(published)
    published.verify_directly_issued_by(published)


def test_a_leaf_carries_its_hosts() -> None:
    """Names and addresses both, for clients that check whom they dial."""
    identity = issue_identity(new_key(), "node", ["node1.example.kg", "192.0.2.7"])
    names = (
        x509.load_pem_x509_certificate(identity.certificate_pem)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.DNSName) == ["node.alatau", "node1.example.kg"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]


def test_a_long_name_is_cut() -> None:
    """X.520 ends a common name at 64 characters; a ministry's full name may be longer."""
    assert common_name_of(issue_identity(new_key(), "M" * 100).certificate_pem) == "M" * 64


def test_a_certificate_reads_in_both_forms() -> None:
    """PEM and DER give the same key."""
    identity = issue_identity(new_key(), "node")
    der = x509.load_pem_x509_certificate(identity.certificate_pem).public_bytes(serialization.Encoding.DER)
    assert public_key_of(der) == public_key_of(identity.certificate_pem) == identity.public_key


def test_the_key_does_not_show() -> None:
    """An identity in a log or a traceback gives nothing away."""
    identity = issue_identity(new_key(), "node")
    assert "PRIVATE" not in repr(identity)
    assert identity.key_hash.hex() in repr(identity)


def test_a_certificate_for_another_key_is_refused() -> None:
    """A mix-up of files is seen when they are read."""
    with pytest.raises(CertificateError, match="another key"):
        load_identity(new_key(), issue_identity(new_key(), "node").certificate_pem)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_a_key_of_another_kind_is_refused(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """Identities are P-256 keys, whole and as public keys."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(CertificateError, match="P-256"):
        issue_identity(pem, "node")
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(CertificateError, match="P-256"):
        trust_anchor(spki)


@pytest.mark.parametrize("garbage", [b"", b"-----BEGIN CERTIFICATE-----", b"\x30\x82"])
def test_garbage_is_refused(garbage: bytes) -> None:
    """As key, as public key and as certificate."""
    with pytest.raises(CertificateError):
        issue_identity(garbage, "node")
    with pytest.raises(CertificateError):
        trust_anchor(garbage)
    with pytest.raises(CertificateError):
        public_key_of(garbage)
