"""The proxy in front of gRPC: real sockets, real handshakes, and those that stop in the middle."""

import contextlib
import resource
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import grpc
import pytest
import trio

from alatau.transport.certificates import NODE_NAME, trust_anchor
from alatau.transport.channel import open_channel
from alatau.transport.credentials import ServerTls, dial_node
from alatau.transport.errors import Code, RpcError
from alatau.transport.front import client_address
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, PortInUseError, serve
from alatau.types.endpoint import Endpoint
from alatau_devnet.attack.frames import END_HEADERS, END_STREAM, Kind, call_headers, frame, grpc_message, rst_stream
from alatau_devnet.attack.http2 import open_http2
from alatau_devnet.attack.tls import Outcome
from tests.support.echo import CHAT, UNARY, Rig, rig, value
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def quick(**changes: float) -> Limits:
    """Limits whose deadlines pass within a test."""
    return Limits(**({"shutdown_grace_s": 0.2, "handshake_s": 0.3} | changes))  # type: ignore[arg-type]


async def served(r: Rig) -> None:
    """An honest client on a connection of its own is answered."""
    async with r.channel() as channel:
        assert (await channel.unary(UNARY, value(b"hi"), timeout_s=20)).value == b"hi"


async def ended_by_server(stream: trio.SocketStream) -> None:
    """Read until the other side has closed."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some():
            pass


def first_flight() -> bytes:
    """A ClientHello that offers TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="node.alatau").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("said", [b"", first_flight()[:100], first_flight()], ids=["nothing", "a part", "a hello"])
def test_a_handshake_that_stops_ends_at_its_deadline(drive: Drive, said: bytes) -> None:
    """Whatever was said before: nothing at all, half of the first message, or all of it."""

    async def main() -> None:
        async with rig(quick()) as r:
            stream = await trio.open_tcp_stream("127.0.0.1", r.server.ports[0])
            async with stream:
                if said:
                    await stream.send_all(said)
                await ended_by_server(stream)
            await eventually(lambda: len(r.server.connections) == 0)
            await served(r)

    drive(main)


def test_a_connection_that_never_speaks_http2_ends_at_its_deadline(drive: Drive) -> None:
    """TLS alone is not enough: the preface has to come too."""

    async def main() -> None:
        async with rig(quick(), public=True) as r:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            raw = await trio.open_tcp_stream("127.0.0.1", r.server.ports[1])
            tls = trio.SSLStream(raw, context, server_hostname="node.alatau")
            await tls.do_handshake()
            await ended_by_server(raw)
            await trio.aclose_forcefully(tls)
            await eventually(lambda: len(r.server.connections) == 0)

    drive(main)


def test_what_is_no_tls_never_reaches_grpc(drive: Drive) -> None:
    """The connection is closed at the first wrong byte, and counted."""

    async def main() -> None:
        async with rig(quick(handshake_s=20)) as r:
            async with await trio.open_tcp_stream("127.0.0.1", r.server.ports[0]) as stream:
                await stream.send_all(b"GET / HTTP/1.1\r\n")
                await ended_by_server(stream)
            assert r.server.connections.refused["NOT_TLS"] == 1

    drive(main)


def test_an_address_that_holds_its_share_is_refused_and_others_are_served(drive: Drive) -> None:
    """Refused connections are closed at once; who is in goes on, and another address gets in."""

    async def main() -> None:
        limits = quick(handshake_s=20, connections_per_address_max=4)
        async with rig(limits) as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"hi"))
            streams = [await from_address("127.0.0.1", r) for _ in range(8)]
            await eventually(lambda: r.server.connections.refused["CONNECTIONS_PER_ADDRESS"] == 5)
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            other = await from_address("127.0.0.2", r)
            await eventually(lambda: len(r.server.connections) == 5)
            for stream in (*streams, other):
                await stream.aclose()

    drive(main)


def test_connections_that_say_nothing_cannot_fill_the_server(drive: Drive) -> None:
    """The newest displaces the oldest of them; a call under way is not touched."""

    async def main() -> None:
        limits = quick(handshake_s=20, connections_max=6)
        async with rig(limits) as r, r.channel() as channel, channel.stream(CHAT) as chat:
            await chat.send(value(b"1"))
            await anext(chat)
            streams = [await from_address("127.0.0.2", r) for _ in range(20)]
            await eventually(lambda: r.server.connections.refused["CONNECTION_DISPLACED"] == 15)
            assert len(r.server.connections) == 6
            await served(r)
            await chat.send(value(b"2"))
            assert (await anext(chat)).value == b"2"
            for stream in streams:
                await stream.aclose()

    drive(main)


async def from_address(source: str, r: Rig) -> trio.SocketStream:
    """A connection to the server from one of the loopback addresses."""
    sock = trio.socket.socket()
    await sock.bind((source, 0))
    await sock.connect(("127.0.0.1", r.server.ports[0]))
    return trio.SocketStream(sock)


def test_without_descriptors_accepting_pauses_and_nothing_dies(drive: Drive) -> None:
    """Whatever took them; once there are some again the waiting connection is served."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"hi"))
            front = r.server._front
            assert front is not None
            waiting = trio.socket.socket()
            with no_descriptors_left():
                await waiting.connect(("127.0.0.1", r.server.ports[0]))
                await eventually(lambda: front.accept_pauses > 0)
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            before = len(r.server.connections)
            await eventually(lambda: len(r.server.connections) == before + 1)
            waiting.close()

    drive(main)


@contextlib.contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Open sockets until the process may open no more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[socket.socket] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limits[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(socket.socket())
        yield
    finally:
        for sock in taken:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_handler_learns_the_address_of_its_client(drive: Drive) -> None:
    """Although gRPC itself is connected to from inside: limits for an address depend on it."""

    async def main() -> None:
        async with rig(public=True) as r:
            await served(r)
            assert r.echo.calls[-1].address == "ipv4:127.0.0.1"
            key = r.server_identity.current.public_key
            for host in ("localhost", "127.0.0.1"):
                async with open_channel(f"{host}:{r.server.ports[1]}", dial_node(key)) as channel:
                    await channel.unary(UNARY, value(b"hi"))
                assert r.echo.calls[-1].address == "ipv4:127.0.0.1"

    drive(main)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("unix-abstract:alatau-front/0011/7/192.0.2.1", "ipv4:192.0.2.1"),
        ("unix-abstract:alatau-front/0011/7/2001:db8::1", "ipv6:[2001:db8::1]"),
        ("unix-abstract:alatau-front/0011/7/2001%3Adb8%3A%3A1", "ipv6:[2001:db8::1]"),
        ("unix-abstract:alatau-front/0011/7/::ffff:192.0.2.1", "ipv4:192.0.2.1"),
        ("ipv4:192.0.2.1:5000", "ipv4:192.0.2.1"),
    ],
)
def test_the_name_of_a_connection_holds_the_address(peer: str, address: str) -> None:
    """As gRPC tells it, and in the form that gRPC gives to addresses of its own."""
    assert client_address(peer) == address


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_server_on_ipv6_is_served_too(drive: Drive, host: str) -> None:
    """The address arrives as gRPC writes it."""

    async def main() -> None:
        async with rig(host=host) as r:
            tls = dial_node(r.server_identity.current.public_key, r.client_identity)
            async with open_channel(f"[::1]:{r.server.ports[0]}", tls) as channel:
                await channel.unary(UNARY, value(b"hi"))
            assert r.echo.calls[-1].address == "ipv6:[::1]"

    drive(main)


def test_a_large_message_passes_in_both_directions(drive: Drive) -> None:
    """More than the sockets hold at once: each direction waits for its reader and loses nothing."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            big = bytes(range(256)) * 16_384
            for _ in range(3):
                assert (await channel.unary(UNARY, value(big))).value == big

    drive(main)


def test_tls_1_2_is_refused_whatever_was_imported_first() -> None:
    """In a fresh process where grpc and its settings are there before this package."""
    program = """
import grpc, grpc.aio, socket, ssl
grpc.ssl_channel_credentials()
import trio
from tests.support.echo import rig

def agreed(port, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as raw, context.wrap_socket(raw) as tls:
            return tls.version()
    except (ssl.SSLError, ConnectionError):
        return None

async def main():
    async with rig(public=True) as r:
        for port in r.server.ports:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                print(await trio.to_thread.run_sync(agreed, port, version))

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["None", "TLSv1.3", "None", "TLSv1.3"], done.stderr


def test_pings_that_come_too_often_end_the_connection(drive: Drive) -> None:
    """As gRPC prescribes: GOAWAY with ``too_many_pings``, and only then is it closed."""

    async def main() -> None:
        async with rig(public=True) as r:
            outcome = Outcome("pings")
            with pytest.RaisesGroup(pytest.RaisesExc(trio.BrokenResourceError), flatten_subgroups=True):
                async with open_http2(Endpoint("127.0.0.1", r.server.ports[1]), outcome) as connection:
                    await connection.send(frame(Kind.PING, bytes(8)) * 10)
                    await trio.sleep_forever()
            assert outcome.events["got GOAWAY"] == 1

    drive(main)


def test_pings_at_the_documented_interval_are_answered(drive: Drive) -> None:
    """Without a call, for longer than the strikes that gRPC forgives: the connection stays."""

    async def main() -> None:
        async with rig(quick(keepalive_s=0.4, handshake_s=20), public=True) as r:
            outcome = Outcome("pings")
            async with open_http2(Endpoint("127.0.0.1", r.server.ports[1]), outcome) as connection:
                for _ in range(5):
                    await trio.sleep(0.4)
                    await connection.send(frame(Kind.PING, bytes(8)))
            assert outcome.events == {"connections": 1}

    drive(main)


def test_what_grpc_turns_down_itself_has_the_documented_codes(drive: Drive) -> None:
    """docs/errors.md: a compressed request, and metadata over the limit."""

    def compressed(r: Rig) -> grpc.StatusCode:
        roots = grpc.ssl_channel_credentials(trust_anchor(r.server_identity.current.public_key))
        options = (("grpc.ssl_target_name_override", NODE_NAME),)
        with grpc.secure_channel(f"127.0.0.1:{r.server.ports[1]}", roots, options) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(UNARY.path)(bytes(5_000), timeout=20, compression=grpc.Compression.Gzip)
            return caught.value.code()  # type: ignore[no-any-return]

    async def main() -> None:
        async with rig(public=True) as r, r.channel() as channel:
            assert await trio.to_thread.run_sync(compressed, r) is grpc.StatusCode.UNIMPLEMENTED
            await channel.unary(UNARY, value(b"hi"), timeout_s=20, metadata={"x": "a" * 15_000})
            for size in (16_384, 1_000_000):
                with pytest.raises(RpcError, match="hard limit") as caught:
                    await channel.unary(UNARY, value(b"hi"), timeout_s=20, metadata={"x": "a" * size})
                assert caught.value.code is Code.RESOURCE_EXHAUSTED
            assert len(r.echo.calls) == 1

    drive(main)


def test_a_name_is_listened_on_with_those_of_its_addresses_that_the_machine_has(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without IPv6 often has localhost's all the same; a name without any address of ours is an error."""
    real = socket.getaddrinfo

    def with_a_foreign_one(host: str, port: int, *args: object, **more: object) -> list[object]:
        foreign = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))
        found: list[object] = [] if host == "foreign" else list(real("127.0.0.1", port, type=socket.SOCK_STREAM))
        return [foreign, *found]

    async def main() -> None:
        monkeypatch.setattr("alatau.transport.front.socket.getaddrinfo", with_a_foreign_one)
        async with rig(host="localhost") as r:
            monkeypatch.undo()
            await served(r)
            monkeypatch.setattr("alatau.transport.front.socket.getaddrinfo", with_a_foreign_one)
            listener = Listener("foreign", 0, ServerTls(r.server_identity, r.trust))
            with pytest.raises(PortInUseError, match="foreign:0: Cannot assign requested address"):
                await r.nursery.start(partial(serve, [r.echo.service()], [listener]))
            monkeypatch.undo()

    drive(main)


def test_a_client_that_gives_up_call_after_call_loses_its_connection(drive: Drive) -> None:
    """Opening and resetting within what may be open at once costs the node a call each; others go on."""

    async def main() -> None:
        limits = quick(handshake_s=20, cancelled_calls_burst=8, cancelled_calls_per_s=0.01, early_s=60)
        async with rig(limits, public=True) as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"hi"))
            outcome, ids = Outcome("resets"), iter(range(1, 10_000, 2))
            with pytest.RaisesGroup(pytest.RaisesExc(trio.BrokenResourceError), flatten_subgroups=True):
                async with open_http2(Endpoint("127.0.0.1", r.server.ports[1]), outcome) as connection:
                    while True:
                        id_, started = next(ids), r.echo.started
                        head = frame(Kind.HEADERS, call_headers(UNARY.path), flags=END_HEADERS, stream=id_)
                        body = grpc_message(value(b"wait").SerializeToString())
                        await connection.send(head + frame(Kind.DATA, body, flags=END_STREAM, stream=id_))
                        await eventually(lambda: r.echo.started > started, within_s=20)  # noqa: B023
                        await connection.send(rst_stream(id_))
                        await eventually(lambda: r.echo.cancelled == r.echo.started, within_s=20)
            assert r.server.connections.refused["CANCELLED_CALLS"] == 1
            assert r.echo.started == 9
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_calls_that_are_given_up_late_are_not_held_against_a_client(drive: Drive) -> None:
    """A busy node makes many clients miss their deadlines; taking their connections as well would help nobody."""

    async def main() -> None:
        limits = quick(cancelled_calls_burst=1, cancelled_calls_per_s=0.01, early_s=0.0)
        async with rig(limits) as r, r.channel() as channel:
            for _ in range(4):
                with trio.move_on_after(0.1):
                    await channel.unary(UNARY, value(b"wait"))
            await eventually(lambda: r.echo.cancelled == r.echo.started)
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            assert r.server.connections.refused == {}

    drive(main)


def test_calls_at_once_beyond_those_that_may_wait_are_dropped_by_grpc(drive: Drive) -> None:
    """Taken one after the other they would make every other client wait; the connection and the server live on."""

    async def main() -> None:
        async with rig(quick(calls_waiting_soft=8, calls_waiting_max=16), public=True) as r:
            outcome, body = Outcome("burst"), grpc_message(value(b"hi").SerializeToString())
            async with open_http2(Endpoint("127.0.0.1", r.server.ports[1]), outcome) as connection:
                burst = b"".join(
                    frame(Kind.HEADERS, call_headers(UNARY.path), flags=END_HEADERS, stream=id_)
                    + frame(Kind.DATA, body, flags=END_STREAM, stream=id_)
                    for id_ in range(1, 401, 2)
                )
                await connection.send(burst)
                await eventually(lambda: len(r.echo.calls) + outcome.events["got RST_STREAM"] == 200, within_s=20)
                assert outcome.events["got RST_STREAM"] > 0
                assert r.echo.calls
            await served(r)

    drive(main)
