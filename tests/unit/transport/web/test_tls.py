"""The HTTP face over TLS, with clients that check it as strictly as they can."""

import json
import ssl
import warnings
from tempfile import NamedTemporaryFile

import h11
import pytest
import trio

from alatau.transport.certificates import TlsIdentity, issue_identity, new_key, trust_anchor
from alatau.transport.web.envelope import envelope
from tests.support.echo import value
from tests.support.http import HttpClient, http_client
from tests.support.waiting import eventually
from tests.support.web_rig import LIMITS, Served, served

UNARY, REPEAT = "/test.Echo/Unary", "/test.Echo/Repeat"
_JSON = {"Content_Type": "application/json"}


def _strict(identity: TlsIdentity, own: TlsIdentity | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trust_anchor(identity.public_key).decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if own is not None:
        with NamedTemporaryFile() as file:
            file.write(own.key_pem + own.certificate_pem)
            file.flush()
            context.load_cert_chain(file.name)
    return context


async def _ask(node: Served, own: TlsIdentity | None, body: bytes = b'"AQ=="') -> tuple[int, str]:
    """One call with a certificate: HTTP's status and the word that names the error, 0 where TLS let it not in."""
    try:
        client = await _connect(node, _strict(node.rig.server_identity.current, own))
        answer = await client.ask("POST", UNARY, body, **_JSON)
    except (trio.BrokenResourceError, h11.RemoteProtocolError):
        return 0, ""
    said = json.loads(answer.body)
    return answer.status, "" if answer.status == 200 else said["details"][0]["debug"]["reason"]


async def _connect(node: Served, context: ssl.SSLContext) -> HttpClient:
    plain = await http_client(node.port)
    stream = trio.SSLStream(plain.stream, context, server_hostname="127.0.0.1", https_compatible=True)
    client = HttpClient(stream, plain.http)
    node.clients.append(client)
    try:
        with trio.fail_after(10):
            await stream.do_handshake()
    except trio.BrokenResourceError:
        await trio.aclose_forcefully(stream)
        raise
    return client


@pytest.mark.trio
async def test_a_client_that_checks_everything_calls_over_tls() -> None:
    """By address, with the node's anchor alone; several requests over one connection."""
    async with served(secure=True) as node:
        client = await _connect(node, _strict(node.rig.server_identity.current))
        for word in (b'"AQ=="', b'"Ag=="'):
            answer = await client.ask("POST", UNARY, word, **_JSON)
            assert (answer.status, answer.body) == (200, word)
        assert isinstance(client.stream, trio.SSLStream)
        assert client.stream.version() == "TLSv1.3"
        long = value(b"x" * 200_000).SerializeToString()
        refused = await client.ask("POST", UNARY, long, Content_Type="application/proto")
        assert (refused.status, refused.headers["connection"]) == (429, "close")


@pytest.mark.trio
async def test_a_name_is_as_good_as_an_address_over_tls() -> None:
    """A page cannot make one that the certificate has, so a GET is refused by its method only."""
    async with served(secure=True) as node:
        client = await _connect(node, _strict(node.rig.server_identity.current))
        answer = await client.ask("GET", UNARY)
        assert answer.status == 405


@pytest.mark.trio
async def test_a_client_that_goes_ends_its_stream() -> None:
    """With or without a word of TLS."""
    async with served(secure=True) as node:
        body = envelope(0, value(b"forever").SerializeToString())
        client = await _connect(node, _strict(node.rig.server_identity.current))
        await client.send("POST", REPEAT, body, Content_Type="application/grpc-web")
        await client.head()
        await client.stream.aclose()
        await eventually(lambda: node.rig.echo.cancelled == 1)
        await eventually(lambda: len(node.face.connections) == 0)


@pytest.mark.trio
async def test_older_versions_and_other_protocols_are_refused_and_counted() -> None:
    """As at the port for gRPC."""
    async with served(secure=True) as node:
        old = _strict(node.rig.server_identity.current)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(trio.BrokenResourceError):
            await _connect(node, old)
        plain = await node.client()
        await plain.stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        stranger = ssl.create_default_context()
        with pytest.raises(trio.BrokenResourceError):
            await _connect(node, stranger)
        expected = {"TLS_BELOW_1_3": 1, "NOT_TLS": 1, "HANDSHAKE_FAILED": 1}
        await eventually(lambda: node.face.connections.refused == expected)
        assert (node.face.calls_started, len(node.face.connections)) == (0, 0)


@pytest.mark.trio
async def test_who_does_not_begin_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handshake has the time of a request's head."""
    monkeypatch.setattr("alatau.transport.web.face.HEAD_S", 0.2)
    async with served(secure=True) as node:
        client = await node.client()
        with trio.fail_after(10):
            assert await client.stream.receive_some(100) == b""
        assert node.face.connections.refused == {"HELLO_TIMEOUT": 1}


@pytest.mark.trio
async def test_a_renewed_certificate_is_shown_to_the_next_client() -> None:
    """Without a restart; connections that are open go on."""
    async with served(secure=True) as node:
        holder = node.rig.server_identity
        first = await _connect(node, _strict(holder.current))
        holder.renew(issue_identity(holder.current.key_pem, "server", ["127.0.0.1", "renewed.example"]))
        second = await _connect(node, _strict(holder.current))
        assert isinstance(second.stream, trio.SSLStream)
        names = second.stream.getpeercert()["subjectAltName"]
        assert ("DNS", "renewed.example") in names
        for client in (first, second):
            answer = await client.ask("POST", UNARY, b'"AQ=="', **_JSON)
            assert json.loads(answer.body) == "AQ=="


def _stranger() -> TlsIdentity:
    return issue_identity(new_key(), "stranger", ["127.0.0.1"])


@pytest.mark.trio
async def test_a_client_is_known_by_the_key_of_its_certificate() -> None:
    """As over gRPC: handlers see the same peer. Who has no certificate, or another's, gets no further than TLS."""
    async with served(certified=True) as node:
        own = node.rig.client_identity
        assert await _ask(node, own) == (200, "")
        (call,) = node.rig.echo.calls
        assert call.peer is not None
        assert (call.peer.tls_key_hash, call.caller) == (own.key_hash, own.key_hash)
        assert await _ask(node, None) == (0, "")
        assert await _ask(node, _stranger()) == (0, "")
        expected = {"NO_CERTIFICATE": 1, "CERTIFICATE_REFUSED": 1}
        await eventually(lambda: node.face.connections.refused == expected)
        assert len(node.rig.echo.calls) == 1


@pytest.mark.trio
async def test_calls_of_one_key_count_together_whichever_way_they_come() -> None:
    """The share of a key that waits in HTTP is used up over HTTP; another key at the same address has its own."""
    async with served(certified=True) as node:
        own, other = node.rig.client_identity, _stranger()
        node.rig.trust.set_keys([own.public_key, other.public_key])
        for _ in range(LIMITS.concurrent_calls_per_peer_max):
            client = await _connect(node, _strict(node.rig.server_identity.current, own))
            await client.send("POST", UNARY, b'"d2FpdA=="', **_JSON)  # wait
        await eventually(lambda: node.rig.echo.started == LIMITS.concurrent_calls_per_peer_max)
        assert await _ask(node, own) == (429, "TOO_MANY_CALLS")
        assert await _ask(node, other) == (200, "")


@pytest.mark.trio
async def test_a_key_that_is_no_longer_trusted_loses_its_connections() -> None:
    """Those that are open, with their calls; and a new one says why, where an authority still certifies the key."""
    async with served(certified=True) as node:
        own = node.rig.client_identity
        client = await _connect(node, _strict(node.rig.server_identity.current, own))
        await client.send("POST", UNARY, b'"d2FpdA=="', **_JSON)  # wait
        await eventually(lambda: node.rig.echo.started == 1)
        node.rig.trust.revoke([own.key_hash])
        await eventually(lambda: node.rig.echo.cancelled == 1)
        await eventually(lambda: len(node.face.connections) == 0)
        assert await _ask(node, own) == (403, "KEY_NOT_TRUSTED")
        assert node.face.calls_refused["KEY_NOT_TRUSTED"] == 1
