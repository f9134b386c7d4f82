"""Committed blocks on their way to a node that catches up."""

from collections.abc import Generator
from dataclasses import dataclass

from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.types.block import Block, encode_block
from alatau.types.vote import Commit
from alatau.wire.bounds import WireError
from alatau.wire.consensus import read_block, read_commit, write_commit


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Which blocks are asked for."""

    start: int
    count: int


def write_range(start: int, count: int) -> p2p_pb2.FetchBlocksRequest:
    """The request."""
    return p2p_pb2.FetchBlocksRequest(start=start, count=count)


def read_range(request: p2p_pb2.FetchBlocksRequest) -> BlockRange:
    """The request."""
    return BlockRange(request.start, request.count)


def write_committed(block: Block, commit: Commit) -> p2p_pb2.FetchBlocksResponse:
    """A block with the commit that proves it."""
    return p2p_pb2.FetchBlocksResponse(block=encode_block(block), commit=write_commit(commit))


def read_committed(response: p2p_pb2.FetchBlocksResponse) -> Generator[None, None, tuple[Block, Commit]]:
    """A block and the commit that is said to prove it, in steps. Checks form and that they name each other.

    Raises:
        WireError: unreadable, or the commit is for another block or height.
    """
    block = yield from read_block(response.block)
    commit = read_commit(response.commit)
    if commit.block_hash != block.hash or commit.height != block.header.number:
        raise WireError(f"the commit is for another block than {block.header.number}")
    return block, commit
