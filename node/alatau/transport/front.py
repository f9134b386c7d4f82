"""The proxy in front of gRPC: it accepts connections, bounds them, and hands their bytes on to gRPC's own socket.

gRPC accepts whatever comes, until no descriptor is left, and has no bound for an address. So its server listens on a
socket in a folder that only this process can enter, and this listens on the ports. A connection is admitted by the
:class:`ConnectionTable`, must send a whole ClientHello that offers TLS 1.3 before its deadline, and is then joined with
one to gRPC. TLS ends in gRPC, so keys and identities are its business alone; what arrives there is named after the
client's address, which is how handlers learn it. ``docs/adr/0005-a-proxy-in-front-of-grpc.md`` has reasons and figures.
"""

import asyncio
import contextlib
import errno
import secrets
import socket
from collections import Counter
from pathlib import Path
from typing import Final

import structlog

from alatau.transport.client_hello import PROTOCOL_VERSION_ALERT, NotClientHelloError, offers_tls_1_3
from alatau.transport.connection_table import ConnectionRefusedByLimitError, ConnectionTable, Entry
from alatau.transport.holdings import CallHolding, Holding, Holdings
from alatau.transport.limits import Limits
from alatau.transport.rates import TokenBucket
from alatau.transport.relay import Relay
from alatau.transport.socket_folder import SocketFolder

_LOG = structlog.get_logger("alatau.transport")

_BACKLOG: Final = 1_024
"""Connections that the kernel keeps for us between two looks; it takes at most ``net.core.somaxconn``."""
_ACCEPTS_AT_ONCE: Final = 64
"""After so many the loop has its turn: about 2 ms."""
_PAUSE_S: Final = 0.2
"""How long accepting rests when the machine has no descriptor or memory for another connection."""
_NOT_OURS: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""What binding says of an address of a name, such as localhost's of IPv6, that this machine does not have."""
REPORT_S: Final = 60.0
"""Refused connections are logged once in this time, with their number by reason: nobody can fill the log with them."""
_READ_BYTES: Final = 4_096
_NAME: Final = "alatau-front"


class PortInUseError(OSError):
    """The address cannot be listened on: another process has it. Stop that, or configure another port."""


class Front:
    """The listening ports of a server. Everything here runs on asyncio's side."""

    def __init__(self, limits: Limits, table: ConnectionTable) -> None:
        self.table = table
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._folder = SocketFolder()
        self._name = f"{_NAME}/{secrets.token_hex(8)}"
        self._listeners: list[tuple[socket.socket, Path]] = []
        self._connections: dict[str, _Connection] = {}
        self._by_entry: dict[Entry, _Connection] = {}
        self._count = 0
        rate = limits.young_total_bytes_per_s
        self._young_bytes = TokenBucket(rate, rate)
        self.holdings = Holdings(limits.held_bytes_max)
        self._nothing = Holdings(limits.held_bytes_max).open("", lambda: None)
        """What a call counts towards whose connection is gone already."""
        self._reported: Counter[str] = Counter()
        self._report_timer: asyncio.TimerHandle | None = None
        self.accept_pauses = 0
        """How often there was no descriptor left for another connection."""

    def listen(self, host: str, port: int) -> tuple[int, str]:
        """Bind ``host:port``; gives the port, and where gRPC is to listen for what comes there.

        Raises:
            PortInUseError: the address is taken, or is not this machine's.
        """
        path = self._folder.path / str(len(self._listeners))
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            missing: OSError | None = None
            for family, _, _, _, address in dict.fromkeys(found):
                try:
                    listener = _bound(family, (address[0], port, *address[2:]))
                except OSError as error:
                    if error.errno not in _NOT_OURS:
                        raise
                    missing = error
                    continue
                port = listener.getsockname()[1]  # the same one for each family, where it was 0
                self._listeners.append((listener, path))
            if missing is not None and all(other != path for _, other in self._listeners):
                raise missing
        except OSError as error:
            raise PortInUseError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        return port, f"unix:{path}"

    def start(self) -> None:
        """Accept connections from now on; gRPC listens."""
        for listener, path in self._listeners:
            self._loop.add_reader(listener, self._accept, listener, path)
        self._report_timer = self._loop.call_later(REPORT_S, self._report)

    def stop_accepting(self) -> None:
        """Close the ports; connections that are open stay."""
        for listener, _ in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()

    def close(self) -> None:
        """Close everything."""
        self.stop_accepting()
        if self._report_timer is not None:
            self._report_timer.cancel()
        for connection in tuple(self._connections.values()):
            connection.close()
        self._folder.close()

    def begin_call(self, name: str) -> CallHolding:
        """The headers of a call came over the connection with this name (``grpc.aio``'s peer)."""
        connection = self._connections.get(name)
        return CallHolding(self._nothing if connection is None else connection.holding)

    def established(self, name: str) -> None:
        """A whole request came over the connection with this name."""
        connection = self._connections.get(name)
        if connection is not None:
            connection.entry.established = True

    def cancelled(self, name: str) -> None:
        """The client gave up a call on the connection with this name; one that does so too often is closed."""
        connection = self._connections.get(name)
        if connection is not None and not connection.client_left and not self.table.may_cancel(connection.entry.source):
            connection.close()

    def throttle(self, entry: Entry, opened_at: float, count: int) -> float:
        """Seconds before more is read from a connection of which ``count`` bytes were; zero once it is not young."""
        if self._loop.time() - opened_at > self._limits.young_s:
            return 0.0
        return max(self._young_bytes.spend(count), self.table.young_bytes(entry.source).spend(count))

    def forget(self, name: str, entry: Entry) -> None:
        """The connection is closed."""
        self._connections.pop(name, None)
        self._by_entry.pop(entry, None)
        self.table.remove(entry)

    def _accept(self, listener: socket.socket, path: Path) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                client, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor or memory left, or the network's fault (accept(2))
                self._pause(listener, path, error)
                return
            try:
                entry, leaving = self.table.admit(address[0])
            except ConnectionRefusedByLimitError:
                client.close()
                continue
            if leaving is not None:
                self._by_entry[leaving].close()
            self._take(client, address[0], entry, path)

    def _take(self, client: socket.socket, address: str, entry: Entry, path: Path) -> None:
        self._count += 1
        name = f"{self._name}/{self._count}/{address.partition('%')[0]}"
        connection = _Connection(self, self._loop, client, name, entry, path)
        self._connections[f"unix-abstract:{name}"] = connection
        self._by_entry[entry] = connection
        connection.start(self._limits.handshake_s)

    def _report(self) -> None:
        refused = self.table.refused - self._reported
        if refused:
            _LOG.warning("transport.connections_refused", within_s=REPORT_S, open=len(self.table), **refused)
        self._reported = self.table.refused.copy()
        self._report_timer = self._loop.call_later(REPORT_S, self._report)

    def _pause(self, listener: socket.socket, path: Path, error: OSError) -> None:
        self.accept_pauses += 1
        if self.accept_pauses == 1:
            _LOG.warning("transport.accept_paused", error=error.strerror, open=len(self.table))
        self._loop.remove_reader(listener)

        def resume() -> None:
            if listener.fileno() >= 0:
                self._loop.add_reader(listener, self._accept, listener, path)

        self._loop.call_later(_PAUSE_S, resume)


class _Connection:
    """A client's connection: first its ClientHello, then the relay to gRPC."""

    def __init__(
        self,
        front: Front,
        loop: asyncio.AbstractEventLoop,
        client: socket.socket,
        name: str,
        entry: Entry,
        path: Path,
    ) -> None:
        client.setblocking(False)
        self.entry = entry
        self._front, self._loop, self._client, self._name, self._path = front, loop, client, name, path
        self._opened_at = loop.time()
        self.holding: Holding = front.holdings.open(entry.source, self._give_way)
        self._hello = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._relay: Relay | None = None

    def start(self, hello_s: float) -> None:
        """Wait for the ClientHello, but not for ever."""
        self._timer = self._loop.call_later(hello_s, self._refuse, "HELLO_TIMEOUT")
        self._loop.add_reader(self._client, self._read_hello)

    def close(self) -> None:
        """Close the connection on both sides."""
        if self._relay is not None:
            self._relay.close()
        else:
            self._leave_hello()
            self._client.close()
            self._forget()

    @property
    def client_left(self) -> bool:
        """Whether the client has ended the connection."""
        return self._relay is None or self._relay.client_left

    def _read_hello(self) -> None:
        try:
            data = self._client.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._hello += data
        try:
            offered = offers_tls_1_3(bytes(self._hello))
        except NotClientHelloError:
            self._refuse("NOT_TLS")
            return
        if offered:
            self._join()
        elif offered is False:
            with contextlib.suppress(OSError):
                self._client.send(PROTOCOL_VERSION_ALERT)
            self._refuse("TLS_BELOW_1_3")

    def _join(self) -> None:
        """Connect to gRPC under a name that holds the client's address."""
        self._leave_hello()
        inside = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            inside.bind(f"\0{self._name}")
            inside.connect(str(self._path))
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # gRPC's backlog is full, it is stopping, or the client is gone
            inside.close()
            self._refuse("NOT_TAKEN")
            return
        self._relay = Relay(self._loop, self._client, inside, bytes(self._hello), self._throttle, self._forget)
        self._hello.clear()

    def _refuse(self, reason: str) -> None:
        self._front.table.refused[reason] += 1
        self.close()

    def _give_way(self) -> None:
        self._front.table.refused["HELD_BYTES"] += 1
        self.close()

    def _leave_hello(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._client)

    def _throttle(self, count: int) -> float:
        self.holding.came(count)
        if self.holding.ended:
            return 0.0
        return self._front.throttle(self.entry, self._opened_at, count)

    def _forget(self) -> None:
        self.holding.end()
        self._front.forget(f"unix-abstract:{self._name}", self.entry)


def client_address(peer: str) -> str:
    """The client's address in the name of a connection (``grpc.aio``'s peer): ``ipv4:192.0.2.1``, ``ipv6:[::1]``."""
    if _NAME not in peer:
        return peer.rpartition(":")[0]
    return address_name(peer.rpartition("/")[2].replace("%3A", ":"))


def address_name(address: str) -> str:
    """An IP address as ``client_address`` names it; an IPv4 address behind IPv6 is that address."""
    if address.startswith("::ffff:") and "." in address:
        address = address.removeprefix("::ffff:")
    return f"ipv6:[{address}]" if ":" in address else f"ipv4:{address}"


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address[0] != "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
