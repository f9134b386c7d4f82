"""A stream of batches: it goes on at another node, with what was not answered."""

import pytest
import trio

from alatau.client import RpcError, connect
from alatau.client.submit_stream import UNANSWERED_MAX
from alatau.client.submitting import Submitted
from tests.support.restarts import Service
from tests.support.solo_node import SoloNode, payment, running
from tests.support.waiting import eventually


@pytest.mark.trio
async def test_a_stream_of_batches_goes_on_at_another_node(node: SoloNode) -> None:
    """Answers come for every batch, once and in order, whichever node was lost before or between them."""
    async with trio.open_nursery() as nursery:
        first, second = Service(node, nursery), Service(node, nursery)
        served, other = await first.start(), await second.start()
        async with (
            connect([served.endpoint, other.endpoint], served.tls) as client,
            client.submit_stream() as stream,
        ):
            results = stream.results()
            for number, lost in enumerate([first, second, first], 1):
                assert await stream.send([payment(2 * number - 2)]) == 2 * number - 1
                assert (await anext(results))[0] == 2 * number - 1
                await lost.stop()
                assert await stream.send([payment(2 * number - 1)]) == 2 * number
                sequence, outcomes = await anext(results)
                assert (sequence, [type(outcome) for outcome in outcomes]) == (2 * number, [Submitted])
                await lost.start()
            stream.finish()
            with pytest.raises(StopAsyncIteration):
                await anext(results)
        assert len(node.mempool) == 6
        await first.stop()
        await second.stop()


@pytest.mark.trio
async def test_batches_that_nobody_answered_are_sent_again_in_order(
    node: SoloNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node took them and hung; another gets all of them, while the program only sends."""
    answering, submit = trio.Event(), node.submit

    async def hang(*arguments: object) -> object:
        if not answering.is_set():
            await trio.sleep_forever()
        return await submit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(node, "submit", hang)
    async with trio.open_nursery() as nursery:
        first, second = Service(node, nursery), Service(node, nursery)
        served, other = await first.start(), await second.start()
        async with (
            connect([served.endpoint, other.endpoint], served.tls) as client,
            client.submit_stream() as stream,
        ):
            for nonce in range(3):
                await stream.send([payment(nonce)])
            answering.set()
            nursery.start_soon(first.stop)
            stream.finish()
            answers = [(number, [type(o) for o in outcomes]) async for number, outcomes in stream.results()]
            assert answers == [(number, [Submitted]) for number in (1, 2, 3)]
        await second.stop()


@pytest.mark.trio
async def test_a_batch_that_another_node_might_take_goes_there(node: SoloNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that is cut off refuses it as a whole; the stream moves on with this batch and the next."""
    cut_off = [True]
    monkeypatch.setattr(node, "cut_off", lambda: "it has no peer" if cut_off.pop() else None)
    cut_off[:] = [False] * 10 + [True]
    async with trio.open_nursery() as nursery:
        first, second = Service(node, nursery), Service(node, nursery)
        served, other = await first.start(), await second.start()
        async with (
            connect([served.endpoint, other.endpoint], served.tls) as client,
            client.submit_stream() as stream,
        ):
            for nonce in range(2):
                await stream.send([payment(nonce)])
            stream.finish()
            answers = [(number, [type(o) for o in outcomes]) async for number, outcomes in stream.results()]
            assert answers == [(1, [Submitted]), (2, [Submitted])]
            assert len(cut_off) < 10
        await first.stop()
        await second.stop()


@pytest.mark.trio
async def test_a_stream_that_no_node_serves_says_so(node: SoloNode) -> None:
    """Results raise what the last attempt said; sending then fails instead of waiting for ever."""
    async with running(node) as served:
        nobody = ["127.0.0.1:1", "127.0.0.1:2"]
        async with connect(nobody, served.tls) as client, client.submit_stream() as stream:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await anext(stream.results())
            with pytest.raises(trio.BrokenResourceError):
                await stream.send([payment(0)])


@pytest.mark.trio
async def test_who_takes_no_answers_is_kept_waiting(node: SoloNode) -> None:
    """Nothing grows without bound: a program that only sends waits once so many answers lie there."""
    async with running(node) as served, served.connect() as client, client.submit_stream() as stream:
        sent = []

        async def send_all() -> None:
            while len(sent) < 2 * UNANSWERED_MAX:
                sent.append(await stream.send([b"?"]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_all)
            await eventually(lambda: len(stream._unanswered) == UNANSWERED_MAX)
            assert len(sent) < 2 * UNANSWERED_MAX
            results = stream.results()
            taken = [(await anext(results))[0] for _ in range(2 * UNANSWERED_MAX)]
        assert sent == taken == list(range(1, 2 * UNANSWERED_MAX + 1))


@pytest.mark.trio
async def test_an_error_of_the_program_comes_out_as_it_is(node: SoloNode) -> None:
    """Not within a group: the tasks of the stream are nobody's business."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(ZeroDivisionError):
            async with client.submit_stream():
                raise ZeroDivisionError
