"""Serving: shapes of calls, errors, limits, cancellation, shutdown. Real gRPC, real TLS."""

import gc
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType

import pytest
import trio

from alatau.transport.channel import Channel, open_channel
from alatau.transport.credentials import ClientTls, ServerTls
from alatau.transport.errors import Code, RpcError
from alatau.transport.holdings import CALL_BYTES
from alatau.transport.job import Job
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, PortInUseError, serve
from alatau.transport.service import Method
from tests.support.echo import CHAT, COUNT, REPEAT, UNARY, rig, value
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def test_each_shape_of_call_reaches_its_handler(drive: Drive) -> None:
    """Unary, server stream, client stream and both ways, with every message once and in order."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            async with channel.stream(REPEAT, value(b"200")) as stream:
                assert [m.value async for m in stream] == [str(n).encode() for n in range(200)]
            async with channel.stream(COUNT) as stream:
                for _ in range(200):
                    await stream.send(value(b"x"))
                assert (await stream.response()).value == b"200"
            async with channel.stream(CHAT) as stream:
                for number in range(200):
                    await stream.send(value(str(number).encode()))
                    assert (await anext(stream)).value == str(number).encode()
                stream.finish_sending()
                assert [m async for m in stream] == []

    drive(main)


def test_a_handler_knows_who_calls(drive: Drive) -> None:
    """The caller is the key of its certificate; its deadline and headers come along."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"hi"), timeout_s=20, metadata={"trace-id": "7", "token-bin": b"\x00\xff"})
            call = r.echo.calls[0]
            assert call.peer is not None
            assert call.peer.tls_key_hash == r.client_identity.key_hash
            assert call.peer.common_name == "client"
            assert call.metadata["trace-id"] == "7"
            assert call.metadata["token-bin"] == b"\x00\xff"
            remaining = call.remaining_s()
            assert remaining is not None
            assert 10 < remaining <= 20

    drive(main)


def test_an_error_arrives_with_reason_and_details(drive: Drive) -> None:
    """Code, message, reason, metadata, field violations and retry time survive the wire."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"refuse"))
            error = caught.value
            assert (error.code, error.message, error.reason) == (Code.INVALID_ARGUMENT, "no", "REFUSED")
            assert error.metadata == {"limit": "1", "retry_in_ms": "1500"}  # RetryInfo again
            assert [(v.field, v.reason) for v in error.field_violations] == [("value", "WORD")]
            assert error.retry_after_s == 1.5

    drive(main)


def test_an_error_raised_inside_a_nursery_counts_as_itself(drive: Drive) -> None:
    """Trio wraps it in a group of one; the client sees the error."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            with pytest.raises(RpcError, match="nothing there") as caught:
                await channel.unary(UNARY, value(b"group"))
            assert caught.value.reason == "GROUPED"

    drive(main)


def test_a_handlers_bug_is_internal_and_tells_nothing(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns that the node failed, not why; the server goes on."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"bug"))
            assert caught.value.reason == "INTERNAL"
            assert "secret" not in str(caught.value)
            assert (await channel.unary(UNARY, value(b"still here"))).value == b"still here"

    drive(main)


def test_an_unknown_method_is_unimplemented(drive: Drive) -> None:
    """The client may be newer than the node."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            unknown = Method("/test.Echo/Later", UNARY.request, UNARY.response, False, False)
            with pytest.raises(RpcError) as caught:
                await channel.unary(unknown, value(b""))
            assert caught.value.code is Code.UNIMPLEMENTED

    drive(main)


def test_bytes_that_are_no_message_are_refused(drive: Drive) -> None:
    """Garbage inside a well-formed gRPC frame gives MALFORMED_MESSAGE, unary and within a stream."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(CHAT) as stream:
                await stream.send(b"\xff\xff\xff\xff")
                with pytest.raises(RpcError) as caught:
                    await anext(stream)
            assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
            assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"

    drive(main)


def test_a_message_over_the_limit_is_refused_before_it_is_read(drive: Drive) -> None:
    """RESOURCE_EXHAUSTED from the length alone; the handler never runs."""

    async def main() -> None:
        async with rig(Limits(message_bytes_max=10_000, shutdown_grace_s=0.2)) as r, r.channel() as channel:
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"x" * 20_000))
            assert caught.value.code is Code.RESOURCE_EXHAUSTED
            assert r.echo.calls == []

    drive(main)


@pytest.mark.parametrize("method", [UNARY, CHAT], ids=["unary", "stream"])
def test_a_call_that_the_client_cancels_is_cancelled_in_trio(drive: Drive, method: Method) -> None:
    """The handler's task gets Cancelled at once, not at the deadline."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with trio.open_nursery() as nursery:
                if method is UNARY:
                    nursery.start_soon(channel.unary, UNARY, value(b"wait"))
                else:
                    nursery.start_soon(_chat_once, channel)
                await eventually(lambda: r.echo.started == 1)
                nursery.cancel_scope.cancel()
            await eventually(lambda: r.echo.cancelled == 1)
            await eventually(lambda: r.server.calls_under_way == 0)

    drive(main)


async def _chat_once(channel: object) -> None:
    async with channel.stream(CHAT) as stream:  # type: ignore[attr-defined]
        await stream.send(value(b"wait"))
        await anext(stream)


def test_a_call_whose_deadline_passes_is_cancelled_on_both_sides(drive: Drive) -> None:
    """The client gets DEADLINE_EXCEEDED, the handler Cancelled."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"wait"), timeout_s=0.2)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            await eventually(lambda: r.echo.cancelled == 1)

    drive(main)


def test_a_slow_reader_holds_the_sender_back(drive: Drive) -> None:
    """A stream that nobody reads fills its bounded queues and stops the handler, instead of eating memory."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(REPEAT, value(b"forever")) as stream:
                await anext(stream)
                before = -1
                with trio.fail_after(10):
                    while r.echo.sent != before:
                        before = r.echo.sent
                        await trio.sleep(0.3)
                assert before < 20_000  # of 1 kB: the windows of HTTP/2 and TCP, and our queues
            await eventually(lambda: r.echo.cancelled == 1)

    drive(main)


def test_calls_under_way_are_bounded_for_each_caller(drive: Drive) -> None:
    """One more than allowed is TOO_MANY_CALLS; when one ends there is room again."""

    async def main() -> None:
        limits = Limits(concurrent_calls_per_peer_max=2, shutdown_grace_s=0.2)
        async with rig(limits) as r, r.channel() as channel, trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(channel.unary, UNARY, value(b"wait"))
            await eventually(lambda: r.echo.started == 2)
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"hi"))
            assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
            nursery.cancel_scope.cancel()
        assert r.server.calls_refused["TOO_MANY_CALLS"] == 1

    drive(main)


def test_calls_a_second_are_bounded_for_each_caller(drive: Drive) -> None:
    """Above the burst a caller is RATE_LIMITED and told when to come back."""

    async def main() -> None:
        async with rig(Limits(calls_per_s=1, calls_burst=3, shutdown_grace_s=0.2)) as r, r.channel() as channel:
            for _ in range(3):
                await channel.unary(UNARY, value(b"hi"))
            with pytest.raises(RpcError) as caught:
                await channel.unary(UNARY, value(b"hi"))
            assert caught.value.reason == "RATE_LIMITED"
            assert caught.value.retry_after_s is not None
            assert 0 < caught.value.retry_after_s <= 1

    drive(main)


def test_a_call_that_is_refused_keeps_nothing_of_its_request(drive: Drive) -> None:
    """Neither before its handler ran nor after: messages of 4 MB would wait for the collector, which runs seldom."""
    held_by = {"start", "parse", "admit", "_result", "_invoke", "run_job"}
    words = (b"refuse", b"group")

    async def main() -> None:
        limits = Limits(calls_per_s=1e-3, calls_burst=len(words), shutdown_grace_s=0.2)
        async with rig(limits) as r, r.channel() as channel:
            gc.collect()
            gc.disable()
            try:
                for word in (*words, b"too many"):
                    with pytest.raises(RpcError):
                        await channel.unary(UNARY, value(word))
                await eventually(lambda: r.server.held_bytes < 2 * CALL_BYTES)
                kept = gc.get_objects()
            finally:
                gc.enable()
            frames = [found.f_code for found in kept if isinstance(found, FrameType)]
            names = [code.co_name for code in frames if "/alatau/transport/" in code.co_filename]
            assert [found for found in kept if isinstance(found, Job)] == []
            assert held_by.isdisjoint(names)

    drive(main)


def test_a_public_listener_serves_callers_without_a_certificate(drive: Drive) -> None:
    """The same service on another port, where peers are anonymous and the server still proves itself."""

    async def main() -> None:
        async with rig(public=True) as r:
            anchor = ClientTls(_anchor_of(r.server_identity.current.public_key))
            async with open_channel(f"127.0.0.1:{r.server.ports[1]}", anchor) as channel:
                assert (await channel.unary(UNARY, value(b"hi"))).value == b"hi"
            assert r.echo.calls[0].peer is None
            assert r.echo.calls[0].address == "ipv4:127.0.0.1"

    drive(main)


def _anchor_of(public_key: bytes) -> bytes:
    from alatau.transport.certificates import trust_anchor  # noqa: PLC0415

    return trust_anchor(public_key)


def test_a_port_in_use_is_said_so(drive: Drive) -> None:
    """The error names the address; nothing is left listening."""

    async def main() -> None:
        async with rig() as r:
            listener = Listener("127.0.0.1", r.server.ports[0], ServerTls(r.server_identity, r.trust))
            with pytest.raises(PortInUseError, match=f"127.0.0.1:{r.server.ports[0]}"):
                await r.nursery.start(partial(serve, [r.echo.service()], [listener]))

    drive(main)


def test_what_a_shutdown_cuts_off_is_told_that_the_node_stops(drive: Drive) -> None:
    """A call that does not end within the grace, and one that comes over an old connection: never CANCELLED."""

    async def main() -> None:
        heard: list[RpcError] = []

        async def ask(channel: Channel, request: bytes) -> None:
            with trio.CancelScope(shield=True):
                try:
                    await channel.unary(UNARY, value(request), timeout_s=20)
                except RpcError as error:
                    heard.append(error)

        async with rig(Limits(shutdown_grace_s=2)) as r, r.channel() as channel:
            await channel.unary(UNARY, value(b"hi"))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, channel, b"wait")
                await eventually(lambda: r.echo.started)
                r.nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await trio.sleep(0.2)
                    nursery.start_soon(ask, channel, b"late")
        assert [(error.code, error.reason) for error in heard] == [(Code.UNAVAILABLE, "NODE_STOPPING")] * 2

    drive(main)


def test_shutdown_ends_streams_at_once_and_lets_unary_calls_finish(drive: Drive) -> None:
    """A subscriber hears NODE_STOPPING; the node does not wait for it."""

    async def main() -> None:
        async with rig(Limits(shutdown_grace_s=5)) as r, r.channel() as channel, channel.stream(CHAT) as stream:
            await stream.send(value(b"hi"))
            await anext(stream)
            started = trio.current_time()
            r.nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True), pytest.raises(RpcError) as caught:
                await anext(stream)
            assert caught.value.reason == "NODE_STOPPING"
        assert trio.current_time() - started < 3

    drive(main)
