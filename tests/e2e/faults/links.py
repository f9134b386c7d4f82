"""A TCP relay in front of every node's peer port, so that a test can cut, slow and mend the links between nodes.

A cut link is silent, as where a cable is pulled or a firewall drops packets: connections stay open, new ones are
accepted, and nothing that is written arrives. What was under way arrives when the link is mended, as TCP would have it.
Who dials is found by the socket's owner (``/proc``, Linux): over TLS the relay cannot tell.
"""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import trio

from alatau.types.endpoint import parse_endpoint
from alatau_devnet.network import Devnet, DevnetNode, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.ports import HOST
from alatau_devnet.processes import running_pid
from alatau_devnet.watch import wait_until_deciding

_CHUNK: Final = 64 * 1024
_POLL_S: Final = 0.02


class Links:
    """The links of a network: all whole and fast at first."""

    def __init__(self, count: int) -> None:
        self._sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
        self.endpoints = [f"{HOST}:{opened.getsockname()[1]}" for opened in self._sockets]
        """Where peers dial each node."""
        self.delay_s = 0.0
        """How long everything takes one way."""
        self._cut: frozenset[frozenset[str]] = frozenset()
        self._nodes: tuple[DevnetNode, ...] = ()
        self._stop = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken | None = None
        self._thread = threading.Thread(target=trio.run, args=(self._main,), name="links")

    def start(self, network: Devnet) -> None:
        """Relay to the nodes of ``network``, in its order."""
        self._nodes = network.nodes
        self._thread.start()

    def stop(self) -> None:
        """Close everything."""
        if self._token is not None:
            self._token.run_sync_soon(self._stop.cancel)
            self._thread.join(10)

    def cut(self, some: Iterable[DevnetNode], others: Iterable[DevnetNode]) -> None:
        """Nothing passes between two groups, either way, until :meth:`mend`."""
        self._cut = frozenset(frozenset({a.name, b.name}) for a in some for b in others)

    def mend(self) -> None:
        """All links carry again."""
        self._cut = frozenset()

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._stop:
            async with trio.open_nursery() as nursery:
                for node, opened in zip(self._nodes, self._sockets, strict=True):
                    listener = trio.SocketListener(trio.socket.from_stdlib_socket(opened))
                    nursery.start_soon(trio.serve_listeners, partial(self._relay, node), [listener])

    async def _relay(self, target: DevnetNode, incoming: trio.SocketStream) -> None:
        port = incoming.socket.getpeername()[1]
        dialler = next((node for node in self._nodes if _owns(node, port)), None)
        if dialler is None:  # It hung up meanwhile, or nobody could be kept from it.
            await incoming.aclose()
            return
        link = frozenset({target.name, dialler.name})
        endpoint = parse_endpoint(target.p2p)
        try:
            onward = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        except OSError:
            await incoming.aclose()
            return
        async with incoming, onward, trio.open_nursery() as nursery:
            for source, sink in ((incoming, onward), (onward, incoming)):
                send, receive = trio.open_memory_channel[tuple[float, bytes]](64)
                nursery.start_soon(self._read, source, send)
                nursery.start_soon(self._write, receive, sink, link, nursery.cancel_scope)

    async def _read(self, source: trio.SocketStream, channel: trio.MemorySendChannel[tuple[float, bytes]]) -> None:
        async with channel:
            try:
                while data := await source.receive_some(_CHUNK):
                    await channel.send((trio.current_time() + self.delay_s, data))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def _write(
        self,
        channel: trio.MemoryReceiveChannel[tuple[float, bytes]],
        sink: trio.SocketStream,
        link: frozenset[str],
        connection: trio.CancelScope,
    ) -> None:
        try:
            async for due, data in channel:
                await trio.sleep_until(due)
                await self._until_whole(link)
                await sink.send_all(data)
            await self._until_whole(link)  # A cut link does not carry the end of a connection either.
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        connection.cancel()

    async def _until_whole(self, link: frozenset[str]) -> None:
        while link in self._cut:  # noqa: ASYNC110  the test's thread changes it, and owns no event of this loop
            await trio.sleep(_POLL_S)


def _owns(node: DevnetNode, port: int) -> bool:
    """Whether a node's process holds the connection from a local port."""
    pid = running_pid(node.home)
    if pid is None:
        return False
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]  # gRPC dials IPv4 addresses from IPv6 sockets.
    rows = (line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:])
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    try:
        return any(str(held.readlink()) in sockets for held in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # It ended meanwhile, or closed the descriptor between the two looks.
        return False


@contextmanager
def linked_network(folder: Path, validators: int = 4) -> Iterator[tuple[Devnet, Links]]:
    """A network that decides blocks over links that a test can break; gone afterwards."""
    links = Links(validators)
    network = create_network(folder, DevnetOptions(validators=validators), links.endpoints)
    try:
        links.start(network)
        start_nodes(network)
        wait_until_deciding(network)
        yield network, links
    finally:
        links.stop()
        remove_network(folder)
