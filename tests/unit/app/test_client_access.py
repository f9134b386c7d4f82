"""Certificates and roles of clients: the operator's files, and a node that asks for them."""

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alatau.app.client_access import CERTIFIED_ROLES, ClientAccessError, check_ways_in, read_client_access
from alatau.app.config import HttpConfig, NodeConfig, RpcConfig
from alatau.app.config_file import read_config, render_config
from alatau.app.home import Home
from alatau.client import RpcError, client_tls, connect
from alatau.rpc.access import PUBLIC_ROLES, Role
from alatau.transport.certificates import TlsIdentity, load_identity, trust_anchor
from alatau_devnet.network import create_network
from alatau_devnet.plan import DevnetOptions
from tests.support.solo_node import SoloNode, node_identity, payment, running, solo_node


class Authority:
    """An institution's own authority for the certificates of its programs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Treasury authority")
        self.certificate_pem = self._sign(self._name, self._key.public_key(), ca=True)

    def issue(self, name: str) -> TlsIdentity:
        """A program's key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return load_identity(key_pem, self._sign(_name(name), key.public_key(), ca=False))

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module")
def authority() -> Authority:
    """One for all tests."""
    return Authority()


CONFIG = RpcConfig(client_authority="clients.pem", client_roles="clients.toml")


def _write(folder: Path, authority: Authority, roles: str) -> None:
    (folder / "clients.pem").write_bytes(authority.certificate_pem)
    (folder / "clients.toml").write_text(roles)


def test_without_an_authority_nobody_is_asked(tmp_path: Path) -> None:
    """As on a network whose operators are content with addresses."""
    access = read_client_access(tmp_path, RpcConfig(), node_identity())
    assert access.trust is None
    assert access.roles.roles(None) == PUBLIC_ROLES


@pytest.mark.trio
async def test_what_a_client_may_do_follows_from_its_key(tmp_path: Path, authority: Authority) -> None:
    """Named keys have their roles; others of the authority read and submit; nobody else is let in."""
    auditor, bank, former, stranger = (
        authority.issue("auditor"),
        authority.issue("bank"),
        authority.issue("former"),
        Authority().issue("auditor"),
    )
    roles = f'"0x{auditor.key_hash.hex()}" = ["reader", "auditor"]\n"{former.key_hash.hex().upper()}" = []\n'
    _write(tmp_path, authority, roles)
    access = read_client_access(tmp_path, CONFIG, node_identity())
    node: SoloNode = solo_node(tmp_path)
    async with running(node, roles=access.roles, trust=access.trust) as served:

        def tls(identity: TlsIdentity | None) -> dict[str, bytes]:
            return {} if identity is None else {"cert": identity.certificate_pem, "key": identity.key_pem}

        async def refusal(identity: TlsIdentity | None, *, submits: bool) -> str:
            """Why a client with this certificate may not; empty where it may."""
            own = client_tls(node_key=node_identity().public_key, **tls(identity))
            async with connect(served.endpoint, own) as client:
                try:
                    await (client.submit(payment()) if submits else client.peers())
                except RpcError as error:
                    return error.reason
                return ""

        assert await refusal(auditor, submits=False) == ""
        assert await refusal(auditor, submits=True) == "ROLE_REQUIRED"
        assert await refusal(bank, submits=True) == ""
        assert await refusal(bank, submits=False) == "ROLE_REQUIRED"
        assert await refusal(node_identity(), submits=False) == ""
        assert await refusal(former, submits=True) == "KEY_NOT_TRUSTED"
        for nobody in (stranger, None):
            assert await refusal(nobody, submits=True) in ("UNAVAILABLE", "NODE_UNREACHABLE")
        assert node.callers == {bank.key_hash}
    node.store.close()


@pytest.mark.trio
async def test_curl_may_do_what_its_key_may(tmp_path: Path, authority: Authority) -> None:
    """The same roles over HTTP: only the auditor sees the peers, and who has no certificate sees nothing."""
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    auditor, bank, former = (authority.issue(name) for name in ("auditor", "bank", "former"))
    _write(tmp_path, authority, f'"{auditor.key_hash.hex()}" = ["reader", "auditor"]\n"{former.key_hash.hex()}" = []\n')
    access = read_client_access(tmp_path, CONFIG, node_identity())
    (tmp_path / "ca.pem").write_bytes(trust_anchor(node_identity().public_key))
    node: SoloNode = solo_node(tmp_path)
    async with running(node, roles=access.roles, trust=access.trust) as served:
        port = await served.serve_http(trust=access.trust)

        async def ask(identity: TlsIdentity | None, method: str, message: str = "{}") -> tuple[int, str]:
            """How curl ends, and the reason of an error."""
            command = ["curl", "-s", "--cacert", tmp_path / "ca.pem", "--json", message]
            command += ["-H", "Alatau-Bytes: hex", f"https://localhost:{port}/alatau.api.v1.{method}"]
            if identity is not None:
                (tmp_path / "own.pem").write_bytes(identity.certificate_pem + identity.key_pem)
                command += ["--cert", tmp_path / "own.pem"]
            done = await trio.to_thread.run_sync(partial(subprocess.run, command, capture_output=True, check=False))
            answer = json.loads(done.stdout or "{}")
            return done.returncode, answer["details"][0]["debug"]["reason"] if "details" in answer else ""

        submission = json.dumps({"transaction": "0x" + payment().encoded.hex()})
        assert await ask(auditor, "NodeService/ListPeers") == (0, "")
        assert await ask(auditor, "TransactionService/SubmitTransaction", submission) == (0, "ROLE_REQUIRED")
        assert await ask(bank, "TransactionService/SubmitTransaction", submission) == (0, "")
        assert await ask(bank, "NodeService/ListPeers") == (0, "ROLE_REQUIRED")
        assert await ask(node_identity(), "NodeService/ListPeers") == (0, "")
        assert await ask(former, "NodeService/GetStatus") == (0, "KEY_NOT_TRUSTED")
        for nobody in (Authority().issue("auditor"), None):
            code, _ = await ask(nobody, "NodeService/GetStatus")
            assert code != 0
        assert node.callers == {bank.key_hash}
    node.store.close()


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ('"ab" = ["reader"]', "'ab' is no hash of a key: 64 hexadecimal digits"),
        ('"' + "z" * 64 + '" = ["reader"]', "is no hash of a key"),
        ('"' + "ab" * 32 + '" = ["king"]', "expected a list of reader, submitter, auditor, operator"),
        ('"' + "ab" * 32 + '" = [["reader"]]', "expected a list of reader"),
        ('"' + "ab" * 32 + '" = 7', "expected a list of reader"),
        ('"' + "ab" * 32 + '" = []\n"0x' + "AB" * 32 + '" = []', "is there twice"),
        ("[", "no TOML"),
        ("a." * 600 + "b = 1", "longer than 1024 bytes"),
    ],
)
def test_a_file_of_roles_that_is_wrong_is_named(tmp_path: Path, authority: Authority, roles: str, message: str) -> None:
    """A misspelt role must not leave a key with other rights than were meant."""
    _write(tmp_path, authority, roles)
    with pytest.raises(ClientAccessError, match=r"^rpc\.client_roles = clients\.toml: ") as caught:
        read_client_access(tmp_path, CONFIG, node_identity())
    assert message in str(caught.value)


def test_one_role_needs_no_list_and_the_node_itself_stays_operator(tmp_path: Path, authority: Authority) -> None:
    """Whatever the file says of the node's own key."""
    own = node_identity()
    _write(tmp_path, authority, f'"{"ab" * 32}" = "auditor"\n"{own.key_hash.hex()}" = ["reader"]')
    roles = read_client_access(tmp_path, CONFIG, own).roles
    assert roles.roles(b"\xab" * 32) == {Role.AUDITOR}
    assert roles.roles(own.key_hash) == {Role.OPERATOR}
    assert roles.roles(b"\xcd" * 32) == CERTIFIED_ROLES


def test_an_authority_that_is_none_is_named(tmp_path: Path) -> None:
    """Missing, or no certificate."""
    with pytest.raises(ClientAccessError, match=r"rpc\.client_authority = clients\.pem: cannot be read"):
        read_client_access(tmp_path, CONFIG, node_identity())
    (tmp_path / "clients.pem").write_text("nonsense")
    with pytest.raises(ClientAccessError, match=r"rpc\.client_authority = clients\.pem: no certificate in PEM"):
        read_client_access(tmp_path, CONFIG, node_identity())
    with pytest.raises(ClientAccessError, match=r"client_roles needs rpc\.client_authority"):
        read_client_access(tmp_path, RpcConfig(client_roles="clients.toml"), node_identity())


def test_no_way_in_goes_round_the_certificates() -> None:
    """Without TLS nobody can show one; where nobody has to, both ports may be open."""
    web = HttpConfig(listen="127.0.0.1:7301")
    check_ways_in(NodeConfig(http=web))
    check_ways_in(NodeConfig(rpc=CONFIG))
    with pytest.raises(ClientAccessError, match=r"http\.listen without TLS asks nobody for a certificate"):
        check_ways_in(NodeConfig(http=web, rpc=CONFIG))
    check_ways_in(NodeConfig(http=HttpConfig(listen="127.0.0.1:7301", tls="on"), rpc=CONFIG))


def test_a_node_that_asks_for_certificates_answers_its_own_command_line(tmp_path: Path, authority: Authority) -> None:
    """A whole node: its operator beside it needs no option; from elsewhere a certificate of the authority does."""
    made = create_network(tmp_path / "devnet", DevnetOptions(validators=1, residents=2)).nodes[0]
    home = Home(made.home)
    _write(home.folder, authority, "")
    config = read_config(home.config_file, {})
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        peers, clients = (f"127.0.0.1:{server.getsockname()[1]}" for server in servers)
    settings: dict[str, object] = {
        "p2p.listen": peers,
        "rpc.listen": clients,
        "rpc.client_authority": "clients.pem",
        "rpc.client_roles": "clients.toml",
        "metrics.listen": "",
        "keys.password_file": config.keys.password_file,
    }
    home.config_file.write_text(render_config(settings))
    bank, ca, cert, key = authority.issue("bank"), tmp_path / "ca.pem", tmp_path / "bank.pem", tmp_path / "bank.key"
    cert.write_bytes(bank.certificate_pem)
    key.write_bytes(bank.key_pem)
    alatau = [sys.executable, "-m", "alatau.cli", "--home", str(home.folder)]

    def run(*arguments: object) -> int:
        command = [*alatau, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode

    with ExitStack() as stack:
        node = stack.enter_context(
            subprocess.Popen([*alatau, "start"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        stack.callback(node.terminate)
        until = time.monotonic() + 60
        while run("peers") != 0:
            assert time.monotonic() < until, "the node does not answer"
        assert run("certs", "ca", "--output", ca) == 0
        at = ("--node", clients, "--ca", ca)
        certified = (*at, "--cert", cert, "--key", key)
        assert run("status", *certified) == 0
        assert run("peers", *certified) == 1
        assert run("status", *at) == 5
        assert run("status", *at, "--cert", cert) == 3
