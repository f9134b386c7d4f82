"""EventService: logs in pages, and as they come."""

from collections.abc import Awaitable, Callable, Hashable
from functools import partial

import trio

from alatau.pb.api.v1 import event_service_pb2, log_pb2
from alatau.rpc.access import caller_of
from alatau.rpc.committed_state import check_range, check_start
from alatau.rpc.feed import Feed, begin_after
from alatau.rpc.final_block import event_logs, tip_height
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.paging import Tokens, filter_identity, request_identity
from alatau.rpc.requests import FILTER_VALUES_MAX, TOPICS_MAX, Checks, page_size
from alatau.rpc.slots import FairSlots
from alatau.rpc.state_worker import Piece, StateWorker
from alatau.rpc.stored_block import log_messages, stored_logs
from alatau.storage.log_index import LogCursor, LogQuery, matches
from alatau.transport.call import Call
from alatau.transport.service import announces
from alatau.types.receipt import bloom_bits
from alatau.wire.logs import write_log

_pb = event_service_pb2

_PAGE_DEFAULT = 100
_PAGE_MAX = 1_000
_HEIGHT_MAX = 2**63


class EventApi:
    """Serves ``alatau.api.v1.EventService``."""

    def __init__(
        self, node: Node, feed: Feed, streams: FairSlots, worker: StateWorker, tokens: Tokens, limits: Limits
    ) -> None:
        self._node = node
        self._worker = worker
        self._feed = feed
        self._streams = streams
        self._tokens = tokens
        self._limits = limits

    async def list_logs(self, request: _pb.ListLogsRequest, call: Call) -> _pb.ListLogsResponse:
        """A page of logs. The end of the range is fixed by the first page, so that pages fit together."""
        checks = Checks()
        size = page_size(checks, request.page_size, _PAGE_DEFAULT, _PAGE_MAX)
        addresses, topics = _conditions(checks, request.filter)
        if request.HasField("to_height"):
            checks.ordered("to_height", request.from_height, request.to_height)
        checks.finish()
        caller, identity, tip = caller_of(call), request_identity(request), tip_height(self._node.store)
        cursor: LogCursor | None = None
        last = request.to_height if request.HasField("to_height") else tip
        if not request.page_token:
            check_range(request.from_height, last, tip)
        else:
            height, log_index, last = self._tokens.redeem(request.page_token, identity, 3)
            cursor = LogCursor(height, log_index)
        query = LogQuery(request.from_height, last, addresses, topics, size)
        messages, following = await self._worker.run(
            Piece(caller, ("ListLogs", caller)), partial(self._page, query, cursor)
        )
        token = "" if following is None else self._tokens.issue(identity, (following.height, following.log_index, last))
        return _pb.ListLogsResponse(logs=messages, next_page_token=token)

    def _page(self, query: LogQuery, cursor: LogCursor | None) -> tuple[list[log_pb2.Log], LogCursor | None]:
        """In the thread: messages of the logs that fit into a page, and where the next one begins."""
        store = self._node.store
        page = store.logs(query, cursor)
        messages = log_messages(store, page.logs)
        room = self._limits.page_bytes_max
        for index, message in enumerate(messages):
            room -= message.ByteSize()
            if room < 0 and index:
                cut = page.logs[index]
                return messages[:index], LogCursor(cut.height, cut.log_index)
        return messages, page.next

    @announces
    async def subscribe_logs(
        self,
        request: _pb.SubscribeLogsRequest,
        call: Call,
        send: Callable[[_pb.SubscribeLogsResponse], Awaitable[None]],
    ) -> None:
        """Logs block by block, without a gap, until the client ends the stream."""
        checks = Checks()
        addresses, topics = _conditions(checks, request.filter)
        checks.finish()
        identity = filter_identity(addresses, topics)
        first_log = 0
        match request.WhichOneof("start"):
            case "from_height":
                height = request.from_height
            case "cursor":
                height, first_log = self._tokens.redeem_cursor(request.cursor, identity)
            case _:
                height = tip_height(self._node.store) + 1
        check_start(self._node.store, height)
        query = LogQuery(0, _HEIGHT_MAX, addresses, topics)
        with self._streams.take(caller_of(call)):
            begin_after(call, height - 1)
            await self._follow(caller_of(call), query, identity, LogCursor(height, first_log), send)

    async def _follow(
        self,
        caller: Hashable,
        query: LogQuery,
        identity: bytes,
        start: LogCursor,
        send: Callable[[_pb.SubscribeLogsResponse], Awaitable[None]],
    ) -> None:
        """Say where the stream begins, then what matches, and every few seconds how far the stream is complete."""
        height = start.height

        async def say(logs: list[log_pb2.Log]) -> float:
            """All of a block's logs, in as many messages as they need; before the last the block is not complete."""
            *parts, last = self._parts(logs)
            for part, following in zip(parts, [*parts, last][1:], strict=True):
                cursor = self._tokens.issue_cursor(identity, height - 1, following[0].log_index)
                await send(_pb.SubscribeLogsResponse(logs=part, height=max(height - 2, 0), cursor=cursor))
            cursor = self._tokens.issue_cursor(identity, height, start.log_index if height == start.height else 0)
            await send(_pb.SubscribeLogsResponse(logs=last, height=max(height - 1, 0), cursor=cursor))
            return trio.current_time() + self._limits.progress_s

        silent_until = await say([])
        while True:
            with trio.move_on_at(silent_until):
                await self._feed.wait_above(height - 1)
            logs: list[log_pb2.Log] = []
            if self._feed.height >= height:
                logs = await self._matching(caller, query, height)
                if height == start.height:
                    logs = [log for log in logs if log.log_index >= start.log_index]
                height += 1
            if logs or trio.current_time() >= silent_until:
                silent_until = await say(logs)
            else:
                await trio.lowlevel.checkpoint()  # many quiet blocks from the store must not hold up the others

    def _parts(self, logs: list[log_pb2.Log]) -> list[list[log_pb2.Log]]:
        """Cut into what a message holds; at least one part, which may be empty."""
        parts: list[list[log_pb2.Log]] = [[]]
        room = self._limits.page_bytes_max
        for log in logs:
            size = log.ByteSize()
            if size > room and parts[-1]:
                parts.append([])
                room = self._limits.page_bytes_max
            parts[-1].append(log)
            room -= size
        return parts

    async def _matching(self, caller: Hashable, query: LogQuery, height: int) -> list[log_pb2.Log]:
        header = self._node.store.header(height)
        if header is None or not may_match(query, header.logs_bloom):
            return []
        final = self._feed.recent(height)
        if final is None:
            return await self._feed.read(caller, stored_logs, height, query)
        return [write_log(placed) for log, placed in event_logs(final) if matches(log, query)]


def _conditions(checks: Checks, wanted: log_pb2.LogFilter) -> tuple[tuple[bytes, ...], tuple[tuple[bytes, ...], ...]]:
    """The conditions of a filter on addresses and topics."""
    checks.count("filter.addresses", wanted.addresses, 0, FILTER_VALUES_MAX)
    checks.count("filter.topics", wanted.topics, 0, TOPICS_MAX)
    addresses = tuple(
        checks.address(f"filter.addresses[{i}]", value) for i, value in enumerate(wanted.addresses[:FILTER_VALUES_MAX])
    )
    topics = tuple(
        checks.hashes(f"filter.topics[{i}].any_of", position.any_of, 0, FILTER_VALUES_MAX)
        for i, position in enumerate(wanted.topics[:TOPICS_MAX])
    )
    return addresses, topics


def may_match(query: LogQuery, bloom: bytes) -> bool:
    """Whether a block with this filter can hold a log that meets the conditions."""
    bits = int.from_bytes(bloom, "big")
    conditions = [values for values in (query.addresses, *query.topics) if values]
    return all(any(bits & mask == mask for mask in map(bloom_bits, values)) for values in conditions)
