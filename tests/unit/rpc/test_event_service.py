"""EventService over TLS."""

import pytest
import trio

from alatau.client import Client, RpcError
from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import event_service_pb2
from alatau.rpc.limits import Limits
from alatau.wire.logs import EventFilter, write_filter
from tests.support.solo_node import MERCHANT, RESIDENT, STRANGER, TOKEN, SoloNode, payment, running, token_artifacts

BY_TOKEN = EventFilter((TOKEN,))


async def pay_tokens(node: SoloNode, client: Client, receivers: list[bytes], nonce: int) -> None:
    """A block in which the resident sends each receiver one token."""
    token = client.contract(token_artifacts()["abi"], TOKEN)
    for offset, receiver in enumerate(receivers):
        data = token.encode("transfer", receiver, 1)
        await client.submit(payment(nonce + offset, to=TOKEN, value=0, data=data, gas_limit=90_000))
    node.commit_block()


@pytest.mark.trio
async def test_logs_carry_their_place(node: SoloNode) -> None:
    """A log says in which block, transaction and position it is."""
    async with running(node) as served, served.connect() as client:
        await pay_tokens(node, client, [MERCHANT.address, STRANGER.address], 0)
        logs = [log async for log in client.logs(BY_TOKEN)]
        block = await client.block(1)
        assert [(log.height, log.transaction_index, log.log_index) for log in logs] == [(1, 0, 0), (1, 1, 1)]
        assert [log.transaction_hash for log in logs] == list(block.transaction_hashes)
        assert {log.block_hash for log in logs} == {block.hash}
        receipt = await client.receipt(block.transaction_hashes[1])
        assert receipt.logs == (logs[1],)


@pytest.mark.trio
async def test_conditions_on_address_topics_and_heights(node: SoloNode) -> None:
    """Every condition must hold; within one, any value may; a gap stands for any topic."""
    async with running(node) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        await pay_tokens(node, client, [MERCHANT.address, STRANGER.address], 0)
        await pay_tokens(node, client, [MERCHANT.address], 2)
        to_merchant = [event async for event in token.past_events("Transfer", receiver=MERCHANT.address)]
        assert [(event.log.height, event.values["amount"]) for event in to_merchant] == [(1, 1), (2, 1)]
        either = token.past_events("Transfer", receiver=[MERCHANT.address, STRANGER.address], sender=RESIDENT.address)
        assert len([event async for event in either]) == 3
        assert [e.log.height async for e in token.past_events("Transfer", 2)] == [2]
        assert [e async for e in token.past_events("Transfer", sender=MERCHANT.address)] == []
        assert [log async for log in client.logs(EventFilter((RESIDENT.address,)))] == []


@pytest.mark.trio
async def test_pages_of_logs_join_without_gap_or_repetition(node: SoloNode) -> None:
    """Also where a page ends inside a block, and where it is its size that ends it."""
    async with running(node, limits=Limits(page_bytes_max=600)) as served, served.connect() as client:
        await pay_tokens(node, client, [MERCHANT.address] * 5, 0)
        await pay_tokens(node, client, [MERCHANT.address] * 4, 5)
        request = event_service_pb2.ListLogsRequest(filter=write_filter(BY_TOKEN), page_size=4)
        places, pages = [], 0
        while True:
            response = await client._channel.unary(METHODS["ListLogs"], request)
            places += [(log.height, log.log_index) for log in response.logs]
            pages += 1
            assert response.ByteSize() < 900
            request.page_token = response.next_page_token
            if not request.page_token:
                break
        assert places == [(1, n) for n in range(5)] + [(2, n) for n in range(4)]
        assert pages >= 5


@pytest.mark.trio
async def test_a_log_subscription_resumes_at_its_cursor(node: SoloNode) -> None:
    """After a lost stream the cursor gives what came since, each log once, and goes on with new blocks."""
    async with running(node) as served, served.connect() as client:
        await pay_tokens(node, client, [MERCHANT.address], 0)
        await pay_tokens(node, client, [STRANGER.address], 1)
        async with client.subscribe_logs(BY_TOKEN, from_height=1) as messages:
            begun, first = await anext(messages), await anext(messages)
        assert (begun.height, begun.logs) == (0, ())
        assert (first.height, len(first.logs)) == (1, 1)
        await pay_tokens(node, client, [MERCHANT.address], 2)
        async with client.subscribe_logs(BY_TOKEN, cursor=first.cursor) as messages:
            assert [(await anext(messages)).height for _ in range(3)] == [1, 2, 3]
            await pay_tokens(node, client, [MERCHANT.address] * 2, 3)
            last = await anext(messages)
            assert (last.height, len(last.logs)) == (4, 2)


@pytest.mark.trio
async def test_a_subscription_says_at_once_where_it_begins(node: SoloNode) -> None:
    """On an idle chain too, so that "subscribe, then pay" works in one task."""
    for _ in range(3):
        node.commit_block()
    async with running(node) as served, served.connect() as client:
        for start, begins_after in ((None, 3), (2, 1), (0, 0), (5, 4)):
            async with client.subscribe_logs(BY_TOKEN, from_height=start) as messages:
                first = await anext(messages)
            assert (first.height, first.logs) == (begins_after, ())


@pytest.mark.trio
async def test_a_quiet_subscription_tells_its_progress_by_time(node: SoloNode) -> None:
    """Whatever the blocks do: many quiet ones move the cursor on, and none at all is said too."""
    for _ in range(70):
        node.commit_block()
    async with running(node, limits=Limits(progress_s=0.05)) as served, served.connect() as client:
        async with client.subscribe_logs(BY_TOKEN, from_height=1) as messages:
            heights = [(await anext(messages)).height]
            while heights[-1] < 70:
                progress = await anext(messages)
                assert progress.logs == ()
                heights.append(progress.height)
            again = await anext(messages)
        assert heights[0] == 0
        assert heights == sorted(heights)
        assert (again.height, again.logs) == (70, ())
        async with client.subscribe_logs(BY_TOKEN, cursor=again.cursor) as messages:
            assert (await anext(messages)).height == 70


@pytest.mark.trio
async def test_a_cursor_belongs_to_its_filter(node: SoloNode) -> None:
    """With another filter it would leave a gap; the same conditions in another order are the same."""
    both = EventFilter((TOKEN, MERCHANT.address))
    async with running(node) as served, served.connect() as client:
        async with client.subscribe_logs(both) as messages:
            cursor = (await anext(messages)).cursor
        async with client.subscribe_logs(EventFilter((MERCHANT.address, TOKEN)), cursor=cursor) as messages:
            await anext(messages)
        with pytest.raises(RpcError, match="INVALID_CURSOR"):
            async with client.subscribe_logs(BY_TOKEN, cursor=cursor) as messages:
                await anext(messages)


@pytest.mark.trio
async def test_what_cannot_be_answered_yet_or_ever_is_an_error(node: SoloNode) -> None:
    """Ranges beyond the tip, or reversed, and subscriptions far ahead: never an empty answer that looks complete."""
    node.commit_block()
    async with running(node) as served, served.connect() as client:
        assert [log async for log in client.logs(BY_TOKEN, 2)] == []  # the next block: nothing yet, and no error
        for first, last, reason in (
            (3, None, "HEIGHT_NOT_REACHED"),
            (0, 2, "HEIGHT_NOT_REACHED"),
            (1, 0, "is 0, below"),
        ):
            with pytest.raises(RpcError, match=reason):
                await anext(client.logs(BY_TOKEN, first, last))
            with pytest.raises(RpcError, match=reason):
                await anext(client.blocks(first, last))
        for far in (1_002, 2**63):
            with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED") as caught:
                async with client.subscribe_logs(BY_TOKEN, from_height=far) as messages:
                    await anext(messages)
            assert caught.value.metadata["height"] == "1"
            with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED"):
                async with client.subscribe_blocks(far) as blocks:
                    await anext(blocks)


@pytest.mark.trio
async def test_a_filter_is_checked(node: SoloNode) -> None:
    """Violations name the value that is wrong."""
    wanted = EventFilter((b"\x01",), ((), (b"\x02" * 31,), (), (), ()))
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await anext(client.logs(wanted))
        assert [v.field for v in caught.value.field_violations] == [
            "filter.topics",
            "filter.addresses[0]",
            "filter.topics[1].any_of[0]",
        ]


@pytest.mark.trio
async def test_the_headers_of_a_subscription_say_where_it_begins(node: SoloNode) -> None:
    """For clients that wait for headers before they read; a height that is there already, or the tip."""
    node.commit_block()
    node.commit_block()
    async with running(node) as served, served.connect() as client:
        requests = {
            "2": event_service_pb2.SubscribeLogsRequest(),
            "0": event_service_pb2.SubscribeLogsRequest(from_height=1),
        }
        for height, request in requests.items():
            async with client._channel.stream(METHODS["SubscribeLogs"], request) as stream:
                with trio.fail_after(20):
                    assert (await stream.begun())["alatau-begins-after-height"] == height


@pytest.mark.trio
async def test_the_logs_of_a_block_come_in_as_many_messages_as_they_need(node: SoloNode) -> None:
    """None is larger than a message; a cursor between two of them goes on inside the block, each log once."""
    async with running(node, limits=Limits(page_bytes_max=600)) as served, served.connect() as client:
        await pay_tokens(node, client, [MERCHANT.address] * 7, 0)
        messages = []
        async with client.subscribe_logs(BY_TOKEN, from_height=1) as stream:
            while not messages or messages[-1].height < 1:
                messages.append(await anext(stream))
        assert len(messages) >= 4
        assert [message.height for message in messages[:-1]] == [0] * (len(messages) - 1)
        seen = [log.log_index for message in messages for log in message.logs]
        assert seen == list(range(7))
        for cut in range(len(messages)):
            rest = [log.log_index for message in messages[cut + 1 :] for log in message.logs]
            resumed: list[int] = []
            async with client.subscribe_logs(BY_TOKEN, cursor=messages[cut].cursor) as stream:
                begun = await anext(stream)
                assert begun.logs == ()
                while len(resumed) < len(rest):
                    resumed += [log.log_index for log in (await anext(stream)).logs]
            assert resumed == rest
            async with client.subscribe_logs(BY_TOKEN, cursor=begun.cursor) as stream:
                await anext(stream)
                if rest:
                    assert (await anext(stream)).logs[0].log_index == rest[0]
