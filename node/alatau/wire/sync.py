"""Committed blocks on their way to a node that catches up."""

from dataclasses import dataclass

from alatau.codec.rlp import RlpError
from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.types.block import Block, decode_block, encode_block
from alatau.types.transaction import TransactionError
from alatau.types.vote import Commit
from alatau.wire.consensus import read_commit, write_commit
from alatau.wire.errors import WireError


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


def read_committed(response: p2p_pb2.FetchBlocksResponse) -> tuple[Block, Commit]:
    """A block and the commit that is said to prove it. Checks form and that they name each other.

    Raises:
        WireError: unreadable, or the commit is for another block or height.
    """
    try:
        block = decode_block(response.block)
    except (RlpError, TransactionError) as error:
        raise WireError(f"block cannot be read: {error}") from error
    commit = read_commit(response.commit)
    if commit.block_hash != block.hash or commit.height != block.header.number:
        raise WireError(f"the commit is for another block than {block.header.number}")
    return block, commit
