from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
import trio.testing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from alatau.app.certificate_renewal import LOOK_S, keep_certificate, take_certificate
from alatau.app.home import Home
from alatau.app.private_file import write_private
from alatau.app.provision import load_tls_identity, provision_home, renew_certificate
from alatau.transport.certificates import common_name_of, hosts_of, is_outdated, issue_identity, new_key
from alatau.transport.credentials import IdentityHolder

LISTENS = ["127.0.0.1:7101", "127.0.0.1:7001"]
NOW = datetime.now(UTC).timestamp()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a fresh certificate."""
    return provision_home(tmp_path / "home", name="Ministry", settings={}, password=None).home


def test_a_fresh_certificate_is_left_alone(home: Home) -> None:
    """Handshakes are only disturbed for a reason."""
    holder = IdentityHolder(load_tls_identity(home))
    take_certificate(home, LISTENS, holder, NOW)
    assert holder.version == 0


def test_one_that_ends_within_a_month_is_renewed_on_the_same_key(home: Home) -> None:
    """In memory and on disk, and only once."""
    before = load_tls_identity(home)
    old = issue_identity(before.key_pem, "Ministry", validity=timedelta(days=29))
    write_private(home.tls_certificate, old.certificate_pem, replace=True)
    holder = IdentityHolder(old)
    take_certificate(home, LISTENS, holder, NOW)
    assert holder.current.key_hash == before.key_hash
    assert holder.current.not_after > old.not_after + timedelta(days=50)
    assert load_tls_identity(home) == holder.current
    take_certificate(home, LISTENS, holder, NOW)
    assert holder.version == 1


def test_one_of_an_earlier_profile_is_renewed_on_the_same_key(home: Home) -> None:
    """A node that was upgraded is verified strictly a moment later, and nobody has to be told."""
    key_pem = home.tls_key.read_bytes()
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    current = x509.load_pem_x509_certificate(home.tls_certificate.read_bytes())
    earlier = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ministry")]))
        .issuer_name(current.issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(current.not_valid_before_utc)
        .not_valid_after(current.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("node.ministry.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    home.tls_certificate.write_bytes(earlier.public_bytes(serialization.Encoding.PEM))
    holder = IdentityHolder(load_tls_identity(home))
    before = holder.current.key_hash
    take_certificate(home, LISTENS, holder, NOW)
    assert holder.current.key_hash == before
    assert home.tls_key.read_bytes() == key_pem
    assert not is_outdated(holder.current.certificate_pem)
    assert common_name_of(holder.current.certificate_pem) == "Ministry"
    assert {"::1", "node.ministry.example"} < set(hosts_of(holder.current.certificate_pem))
    take_certificate(home, LISTENS, holder, NOW)
    assert holder.version == 1


def test_names_given_once_are_carried_on(home: Home) -> None:
    """A renewal in the night must not take away the name that clients dial."""
    renew_certificate(home, LISTENS, ["node.ministry.example", "192.0.2.7"])
    renewed = renew_certificate(home, LISTENS)
    assert {"node.ministry.example", "192.0.2.7", "localhost"} < set(hosts_of(renewed.certificate_pem))


def test_a_certificate_that_cannot_be_read_is_replaced(home: Home) -> None:
    """It says nothing that the key does not: ``keys rotate`` is the remedy that messages name."""
    home.tls_certificate.write_bytes(b"garbage")
    assert renew_certificate(home, LISTENS).key_hash == load_tls_identity(home).key_hash


def test_one_of_another_key_is_not_taken(home: Home) -> None:
    """That would change who the node is; the one in use stays."""
    holder = IdentityHolder(load_tls_identity(home))
    stranger = issue_identity(new_key(), "Stranger")
    write_private(home.tls_key, stranger.key_pem, replace=True)
    write_private(home.tls_certificate, stranger.certificate_pem, replace=True)
    with pytest.raises(ValueError, match="same key"):
        take_certificate(home, LISTENS, holder, NOW)
    assert holder.version == 0


@pytest.mark.trio
async def test_a_running_node_takes_a_rotated_certificate(home: Home, autojump_clock: trio.testing.MockClock) -> None:
    """Within seconds, also after a time in which the file was unusable."""
    holder = IdentityHolder(load_tls_identity(home))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_certificate, home, LISTENS, holder)
        await trio.sleep(LOOK_S / 2)
        write_private(home.tls_certificate, b"garbage", replace=True)
        await trio.sleep(LOOK_S)
        assert holder.version == 0
        rotated = renew_certificate(home, LISTENS, ["node.example"])
        await trio.sleep(LOOK_S)
        assert holder.current == rotated
        nursery.cancel_scope.cancel()
