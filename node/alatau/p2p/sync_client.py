"""Fetching committed blocks from one peer."""

from typing import Any

import trio

from alatau.p2p.counters import Counters
from alatau.p2p.methods import FETCH_BLOCKS
from alatau.p2p.settings import Settings
from alatau.p2p.table import PeerTable
from alatau.transport.channel import Channel, Stream, open_channel
from alatau.transport.credentials import IdentityHolder, dial_node
from alatau.transport.errors import Code, MalformedMessageError, RpcError
from alatau.transport.limits import Limits
from alatau.transport.slices import in_slices
from alatau.types.block import Block
from alatau.types.vote import Commit
from alatau.wire.bounds import WireError
from alatau.wire.sync import read_committed, write_range


async def fetch_blocks(
    table: PeerTable,
    identity: IdentityHolder,
    limits: Limits,
    settings: Settings,
    counters: Counters,
    peer_id: bytes,
    start: int,
    count: int,
) -> list[tuple[Block, Commit]]:
    """Ask one peer for blocks; see ``Network.fetch_from``."""
    count = min(count, settings.sync_blocks_max)
    session = table.sessions.get(peer_id)
    member = table.member(peer_id)
    try:
        if session is not None and session.channel is not None:
            return await _fetch(session.channel, settings, counters, start, count)
        table.check_ban(peer_id)
        public_key = None if member is None else table.public_key(member)
        if member is None or public_key is None or not member.endpoint:
            raise RpcError(Code.UNAVAILABLE, "this peer cannot be dialled", reason="NO_ENDPOINT")
        tls = dial_node(public_key, identity.current)
        async with open_channel(member.endpoint, tls, limits) as channel:
            return await _fetch(channel, settings, counters, start, count)
    except (MalformedMessageError, WireError) as error:
        table.ban(peer_id, error.reason)
        raise


async def _fetch(
    channel: Channel, settings: Settings, counters: Counters, start: int, count: int
) -> list[tuple[Block, Commit]]:
    blocks: list[tuple[Block, Commit]] = []
    async with channel.stream(FETCH_BLOCKS, write_range(start, count), timeout_s=settings.sync_timeout_s) as stream:
        while (response := await _next(stream, settings.sync_stall_s)) is not None:
            if len(blocks) >= count:
                raise WireError("more blocks than asked for", "SYNC_EXCESS")
            block, commit = await in_slices(read_committed(response))
            if block.header.number != start + len(blocks):
                raise WireError(f"block {block.header.number} where {start + len(blocks)} is next", "SYNC_OUT_OF_ORDER")
            blocks.append((block, commit))
            counters.blocks_fetched += 1
    return blocks


async def _next(stream: Stream, stall_s: float) -> Any:
    with trio.move_on_after(stall_s):
        return await anext(stream, None)
    raise RpcError(Code.DEADLINE_EXCEEDED, f"no block for {stall_s} s", reason="SYNC_STALLED")
