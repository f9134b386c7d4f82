"""Calling: connections that come and go, and streams that end early."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio

from alatau.transport.channel import Channel, open_channel
from alatau.transport.credentials import dial_node
from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import Limits
from alatau.transport.server import serve
from alatau.transport.service import Method
from tests.support.echo import ANNOUNCE, CHAT, COUNT, REPEAT, UNARY, rig, value
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def test_nobody_there_is_unavailable(drive: Drive) -> None:
    """At once, without a deadline."""

    async def main() -> None:
        async with rig() as r:
            tls = dial_node(r.server_identity.current.public_key, r.client_identity)
        async with open_channel("127.0.0.1:1", tls) as channel:
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"hi"))
            assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "UNAVAILABLE")

    drive(main)


def test_a_channel_finds_a_server_that_comes_back(drive: Drive) -> None:
    """The same channel works again after the server's restart on its port."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"before"))
            service, listener = r.echo.service(), r.server._listeners[0]
            target = int(channel.target.rpartition(":")[2])
            r.nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await eventually(lambda: r.server.calls_under_way == 0)
                async with trio.open_nursery() as nursery:
                    moved = type(listener)(listener.host, target, listener.tls)
                    start = partial(serve, [service], [moved], limits=Limits(shutdown_grace_s=0.2))
                    await _start_when_free(nursery, start)
                    answer = await _when_it_answers(channel, b"after")
                    assert answer == b"after"
                    nursery.cancel_scope.cancel()

    drive(main)


async def _when_it_answers(channel: Channel, words: bytes) -> bytes:
    """The answer, however long the connection to the server that left takes to end: it may still cancel a call."""
    with trio.fail_after(10):
        while True:
            with suppress(RpcError):
                return (await channel.unary(UNARY, value(words), timeout_s=10, wait_for_ready=True)).value


async def _start_when_free(nursery: trio.Nursery, start: Callable[..., Awaitable[None]]) -> None:
    """The port is free once the first server has closed."""
    with trio.fail_after(5):
        while True:
            try:
                await nursery.start(start)
            except OSError:
                await trio.sleep(0.05)
            else:
                return


def test_leaving_a_stream_early_cancels_it(drive: Drive) -> None:
    """The server's handler ends; the channel goes on."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(REPEAT, value(b"forever")) as stream:
                await anext(stream)
            await eventually(lambda: r.echo.cancelled == 1)
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_an_exception_inside_a_stream_comes_out_as_it_is(drive: Drive) -> None:
    """The caller's own error is not turned into another."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            with pytest.raises(LookupError, match="mine"):
                async with channel.stream(CHAT):
                    raise LookupError("mine")
            await eventually(lambda: r.server.calls_under_way == 0)

    drive(main)


def test_sending_into_a_call_that_has_ended_says_so(drive: Drive) -> None:
    """BrokenResourceError to the sender; the reader has the reason."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel, channel.stream(CHAT) as stream:
            await stream.send(b"\xff\xff")
            with pytest.raises(RpcError) as caught:
                await anext(stream)
            assert caught.value.reason == "MALFORMED_MESSAGE"
            with pytest.raises(trio.BrokenResourceError):
                await stream.send(value(b"more"))
            assert r.echo.calls == []

    drive(main)


def test_the_deadline_of_a_stream_ends_it(drive: Drive) -> None:
    """Its reader gets DEADLINE_EXCEEDED."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(CHAT, timeout_s=2.0) as stream:
                await stream.send(value(b"wait"))
                await eventually(lambda: r.echo.started == 1, within_s=1.5)
                with pytest.raises(RpcError) as caught:
                    await anext(stream)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            await eventually(lambda: r.echo.cancelled == 1)

    drive(main)


def test_many_calls_at_once_each_get_their_own_answer(drive: Drive) -> None:
    """Handing over in batches mixes nothing up."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            answers: dict[int, bytes] = {}

            async def ask(number: int) -> None:
                answers[number] = (await channel.unary(UNARY, value(str(number).encode()))).value

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(ask, number)
            assert answers == {number: str(number).encode() for number in range(200)}
            assert r.server.calls_started == 200

    drive(main)


def test_a_client_stream_without_requests_still_has_its_response(drive: Drive) -> None:
    """Zero is a number of messages."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel, channel.stream(COUNT) as stream:
            assert (await stream.response()).value == b"0"
            assert r.server.calls_started == 1

    drive(main)


def test_a_channel_that_closes_ends_its_calls_as_cancelled(drive: Drive) -> None:
    """Who still reads or calls, in another task, gets an ``RpcError`` like any failure of a peer, not a defect."""

    async def main() -> None:
        async with rig() as r, trio.open_nursery() as nursery:
            outcomes: list[tuple[str, str]] = []
            reading = trio.Event()

            async def read() -> None:
                try:
                    async with channel.stream(REPEAT, value(b"forever")) as stream:
                        async for _ in stream:
                            reading.set()
                except RpcError as error:
                    outcomes.append(("stream", error.reason))

            async def call() -> None:
                try:
                    await channel.unary(UNARY, value(b"wait"))
                except RpcError as error:
                    outcomes.append(("unary", error.reason))

            async with r.channel() as channel:
                nursery.start_soon(read)
                nursery.start_soon(call)
                await reading.wait()
            await eventually(lambda: len(outcomes) == 2)
            await read()
            await call()
            assert set(outcomes) == {("stream", "CHANNEL_CLOSED"), ("unary", "CHANNEL_CLOSED")}
            assert len(outcomes) == 4

    drive(main)


@pytest.mark.parametrize("method", [REPEAT, COUNT, CHAT], ids=["server", "client", "both"])
def test_the_headers_of_a_stream_come_when_it_is_taken(drive: Drive, method: Method) -> None:
    """Before the first message in either direction: whoever subscribes and then pays in one task must not wait."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            request = None if method.client_streaming else value(b"wait")
            async with channel.stream(method, request) as stream:
                with trio.fail_after(20):
                    await stream.begun()

    drive(main)


def test_a_handler_may_say_something_in_the_headers(drive: Drive) -> None:
    """Where it is marked so; they come when it says so, and with the first message at the latest."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(ANNOUNCE, value(b"seven")) as stream:
                with trio.fail_after(20):
                    assert (await stream.begun())["alatau-word"] == "seven"
            async with channel.stream(ANNOUNCE, value(b"answer")) as stream:
                with trio.fail_after(20):
                    assert "alatau-word" not in await stream.begun()
                    assert (await anext(stream)).value == b"unannounced"

    drive(main)


def test_a_stream_that_is_refused_has_no_headers_of_its_own(drive: Drive) -> None:
    """Waiting for them ends with the call, and reading says how."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel, channel.stream(ANNOUNCE, value(b"refuse")) as stream:
            with trio.fail_after(20):
                assert "alatau-word" not in await stream.begun()
            with pytest.raises(RpcError, match="REFUSED"):
                await anext(stream)

    drive(main)
