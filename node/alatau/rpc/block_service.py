"""BlockService: decided blocks, their commits, and new ones as they come."""

from collections.abc import Awaitable, Callable

import trio

from alatau.codec import rlp
from alatau.pb.api.v1 import block_pb2, block_service_pb2
from alatau.rpc.access import caller_of
from alatau.rpc.committed_state import check_range, check_start
from alatau.rpc.failures import failure
from alatau.rpc.feed import Feed, begin_after
from alatau.rpc.final_block import block_message, height_not_reached, tip_height
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.paging import Tokens, request_identity
from alatau.rpc.requests import Checks, page_size
from alatau.rpc.slots import FairSlots
from alatau.rpc.stored_block import stored_message
from alatau.transport.call import Call
from alatau.transport.service import announces
from alatau.types.vote import commit_item
from alatau.wire.block import BlockView, write_commit

_pb = block_service_pb2

_PAGE_DEFAULT = 50
_PAGE_MAX = 200


class BlockApi:
    """Serves ``alatau.api.v1.BlockService``."""

    def __init__(self, node: Node, feed: Feed, streams: FairSlots, tokens: Tokens, limits: Limits) -> None:
        self._node = node
        self._feed = feed
        self._streams = streams
        self._tokens = tokens
        self._limits = limits

    async def get_block(self, request: _pb.GetBlockRequest, call: Call) -> _pb.GetBlockResponse:
        """One block, by height, by hash, or the tip."""
        checks = Checks()
        view = _view(checks, request.view)
        by_hash = request.WhichOneof("id") == "hash"
        if by_hash:
            checks.hash("hash", request.hash)
        checks.finish()
        if by_hash:
            height = self._node.store.height_of(request.hash)
            if height is None:
                raise failure("BLOCK_NOT_FOUND", f"no decided block has the hash 0x{request.hash.hex()}")
        else:
            height = request.height if request.WhichOneof("id") == "height" else tip_height(self._node.store)
        return _pb.GetBlockResponse(block=await self._message(call, height, view))

    async def list_blocks(self, request: _pb.ListBlocksRequest, call: Call) -> _pb.ListBlocksResponse:
        """A page of blocks. The end of the range is fixed by the first page, so that pages fit together."""
        checks = Checks()
        view = _view(checks, request.view)
        size = page_size(checks, request.page_size, _PAGE_DEFAULT, _PAGE_MAX)
        if request.HasField("to_height"):
            checks.ordered("to_height", request.from_height, request.to_height)
        checks.finish()
        identity = request_identity(request)
        tip = tip_height(self._node.store)
        if request.page_token:
            height, last = self._tokens.redeem(request.page_token, identity, 2)
        else:
            last = request.to_height if request.HasField("to_height") else tip
            check_range(request.from_height, last, tip)
            height = last if request.descending else request.from_height
        step = -1 if request.descending else 1
        blocks: list[block_pb2.Block] = []
        room = self._limits.page_bytes_max
        while request.from_height <= height <= last and len(blocks) < size:
            message = await self._message(call, height, view)
            room -= message.ByteSize()
            if room < 0 and blocks:
                break
            blocks.append(message)
            height += step
        more = request.from_height <= height <= last
        return _pb.ListBlocksResponse(
            blocks=blocks, next_page_token=self._tokens.issue(identity, (height, last)) if more else ""
        )

    async def get_commit(self, request: _pb.GetCommitRequest, _call: Call) -> _pb.GetCommitResponse:
        """The commit that decided a height."""
        tip = tip_height(self._node.store)
        height = request.height if request.HasField("height") else tip
        if height > tip:
            raise height_not_reached(height, tip)
        commit = self._node.store.commit_of(height)
        if commit is None:
            raise failure("BLOCK_NOT_FOUND", "genesis is agreed on beforehand and has no commit")
        return _pb.GetCommitResponse(commit=write_commit(commit, rlp.encode(commit_item(commit))))

    @announces
    async def subscribe_blocks(
        self,
        request: _pb.SubscribeBlocksRequest,
        call: Call,
        send: Callable[[_pb.SubscribeBlocksResponse], Awaitable[None]],
    ) -> None:
        """Blocks from a height on, without a gap, until the client ends the stream."""
        checks = Checks()
        view = _view(checks, request.view)
        checks.finish()
        height = request.from_height if request.HasField("from_height") else tip_height(self._node.store) + 1
        check_start(self._node.store, height)
        with self._streams.take(caller_of(call)):
            begin_after(call, height - 1)
            await send(_pb.SubscribeBlocksResponse(height=max(height - 1, 0)))
            while True:
                with trio.move_on_after(self._limits.progress_s):
                    await self._feed.wait_above(height - 1)
                if self._feed.height < height:
                    await send(_pb.SubscribeBlocksResponse(height=max(height - 1, 0)))
                    continue
                await send(_pb.SubscribeBlocksResponse(block=await self._message(call, height, view), height=height))
                height += 1

    async def _message(self, call: Call, height: int, view: BlockView) -> block_pb2.Block:
        final = self._feed.recent(height)
        if final is not None:
            return await block_message(final, view, self._node.store)
        return await self._feed.read(caller_of(call), stored_message, height, view)


def _view(checks: Checks, requested: int) -> BlockView:
    """The view asked for; none is HASHES."""
    if requested == block_pb2.BLOCK_VIEW_UNSPECIFIED:
        return BlockView.HASHES
    try:
        return BlockView(requested)
    except ValueError:
        checks.add("view", f"is {requested}, no view that this node knows")
        return BlockView.HASHES
