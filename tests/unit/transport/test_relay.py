"""Two sockets joined: bytes arrive as they are, a slow reader slows its writer, an end is passed on."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from alatau.transport.relay import Relay


@dataclass
class Joined:
    """A relay, its two far ends, and how often it said that it was closed."""

    relay: Relay
    client: socket.socket
    server: socket.socket
    closed: list[None] = field(default_factory=list)
    read: list[int] = field(default_factory=list)


def joined(
    work: Callable[[Joined], Awaitable[None]], first: bytes = b"", wait_s: Callable[[int], float] = lambda _: 0.0
) -> Joined:
    """Join two real pairs of sockets and do some work at their far ends."""

    async def main() -> Joined:
        client, outside = socket.socketpair()
        inside, server = socket.socketpair()
        for end in (client, outside, inside, server):
            end.setblocking(False)
        closed: list[None] = []
        read: list[int] = []

        def throttle(count: int) -> float:
            read.append(count)
            return wait_s(count)

        loop = asyncio.get_running_loop()
        relay = Relay(loop, outside, inside, first, throttle, lambda: closed.append(None))
        ends = Joined(relay, client, server, closed, read)
        try:
            async with asyncio.timeout(20):
                await work(ends)
        finally:
            relay.close()
            client.close()
            server.close()
        return ends

    return asyncio.run(main())


async def all_of(end: socket.socket) -> bytes:
    """Everything until the other side ends; it begins to read when the sockets are full."""
    loop, parts = asyncio.get_running_loop(), []
    await asyncio.sleep(0.05)
    while part := await loop.sock_recv(end, 65_536):
        parts.append(part)
    return b"".join(parts)


def test_bytes_arrive_as_they_are_in_both_directions() -> None:
    """Those that were read before come first; megabytes pass though each direction holds one piece."""
    there, back = os.urandom(3_000_000), os.urandom(2_000_000)

    async def work(ends: Joined) -> None:
        loop = asyncio.get_running_loop()

        async def say(end: socket.socket, data: bytes) -> None:
            await loop.sock_sendall(end, data)
            end.shutdown(socket.SHUT_WR)

        *_, at_server, at_client = await asyncio.gather(
            say(ends.client, there), say(ends.server, back), all_of(ends.server), all_of(ends.client)
        )
        assert at_server == b"hello" + there
        assert at_client == back

    ends = joined(work, first=b"hello")
    assert sum(ends.read) == len(there)
    assert ends.closed == [None]


def test_a_reader_that_reads_nothing_slows_its_writer() -> None:
    """What is held is a piece and the sockets' own buffers, whatever is sent."""

    async def work(ends: Joined) -> None:
        sent = 0
        while True:
            try:
                sent += ends.client.send(bytes(65_536))
            except BlockingIOError:
                before = sent
                await asyncio.sleep(0.05)
                try:
                    sent += ends.client.send(bytes(65_536))
                except BlockingIOError:
                    break
                assert sent > before
        assert sent < 4_000_000
        assert not ends.relay.closed

    joined(work)


def test_who_reads_too_much_is_paused_and_goes_on() -> None:
    """The throttle says for how long; nothing is lost."""
    pauses = [0.05, 0.05]

    async def work(ends: Joined) -> None:
        loop = asyncio.get_running_loop()
        data = os.urandom(400_000)
        sending = asyncio.ensure_future(loop.sock_sendall(ends.client, data))
        got = b""
        while len(got) < len(data):
            got += await loop.sock_recv(ends.server, 65_536)
        await sending
        assert got == data

    joined(work, wait_s=lambda _: pauses.pop() if pauses else 0.0)
    assert pauses == []


def test_a_half_that_ends_ends_the_other_after_its_last_words() -> None:
    """The client ends; what the server still says arrives before both sockets are closed, once."""

    async def work(ends: Joined) -> None:
        loop = asyncio.get_running_loop()
        assert not ends.relay.client_left
        ends.client.shutdown(socket.SHUT_WR)
        assert await all_of(ends.server) == b""
        assert ends.relay.client_left
        await loop.sock_sendall(ends.server, b"goodbye")
        ends.server.shutdown(socket.SHUT_WR)
        assert await all_of(ends.client) == b"goodbye"
        assert ends.relay.closed

    assert joined(work).closed == [None]
