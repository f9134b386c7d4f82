"""Several endpoints: a node dies in the middle of a call, a listing or a stream, and another goes on."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from alatau.client import Client, RpcError, SyncClient, connect, connect_sync
from alatau.client.endpoints import Attempts, Endpoints, endpoint_list
from alatau.client.queries import LogsOfBlock
from alatau.transport.errors import Code, channel_closed
from alatau.wire.block import BlockView
from alatau.wire.logs import EventFilter
from tests.support.restarts import Service
from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, payment, running, solo_node, token_artifacts


def unavailable() -> RpcError:
    """What a client gets where nobody answers."""
    return RpcError(Code.UNAVAILABLE, "connection refused", reason="UNAVAILABLE")


def dropped() -> RpcError:
    """What gRPC's core answers in a node's place where thousands of calls wait to be taken."""
    return RpcError(Code.CANCELLED, "Cancelled on the server side", reason="CANCELLED")


@pytest.mark.parametrize("error", [unavailable(), dropped()], ids=["unavailable", "dropped"])
def test_a_call_goes_round_the_nodes(error: RpcError) -> None:
    """Each is asked at once, then again after a pause; five rounds in all, as with one node."""
    endpoints = Endpoints(["a", "b", "c"])
    attempts = Attempts(endpoints)
    asked, pauses = [], []
    while True:
        asked.append(endpoints.current)
        pause_s = attempts.pause_s(error, endpoints.current)
        if pause_s is None:
            break
        pauses.append(pause_s)
    assert "".join(asked) == "abc" * 5
    assert [pause_s for pause_s in pauses if pause_s] == [0.05, 0.2, 0.5, 1.0]


def test_a_call_that_hangs_goes_to_each_node_once() -> None:
    """It took its whole time already; with one node the error is the caller's at once."""
    late = RpcError(Code.DEADLINE_EXCEEDED, "late", reason="DEADLINE_EXCEEDED")
    assert Attempts(Endpoints(["a"])).pause_s(late, "a") is None
    endpoints = Endpoints(["a", "b"])
    attempts = Attempts(endpoints)
    assert attempts.pause_s(late, "a") == 0
    assert endpoints.current == "b"
    assert attempts.pause_s(late, "b") is None


@pytest.mark.parametrize("reason", ["NONCE_TOO_LOW", "NOT_FINAL_IN_TIME", "INTERNAL"])
def test_what_a_node_answers_is_the_answer(reason: str) -> None:
    """Another would say the same, or it is not ours to try."""
    assert Attempts(Endpoints(["a", "b"])).pause_s(RpcError(Code.INTERNAL, "x", reason=reason), "a") is None


def test_a_channel_closed_on_this_side_is_not_tried_again() -> None:
    """Whoever closed it wants no answer."""
    assert Attempts(Endpoints(["a", "b"])).pause_s(channel_closed(), "a") is None


def test_a_node_that_stops_sends_to_another() -> None:
    """Where there is one."""
    stopping = RpcError(Code.UNAVAILABLE, "x", reason="NODE_STOPPING")
    assert Attempts(Endpoints(["a"])).pause_s(stopping, "a") is None
    assert Attempts(Endpoints(["a", "b"])).pause_s(stopping, "a") == 0


def test_tasks_that_fail_together_move_on_once() -> None:
    """Two that leave the same node do not skip the next."""
    endpoints = Endpoints(["a", "b", "c"])
    endpoints.leave("a")
    endpoints.leave("a")
    assert endpoints.current == "b"


def test_there_must_be_an_endpoint() -> None:
    """One as text, several as a list."""
    assert endpoint_list("a:1") == ["a:1"]
    assert endpoint_list(("a:1", "b:1")) == ["a:1", "b:1"]
    with pytest.raises(ValueError, match="at least one"):
        endpoint_list([])


@asynccontextmanager
async def two_nodes(node: SoloNode) -> AsyncIterator[tuple[Service, Service, Client]]:
    """Two services of one chain, each of which can be stopped, and a client that knows both."""
    async with trio.open_nursery() as nursery:
        first, second = Service(node, nursery), Service(node, nursery)
        served, other = await first.start(), await second.start()
        async with connect([served.endpoint, other.endpoint], served.tls) as client:
            yield first, second, client
        await first.stop()
        await second.stop()


@pytest.mark.trio
async def test_calls_go_on_at_another_node(node: SoloNode) -> None:
    """And back, when that one is lost too."""
    async with two_nodes(node) as (first, second, client):
        assert (await client.status()).height == 0
        await first.stop()
        assert (await client.status()).height == 0
        await first.start()
        await second.stop()
        assert (await client.status()).height == 0
        await second.start()


@pytest.mark.trio
async def test_a_stream_goes_on_at_another_node(node: SoloNode) -> None:
    """Every height and every log once, those that were decided in between included."""
    async with two_nodes(node) as (first, second, client):
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 1)
        heights, logs = [], []
        async with (
            client.subscribe_blocks(1, BlockView.HEADER) as blocks,
            client.subscribe_logs(EventFilter((TOKEN,)), from_height=1) as messages,
        ):
            for nonce, service in enumerate((first, second, first)):
                await node.submit([payment(nonce, to=TOKEN, value=0, data=data, gas_limit=90_000).encoded])
                node.commit_block()
                heights.append((await anext(blocks)).height)
                logs += await next_heights(messages)
                await service.stop()
                node.commit_block()
                heights.append((await anext(blocks)).height)
                await service.start()
        assert heights == [1, 2, 3, 4, 5, 6]
        assert logs == [1, 3, 5]


async def next_heights(messages: AsyncIterator[LogsOfBlock]) -> list[int]:
    """Of the next logs; messages without any only tell progress."""
    while True:
        message = await anext(messages)
        if message.logs:
            return [log.height for log in message.logs]


@pytest.mark.trio
async def test_a_listing_goes_on_at_another_node(node: SoloNode) -> None:
    """A page token is of its node alone: the next node lists what is left, once, in either direction."""
    data = bytes.fromhex("a9059cbb") + bytes(12) + MERCHANT.address + (1).to_bytes(32, "big")
    for nonce in range(3):
        await node.submit([payment(nonce, to=TOKEN, value=0, data=data, gas_limit=90_000).encoded])
        node.commit_block()
    for descending in (False, True):
        async with two_nodes(node) as (first, _, client):
            listing = client.blocks(0, descending=descending)
            listing._pages._request.page_size = 2  # type: ignore[attr-defined]
            seen = [(await anext(listing)).height for _ in range(2)]
            await first.stop()
            seen += [block.height async for block in listing]
            assert seen == sorted(range(4), reverse=descending)
            await first.start()
    async with two_nodes(node) as (first, _, client):
        logs = client.logs(EventFilter((TOKEN,)))
        logs._pages._request.page_size = 2  # type: ignore[attr-defined]
        found = [(await anext(logs)).height for _ in range(2)]
        await first.stop()
        assert found + [log.height async for log in logs] == [1, 2, 3]
        await first.start()


@pytest.mark.trio
async def test_a_payment_is_made_once_though_its_node_dies(node: SoloNode, tmp_path: Path) -> None:
    """The node took it and died before it told anyone: the other gets the same bytes, and no second payment."""
    node.store.close()
    shutil.copytree(tmp_path / "store", tmp_path / "copy" / "store")
    doomed, other = solo_node_at(tmp_path), solo_node_at(tmp_path / "copy")
    async with running(other, produce=True) as survivor, trio.open_nursery() as nursery:
        service = Service(doomed, nursery)  # decides nothing
        served = await service.start()
        async with connect([served.endpoint, survivor.endpoint], served.tls) as client:
            wallet = await client.wallet(RESIDENT)

            async def die() -> None:
                while len(doomed.mempool) == 0:  # noqa: ASYNC110  what is waited for has no event
                    await trio.sleep(0.005)
                await service.stop()

            nursery.start_soon(die)
            receipt = await client.transfer(wallet, MERCHANT.address, 5, timeout_s=20)
            assert len(doomed.mempool) == 1
            assert receipt.succeeded
            assert (await client.account(RESIDENT.address)).next_nonce == 1
            again = doomed.mempool.get(receipt.transaction_hash)
            assert again is not None
            assert (await client.submit(again)).state.name == "FINAL"
            assert (await client.account(RESIDENT.address)).account.nonce == 1
    doomed.store.close()
    other.store.close()


def solo_node_at(folder: Path) -> SoloNode:
    """A node on the genesis that lies in ``folder``."""
    return solo_node(folder, genesis_committed=False)


@pytest.mark.trio
async def test_without_an_event_loop(node: SoloNode) -> None:
    """The synchronous client does the same: a call, a stream."""

    def work(endpoints: list[str], tls: object, lose: object) -> tuple[int, list[int]]:
        with connect_sync(endpoints, tls) as client:  # type: ignore[arg-type]
            return follow(client, lose)

    def follow(client: SyncClient, lose: object) -> tuple[int, list[int]]:
        client.status()
        with client.subscribe_blocks(1) as blocks:
            heights = [next(blocks).height]
            trio.from_thread.run(lose)  # type: ignore[arg-type]
            heights += [next(blocks).height for _ in range(2)]
        return client.status().height, heights

    async with trio.open_nursery() as nursery:
        first, second = Service(node, nursery), Service(node, nursery)
        served, other = await first.start(), await second.start()
        node.commit_block()

        async def lose() -> None:
            await first.stop()
            node.commit_block()
            node.commit_block()

        endpoints = [served.endpoint, other.endpoint]
        assert await trio.to_thread.run_sync(partial(work, endpoints, served.tls, lose)) == (3, [1, 2, 3])
        await second.stop()
