"""Identities: one key, disposable certificates."""

import contextlib
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from alatau.transport.certificates import (
    CertificateError,
    authority_certificate,
    common_name_of,
    hosts_of,
    is_outdated,
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


@pytest.mark.parametrize(
    ("name", "carried"),
    [("M" * 100, "M" * 64), ("Қаржы министрлігі " * 5, ("Қаржы министрлігі " * 5)[:33]), ("", "node"), ("  ", "node")],
    ids=["long", "long in UTF-8", "empty", "spaces"],
)
def test_a_name_fits_a_certificate(name: str, carried: str) -> None:
    """X.520 ends a common name at 64 bytes and wants one; a ministry's full name may be longer."""
    assert common_name_of(issue_identity(new_key(), name).certificate_pem) == carried


@pytest.mark.parametrize("host", ["", "a b", "münchen.example", "-a", "a..b", "*", "x" * 64, "[::1]", "a/b"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    """By name, before a certificate is made that no client could match."""
    with pytest.raises(CertificateError, match="neither a host name"):
        issue_identity(new_key(), "node", [host])


def test_the_hosts_of_a_leaf_are_read_back() -> None:
    """So that a renewal carries them on."""
    hosts = ["node1.example.kg", "192.0.2.7", "2001:db8::7"]
    assert hosts_of(issue_identity(new_key(), "node", [*hosts, "node.alatau"]).certificate_pem) == hosts


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


def _extensions(certificate: x509.Certificate) -> dict[str, object]:
    return {extension.oid._name: extension.value for extension in certificate.extensions}


def test_authority_and_leaf_follow_the_profile() -> None:
    """Every field that a strict verifier looks at (RFC 5280, 4.2)."""
    key = new_key()
    leaf = x509.load_pem_x509_certificate(issue_identity(key, "node", ["::1"]).certificate_pem)
    authority = x509.load_pem_x509_certificate(authority_certificate(key))
    has, of_authority = _extensions(leaf), _extensions(authority)
    identifier = x509.SubjectKeyIdentifier.from_public_key(leaf.public_key())
    assert of_authority["subjectKeyIdentifier"] == has["subjectKeyIdentifier"] == identifier
    named = has["authorityKeyIdentifier"]
    assert isinstance(named, x509.AuthorityKeyIdentifier)
    assert named.key_identifier == identifier.digest
    assert of_authority["basicConstraints"] == x509.BasicConstraints(ca=True, path_length=0)
    usage, of_leaf = of_authority["keyUsage"], has["keyUsage"]
    assert isinstance(usage, x509.KeyUsage)
    assert isinstance(of_leaf, x509.KeyUsage)
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert (of_leaf.key_cert_sign, of_leaf.crl_sign, of_leaf.digital_signature) == (False, False, True)
    assert leaf.subject != authority.subject
    assert leaf.serial_number.bit_length() > 64
    assert authority_certificate(key) == authority_certificate(key)


def test_a_leaf_called_like_its_authority_is_still_another() -> None:
    """A name that somebody chose cannot make a leaf look like an authority."""
    key = new_key()
    authority = x509.load_pem_x509_certificate(authority_certificate(key))
    leaf = x509.load_pem_x509_certificate(
        issue_identity(key, common_name_of(authority_certificate(key)) or "").certificate_pem
    )
    assert leaf.subject != authority.subject


def _earlier_leaf(key_pem: bytes, authority: bytes | None = None) -> bytes:
    """A leaf as nodes issued it before it named keys; named after another authority if one is given."""
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority or authority_certificate(key_pem)).subject
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ministry")]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("node.alatau")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return leaf.public_bytes(serialization.Encoding.PEM)


def test_a_leaf_of_the_earlier_profile_is_known() -> None:
    """To be renewed on its key; one of another authority is left alone."""
    key = new_key()
    assert is_outdated(_earlier_leaf(key))
    assert not is_outdated(issue_identity(key, "node").certificate_pem)
    assert not is_outdated(_earlier_leaf(key, authority_certificate(new_key())))


def _verify_by_openssl(folder: Path, leaf: bytes, authority: bytes, *options: str) -> str:
    (folder / "leaf.pem").write_bytes(leaf)
    (folder / "ca.pem").write_bytes(authority)
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine")
    command = [openssl, "verify", "-CAfile", "ca.pem", *options, "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_openssl_verifies_strictly(tmp_path: Path, purpose: str) -> None:
    """With the published authority and with one written down from the key, by name and by address."""
    key = new_key()
    identity = issue_identity(key, "node", ["node.example", "::1"])
    strict = ("-x509_strict", "-purpose", purpose)
    for authority in (authority_certificate(key), trust_anchor(identity.public_key)):
        for named in (("-verify_hostname", "node.example"), ("-verify_hostname", "node.alatau"), ("-verify_ip", "::1")):
            assert "leaf.pem: OK" in _verify_by_openssl(tmp_path, identity.certificate_pem, authority, *strict, *named)
        wrong = _verify_by_openssl(tmp_path, identity.certificate_pem, authority, "-verify_hostname", "other.example")
        assert "mismatch" in wrong
    strangers = authority_certificate(new_key())
    assert "OK" not in _verify_by_openssl(tmp_path, identity.certificate_pem, strangers, *strict)


def test_leaves_of_the_earlier_profile_are_verified_as_before(tmp_path: Path) -> None:
    """While a network upgrades, new nodes meet old leaves; only strict verifiers refuse those."""
    key = new_key()
    leaf, authority = _earlier_leaf(key), authority_certificate(key)
    assert "leaf.pem: OK" in _verify_by_openssl(tmp_path, leaf, authority)
    assert "error" in _verify_by_openssl(tmp_path, leaf, authority, "-x509_strict")


@pytest.mark.parametrize("published", [True, False], ids=["published", "written down"])
def test_pythons_strict_context_verifies(tmp_path: Path, *, published: bool) -> None:
    """VERIFY_X509_STRICT is the default of ``ssl.create_default_context`` from Python 3.13 on."""
    key = new_key()
    identity = issue_identity(key, "node", ["localhost"])
    (tmp_path / "identity.pem").write_bytes(identity.certificate_pem + identity.key_pem)
    authority = authority_certificate(key) if published else trust_anchor(identity.public_key)
    client_context = ssl.create_default_context(cadata=authority.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(tmp_path / "identity.pem")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert client.version() == "TLSv1.3"
    assert client.getpeercert()
