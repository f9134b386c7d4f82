"""BlockService over TLS."""

import pytest
import trio

from alatau.client import RpcError
from alatau.client.exchange import METHODS
from alatau.client.queries import blocks as block_pages
from alatau.pb.api.v1 import block_service_pb2
from alatau.rpc.limits import Limits
from alatau.types.block import decode_block
from alatau.types.header import header_hash
from alatau.wire.block import BlockView, Outcome
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, payment, running
from tests.support.waiting import eventually


@pytest.mark.trio
async def test_a_block_by_height_by_hash_and_the_tip(node: SoloNode) -> None:
    """All three ways give the same block, whose header hashes to its hash."""
    async with running(node) as served, served.connect() as client:
        await client.submit(payment())
        executed = node.commit_block()
        by_height = await client.block(1)
        assert by_height == await client.block(executed.block.hash) == await client.block()
        assert by_height.header == executed.block.header
        assert header_hash(by_height.header) == by_height.hash
        assert by_height.transaction_hashes == (payment().hash,)


@pytest.mark.trio
@pytest.mark.parametrize("recent", [True, False], ids=["recent", "from the store"])
async def test_each_view_gives_what_it_says(node: SoloNode, recent: bool) -> None:
    """HEADER, HASHES, OUTCOMES, FULL and RAW each add to the header what they promise, from memory or from disk."""
    if not recent:
        await node.submit([payment().encoded])
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        if recent:
            await client.submit(payment())
            node.commit_block()
            await trio.testing.wait_all_tasks_blocked(0.05)
        header = await client.block(1, BlockView.HEADER)
        assert (header.transaction_count, header.transaction_hashes, header.raw) == (1, (), None)
        outcomes = await client.block(1, BlockView.OUTCOMES)
        assert outcomes.outcomes == (Outcome(succeeded=True, gas_used=21_000),)
        full = await client.block(1, BlockView.FULL)
        assert full.transactions == (payment(),)
        assert full.receipts[0].sender == RESIDENT.address
        assert full.receipts[0].to == MERCHANT.address
        raw = await client.block(1, BlockView.RAW)
        assert raw.raw is not None
        assert decode_block(raw.raw.block).hash == header.hash
        assert raw.raw.commit != b""


@pytest.mark.trio
async def test_blocks_come_in_pages_in_either_order(node: SoloNode) -> None:
    """Pages continue where the last ended, keep the end fixed while the chain grows, and stop."""
    for _ in range(5):
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        assert [b.height async for b in client.blocks(1)] == [1, 2, 3, 4, 5]
        assert [b.height async for b in client.blocks(2, 4, descending=True)] == [4, 3, 2]
        request = block_service_pb2.ListBlocksRequest(page_size=2)
        first = await client._channel.unary(METHODS["ListBlocks"], request)
        assert [b.header.height for b in first.blocks] == [0, 1]
        node.commit_block()
        request.page_token = first.next_page_token
        request.page_size = 100
        rest = await client._channel.unary(METHODS["ListBlocks"], request)
        assert [b.header.height for b in rest.blocks] == [2, 3, 4, 5]
        assert rest.next_page_token == ""


@pytest.mark.trio
async def test_a_page_token_is_bound_to_its_request(node: SoloNode) -> None:
    """A token used with other conditions is refused rather than answered wrongly."""
    for _ in range(3):
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        first = await client._channel.unary(METHODS["ListBlocks"], block_service_pb2.ListBlocksRequest(page_size=1))
        other = block_service_pb2.ListBlocksRequest(page_size=1, page_token=first.next_page_token, descending=True)
        with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
            await client._channel.unary(METHODS["ListBlocks"], other)


@pytest.mark.trio
async def test_a_negative_page_size_is_an_error_a_large_one_is_capped(node: SoloNode) -> None:
    """AIP-158: negative is INVALID_ARGUMENT, too many gives as many as the node gives."""
    for _ in range(201):
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await client._channel.unary(METHODS["ListBlocks"], block_service_pb2.ListBlocksRequest(page_size=-1))
        assert caught.value.field_violations[0].field == "page_size"
        request = block_service_pb2.ListBlocksRequest(page_size=10_000)
        assert len((await client._channel.unary(METHODS["ListBlocks"], request)).blocks) == 200
        assert len([b async for b in client.blocks(0, view=BlockView.HEADER)]) == 202


@pytest.mark.trio
async def test_a_subscription_has_no_gap(node: SoloNode) -> None:
    """From a height in the past, through the tip, to blocks decided meanwhile, each once."""
    for _ in range(3):
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        async with client.subscribe_blocks(2) as blocks:
            seen = [(await anext(blocks)).height for _ in range(2)]
            node.commit_block()
            seen += [(await anext(blocks)).height]
            for _ in range(10):  # more at once than the node keeps for a subscriber
                node.commit_block()
            seen += [(await anext(blocks)).height for _ in range(10)]
        assert seen == list(range(2, 15))
        async with client.subscribe_blocks(15) as blocks:
            node.commit_block()
            assert (await anext(blocks)).height == 15


@pytest.mark.trio
async def test_a_subscription_without_a_height_begins_with_the_next_block(node: SoloNode) -> None:
    """What is decided already is not sent."""
    node.commit_block()
    async with running(node) as served, served.connect() as client, client.subscribe_blocks() as blocks:
        with trio.move_on_after(0.2) as scope:
            await anext(blocks)
        assert scope.cancelled_caught
        async with client.subscribe_blocks() as again:
            await trio.sleep(0.1)
            node.commit_block()
            assert (await anext(again)).height == 2


@pytest.mark.trio
async def test_streams_end_with_their_client(node: SoloNode) -> None:
    """A subscription that its client leaves gives its slot back."""
    async with running(node) as served, served.connect() as client:
        for _ in range(3):
            async with client.subscribe_blocks(0) as blocks:
                await anext(blocks)
        await eventually(lambda: served.server.calls_under_way == 0)


@pytest.mark.trio
async def test_genesis_has_no_commit(node: SoloNode) -> None:
    """GetCommit gives the signatures of a decided block; genesis was agreed on beforehand."""
    node.commit_block()
    async with running(node) as served, served.connect() as client:
        assert await client.commit(1) == await client.commit() == node.commit
        with pytest.raises(RpcError, match="BLOCK_NOT_FOUND"):
            await client.commit(0)


def test_pages_plan_one_call_each() -> None:
    """A plan of a page asks once; what it learns of the next token it uses in the following one."""
    pages = block_pages(0)
    plan = pages.next_page()
    assert next(plan).method.path == "/alatau.api.v1.BlockService/ListBlocks"
    with pytest.raises(StopIteration):
        plan.send(block_service_pb2.ListBlocksResponse(next_page_token="t"))
    assert not pages.done
    assert next(pages.next_page()).request.page_token == "t"


@pytest.mark.trio
async def test_a_block_subscription_stands_at_once_and_is_never_silent(node: SoloNode) -> None:
    """The first message has no block and says where the stream begins; without blocks, time brings others."""
    node.commit_block()
    request = block_service_pb2.SubscribeBlocksRequest()
    async with (
        running(node, limits=Limits(progress_s=0.05)) as served,
        served.connect() as client,
        client._channel.stream(METHODS["SubscribeBlocks"], request) as stream,
    ):
        for _ in range(3):
            message = await anext(stream)
            assert (message.height, message.HasField("block")) == (1, False)
        node.commit_block()
        while not message.HasField("block"):
            message = await anext(stream)
        assert (message.height, message.block.header.height) == (2, 2)


@pytest.mark.trio
async def test_the_headers_of_a_subscription_say_where_it_begins(node: SoloNode) -> None:
    """For clients that wait for headers before they read; a height that is there already, or the tip."""
    node.commit_block()
    node.commit_block()
    async with running(node) as served, served.connect() as client:
        requests = {
            "2": block_service_pb2.SubscribeBlocksRequest(),
            "0": block_service_pb2.SubscribeBlocksRequest(from_height=1),
        }
        for height, request in requests.items():
            async with client._channel.stream(METHODS["SubscribeBlocks"], request) as stream:
                with trio.fail_after(20):
                    assert (await stream.begun())["alatau-begins-after-height"] == height
