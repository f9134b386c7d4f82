"""Each attack of ``alatau_devnet.attack.http2`` for a moment, on a real server, with an honest client beside it."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from alatau.client.endpoints import nobody_answered
from alatau.client.exchange import RETRY_PAUSES_S
from alatau.transport.channel import Channel, open_channel
from alatau.transport.credentials import dial_node
from alatau.transport.errors import RpcError
from alatau.types.endpoint import Endpoint
from alatau_devnet.attack import http2
from alatau_devnet.attack.tls import Outcome
from tests.support.echo import UNARY, Rig, rig, value
from tests.support.waiting import eventually

Attack = Callable[[Endpoint], Awaitable[Outcome]]
PATH = "/test.Echo/Unary"
_SECONDS = 0.5


async def asked(channel: Channel, word: bytes) -> bytes:
    """A call as the SDK makes it: again where gRPC's core dropped it, since many at once waited to be taken."""
    for pause_s in (*RETRY_PAUSES_S, None):
        try:
            return bytes((await channel.unary(UNARY, value(word), timeout_s=30)).value)
        except RpcError as error:
            if not nobody_answered(error) or pause_s is None:
                raise
            await trio.sleep(pause_s)
    raise AssertionError


async def under_attack(r: Rig, attack: Attack) -> Outcome:
    """Run an attack while an honest client calls; every one of its calls must be answered."""
    endpoint = Endpoint("127.0.0.1", r.server.ports[1])
    answered = 0
    outcomes: list[Outcome] = []

    async def attacker() -> None:
        outcomes.append(await attack(endpoint))

    tls = dial_node(r.server_identity.current.public_key)
    async with open_channel(str(endpoint), tls) as channel, trio.open_nursery() as nursery:
        await asked(channel, b"hi")
        nursery.start_soon(attacker)
        while not outcomes:
            assert await asked(channel, b"hi") == b"hi"
            answered += 1
            await trio.sleep(0.01)
    assert answered
    assert r.echo.started == 0
    # Whatever of the attack was let in has ended, and the next client is served.
    await eventually(lambda: r.server.calls_under_way == 0, within_s=20)
    async with open_channel(str(endpoint), tls) as channel:
        assert await asked(channel, b"last") == b"last"
    assert outcomes[0].events["connections"]
    return outcomes[0]


def run(attack: Attack) -> tuple[Outcome, Rig]:
    """The same on a fresh server."""
    kept: list[tuple[Outcome, Rig]] = []

    async def main() -> None:
        with trio.fail_after(60):
            async with rig(public=True) as r:
                kept.append((await under_attack(r, attack), r))

    trio.run(main)
    return kept[0]


@pytest.mark.parametrize("acknowledges", [True, False], ids=["acknowledged", "unacknowledged"])
def test_rapid_reset_costs_others_nothing(*, acknowledges: bool) -> None:
    """What is above the bound of a connection is reset by gRPC, whether or not the client took note of the bound."""
    outcome, _ = run(lambda e: http2.rapid_reset(e, _SECONDS, PATH, acknowledges=acknowledges))
    assert outcome.events["got RST_STREAM"] > outcome.events["resets"] // 2


def test_a_compressed_request_is_refused_before_it_is_expanded() -> None:
    """No bomb reaches a handler, and none reaches the memory of the process."""
    before = _peak_kib()
    outcome, r = run(lambda e: http2.gzip_bomb(e, _SECONDS, PATH))
    assert outcome.events["got RST_STREAM"]
    assert {len(call.metadata) for call in r.echo.calls} <= {0, 1}
    assert _peak_kib() - before < 64 * 1024  # eight expanded bombs


def _peak_kib() -> int:
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def test_garbage_in_metadata_is_refused() -> None:
    """Call after call, and none reaches a handler."""
    outcome, r = run(lambda e: http2.header_garbage(e, _SECONDS, PATH))
    assert outcome.events["got RST_STREAM"]
    assert not any("name" in name for call in r.echo.calls for name in call.metadata)


def test_metadata_over_the_limit_is_refused() -> None:
    """RESOURCE_EXHAUSTED from gRPC; the frames are read and thrown away."""
    outcome, r = run(lambda e: http2.metadata_flood(e, _SECONDS, PATH))
    assert outcome.events["got RST_STREAM"]
    assert not any("x-1" in call.metadata for call in r.echo.calls)


def test_metadata_before_the_limit_is_acknowledged_is_bounded_by_rate() -> None:
    """A young connection is read at its rate: what it can make gRPC keep stays below what was announced."""
    outcome, _ = run(lambda e: http2.metadata_flood(e, 2.0, PATH, acknowledges=False))
    assert outcome.events["megabytes"] < 60  # 8 at once, 8 a second, and what the sockets hold; unbounded: 150


@pytest.mark.parametrize("attack", [http2.continuation_flood, http2.empty_frames], ids=["CONTINUATION", "empty DATA"])
def test_frames_that_never_lead_anywhere_end_the_connection(attack: Callable[..., Awaitable[Outcome]]) -> None:
    """A header block without end, and data that holds nothing."""
    outcome, _ = run(lambda e: attack(e, _SECONDS, PATH))
    assert outcome.events["ended by node"]


@pytest.mark.parametrize(
    "attack", [http2.settings_flood, http2.priority_flood, http2.ping_flood], ids=["SETTINGS", "PRIORITY", "PING"]
)
def test_frames_that_ask_for_work_do_not_hold_up_others(attack: Callable[..., Awaitable[Outcome]]) -> None:
    """They cost their sender more than the node."""
    outcome, _ = run(lambda e: attack(e, _SECONDS))
    assert sum(outcome.events.values())
