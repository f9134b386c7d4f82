"""``alatau certs``: the file that outside clients know a node by."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from alatau.transport.certificates import authority_certificate
from alatau_devnet.network import Devnet, create_network
from alatau_devnet.plan import DevnetOptions
from tests.unit.cli.command_line import Alatau


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Devnet:
    """Three validators that were never started."""
    return create_network(tmp_path_factory.mktemp("network") / "devnet", DevnetOptions(validators=3, residents=2))


def test_the_authority_of_a_node_is_printed_and_written(alatau: Alatau, network: Devnet, tmp_path: Path) -> None:
    """The same bytes each time; the leaf comes from it, and it has no secret in it."""
    home, file = network.nodes[0].home, tmp_path / "ca.pem"
    printed = alatau("--home", home, "certs", "ca")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.encode() == authority_certificate((home / "keys/tls.key").read_bytes())
    assert alatau("--home", home, "certs", "ca", "-o", file).code == 0
    assert file.read_text() == printed.out
    assert "PRIVATE" not in printed.out
    leaf = x509.load_pem_x509_certificate((home / "keys/tls.crt").read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(printed.out.encode()))


def test_one_file_for_all_founders(alatau: Alatau, network: Devnet) -> None:
    """For clients of several nodes; each authority once, and every TLS library loads it."""
    authorities = x509.load_pem_x509_certificates(
        alatau("--home", network.nodes[0].home, "certs", "ca", "--all").out.encode()
    )
    leaves = [x509.load_pem_x509_certificate((n.home / "keys/tls.crt").read_bytes()) for n in network.nodes]
    assert sorted(a.subject.rfc4514_string() for a in authorities) == sorted(x.issuer.rfc4514_string() for x in leaves)
    context = ssl.create_default_context()
    before = context.cert_store_stats()["x509_ca"]
    context.load_verify_locations(cadata=alatau("--home", network.nodes[1].home, "certs", "ca", "--all").out)
    assert context.cert_store_stats()["x509_ca"] == before + 3


def test_a_home_without_a_usable_key_says_so(alatau: Alatau, tmp_path: Path) -> None:
    """A sentence, as everywhere."""
    alatau("--home", tmp_path / "home", "init", "--name", "n", "--observer")
    (tmp_path / "home/keys/tls.key").write_text("garbage")
    outcome = alatau("--home", tmp_path / "home", "certs", "ca")
    assert outcome.code == 3
    assert "not an unencrypted private key" in outcome.err


def test_names_by_which_clients_dial_are_in_the_first_certificate(alatau: Alatau, tmp_path: Path) -> None:
    """Given at init; a wrong one leaves no half-made home behind."""
    home = tmp_path / "home"
    wrong = alatau("--home", home, "init", "--name", "n", "--observer", "--host", "no name")
    assert wrong.code == 3
    assert not home.exists()
    made = alatau(
        "--home", home, "init", "--name", "n", "--observer", "--host", "node.example", "--host", "2001:db8::7"
    )
    assert made.code == 0, made.err
    names = x509.load_pem_x509_certificate((home / "keys/tls.crt").read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "node.example" in names.value.get_values_for_type(x509.DNSName)
    assert "2001:db8::7" in map(str, names.value.get_values_for_type(x509.IPAddress))
