"""Who gets in: trusted keys, and nobody else. Every handshake is a real one."""

import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from alatau.transport.certificates import (
    NODE_NAME,
    TlsIdentity,
    authority_certificate,
    issue_identity,
    new_key,
    public_key_of,
    trust_anchor,
)
from alatau.transport.channel import open_channel
from alatau.transport.credentials import ClientTls, IdentityHolder, ServerTls, TrustStore, dial_node
from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import Limits
from tests.support.echo import CHAT, UNARY, Rig, rig, value
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


async def refusal(r: Rig, identity: TlsIdentity) -> RpcError:
    """How a call by ``identity`` fails."""
    async with r.channel(identity) as channel:
        with pytest.raises(RpcError) as caught:
            await channel.unary(UNARY, value(b"hi"), timeout_s=5)
    return caught.value


def test_an_unknown_key_does_not_get_past_the_handshake(drive: Drive) -> None:
    """No handler runs; those who are trusted go on."""

    async def main() -> None:
        async with rig() as r:
            error = await refusal(r, issue_identity(new_key(), "stranger"))
            assert error.code is Code.UNAVAILABLE
            assert r.echo.calls == []
            async with r.channel() as channel:
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_an_expired_certificate_does_not_get_past_the_handshake(drive: Drive) -> None:
    """Although its key is trusted; a certificate renewed on the same key does."""

    async def main() -> None:
        async with rig() as r:
            key = r.client_identity.key_pem
            expired = issue_identity(key, "client", now=datetime.now(UTC) - timedelta(days=200))
            assert expired.key_hash == r.client_identity.key_hash
            error = await refusal(r, expired)
            assert error.code is Code.UNAVAILABLE
            async with r.channel(issue_identity(key, "client")) as channel:
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_a_leaf_that_a_member_issues_for_another_key_is_not_trusted(drive: Drive) -> None:
    """A validator's key could sign certificates for others; identity is the leaf's own key, which nobody admitted."""

    async def main() -> None:
        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.x509.oid import ExtensionOID  # noqa: PLC0415

        async with rig() as r:
            other = issue_identity(new_key(), "guest")
            issuer = serialization.load_pem_private_key(r.client_identity.key_pem, None)
            real = x509.load_pem_x509_certificate(r.client_identity.certificate_pem)
            guest = x509.load_pem_x509_certificate(other.certificate_pem)
            builder = x509.CertificateBuilder(
                issuer_name=real.issuer,
                subject_name=guest.subject,
                public_key=guest.public_key(),
                serial_number=5,
                not_valid_before=guest.not_valid_before_utc,
                not_valid_after=guest.not_valid_after_utc,
                extensions=[
                    *(e for e in guest.extensions if e.oid != ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
                    real.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
                ],
            )
            leaf = builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            lent = TlsIdentity(other.key_pem, leaf, other.public_key, other.key_hash, other.not_after)
            error = await refusal(r, lent)
            assert (error.code, error.reason) == (Code.PERMISSION_DENIED, "KEY_NOT_TRUSTED")
            assert r.echo.calls == []

    drive(main)


def test_a_dialler_talks_only_to_the_key_it_expects(drive: Drive) -> None:
    """Whoever answers at the address with another key is refused by the dialler."""

    async def main() -> None:
        async with rig() as r:
            expected = issue_identity(new_key(), "somebody else")
            async with open_channel(r.target, dial_node(expected.public_key, r.client_identity)) as channel:
                with pytest.raises(RpcError, match="CERTIFICATE_VERIFY_FAILED"):
                    await channel.unary(UNARY, value(b"hi"), timeout_s=5)

    drive(main)


def test_a_key_that_is_revoked_loses_its_streams_at_once(drive: Drive) -> None:
    """And no later call of its open connection gets through."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(CHAT) as stream:
                await stream.send(value(b"hi"))
                await anext(stream)
                r.trust.set_keys([issue_identity(new_key(), "successor").public_key])
                with pytest.raises(RpcError) as caught:
                    await anext(stream)
                assert caught.value.reason == "KEY_NOT_TRUSTED"
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"hi"))
            assert caught.value.reason == "KEY_NOT_TRUSTED"
            assert r.echo.calls == []

    drive(main)


def test_a_key_that_is_admitted_later_gets_in_without_a_restart(drive: Drive) -> None:
    """The next handshake sees the new trust store."""

    async def main() -> None:
        async with rig() as r:
            newcomer = issue_identity(new_key(), "newcomer")
            await refusal(r, newcomer)
            r.trust.set_keys([r.client_identity.public_key, newcomer.public_key])
            async with r.channel(newcomer) as channel:
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_a_server_renews_its_certificate_without_a_restart(drive: Drive) -> None:
    """A new connection sees the new certificate; one that is open goes on."""

    async def main() -> None:
        async with rig() as r, r.channel() as old_channel:
            await old_channel.unary(UNARY, value(b"before"))
            key = r.server_identity.current.key_pem
            r.server_identity.renew(issue_identity(key, "server", validity=timedelta(days=9)))
            shown = await trio.to_thread.run_sync(_shown_certificate, r)
            assert public_key_of(shown) == r.server_identity.current.public_key
            assert ssl.PEM_cert_to_DER_cert(r.server_identity.current.certificate_pem.decode()) == shown
            assert (await old_channel.unary(UNARY, value(b"after"))).value == b"after"

    drive(main)


def _shown_certificate(r: Rig) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", r.server.ports[0]), 5) as raw,
        context.wrap_socket(raw, server_hostname=NODE_NAME) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
        assert shown is not None
        return shown


def test_another_key_is_no_renewal() -> None:
    """A node cannot change who it is while it runs."""
    holder = IdentityHolder(issue_identity(new_key(), "node"))
    with pytest.raises(ValueError, match="same key"):
        holder.renew(issue_identity(new_key(), "node"))


@pytest.mark.parametrize("public", [False, True], ids=["mutual", "public"])
def test_tls_below_1_3_is_refused(drive: Drive, tmp_path: Path, *, public: bool) -> None:
    """Nothing is agreed with 1.2, and 1.3 with the same certificates."""

    async def main() -> None:
        async with rig(public=True) as r:
            port = r.server.ports[1 if public else 0]
            for version, expected in ((ssl.TLSVersion.TLSv1_2, None), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
                agreed = await trio.to_thread.run_sync(_agreed_version, r, port, version, tmp_path)
                assert agreed == expected
            assert r.server.connections.refused["TLS_BELOW_1_3"] == 1

    drive(main)


def _agreed_version(r: Rig, port: int, version: ssl.TLSVersion, folder: Path) -> str | None:
    certificate = folder / "client.pem"
    certificate.write_bytes(r.client_identity.key_pem + r.client_identity.certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=trust_anchor(r.server_identity.current.public_key).decode())
    context.load_cert_chain(certificate)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            context.wrap_socket(raw, server_hostname=NODE_NAME) as tls,
        ):
            return tls.version()
    except (ssl.SSLError, ConnectionError):
        return None


def test_garbage_on_the_port_harms_nobody(drive: Drive) -> None:
    """Bytes that are no TLS end that connection and nothing else."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, b"\x16\x03\x01\xff\xff"):
                stream = await trio.open_tcp_stream("127.0.0.1", r.server.ports[0])
                async with stream:
                    with contextlib.suppress(trio.BrokenResourceError), trio.move_on_after(1):
                        await stream.send_all(garbage)
                        await stream.send_eof()
                        while await stream.receive_some():
                            pass
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_a_lone_validator_with_nobody_to_trust_listens_and_lets_nobody_in(drive: Drive) -> None:
    """An empty trust store is not an open door."""

    async def main() -> None:
        async with rig(Limits(shutdown_grace_s=0.2)) as r:
            r.trust.set_keys([])
            error = await refusal(r, issue_identity(new_key(), "stranger"))
            assert error.code is Code.UNAVAILABLE
            own = r.server_identity.current
            error = await refusal(r, own)
            assert error.reason == "KEY_NOT_TRUSTED"

    drive(main)


def test_clients_certified_by_an_authority_get_in_until_their_key_is_revoked(drive: Drive) -> None:
    """The other way to trust, for clients that bring certificates of a licensing authority."""

    async def main() -> None:
        async with rig() as r:
            licensed = issue_identity(new_key(), "licensed fintech")
            store = TrustStore([], authorities_pem=authority_certificate(licensed.key_pem))
            assert store.permits(licensed.key_hash)
            store.revoke([licensed.key_hash])
            assert not store.permits(licensed.key_hash)
            assert ServerTls(r.server_identity, store).credentials() is not None

    drive(main)


def test_a_client_verifies_a_server_by_name_and_authority(drive: Drive) -> None:
    """As any gRPC library would, from the authority's file and the host it dials."""

    async def main() -> None:
        async with rig(public=True) as r:
            roots = authority_certificate(r.server_identity.current.key_pem)
            async with open_channel(f"127.0.0.1:{r.server.ports[1]}", ClientTls(roots)) as channel:
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            await eventually(lambda: r.server.calls_under_way == 0)

    drive(main)
