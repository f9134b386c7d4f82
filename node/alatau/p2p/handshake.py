"""The first message each way: are we on the same chain?"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import trio

from alatau import __version__
from alatau.transport.errors import Code, RpcError
from alatau.types.block import Block
from alatau.types.vote import Commit
from alatau.wire.bounds import WireError
from alatau.wire.session import PROTOCOL_VERSION, Hello, read_session

LASTING_REFUSALS = frozenset(
    {"WRONG_CHAIN", "WRONG_GENESIS", "WRONG_GENESIS_FILE", "WRONG_PROTOCOL", "KEY_NOT_TRUSTED"}
)
"""Reasons that a retry in a moment does not change; somebody has to configure or upgrade a node."""


class BlockSource(Protocol):
    """The committed chain, as far as peers ask about it. Both answer at once."""

    def height(self) -> int:
        """Height of the last committed block."""
        ...

    def committed(self, height: int) -> tuple[Block, Commit] | None:
        """A committed block with its commit; None above the tip and for genesis."""
        ...


@dataclass(frozen=True, slots=True)
class ChainId:
    """Which chain a node is on."""

    chain_id: int
    genesis_hash: bytes
    """Of block 0."""
    genesis_file_hash: bytes
    """Of everything that the genesis file says."""


def own_hello(chain: ChainId, blocks: BlockSource) -> Hello:
    """What this node says first."""
    agent = f"alatau/{__version__}"
    return Hello(PROTOCOL_VERSION, chain.chain_id, chain.genesis_hash, blocks.height(), agent, chain.genesis_file_hash)


async def read_hello(messages: AsyncIterator[Any], chain: ChainId, timeout_s: float) -> Hello:
    """Wait for the peer's first message and check it.

    Raises:
        RpcError: HANDSHAKE_TIMEOUT, HANDSHAKE_EXPECTED, WRONG_PROTOCOL, WRONG_CHAIN, WRONG_GENESIS or
            WRONG_GENESIS_FILE, or what the peer refused with.
    """
    with trio.move_on_after(timeout_s):
        message = await anext(messages, None)
        if message is None:
            raise RpcError(Code.UNAVAILABLE, "the peer closed the stream before it said hello", reason="CLOSED")
        try:
            hello = read_session(message)
        except WireError as error:
            raise RpcError(Code.INVALID_ARGUMENT, str(error), reason=error.reason) from error
        if not isinstance(hello, Hello):
            raise RpcError(Code.INVALID_ARGUMENT, "the first message is a hello", reason="HANDSHAKE_EXPECTED")
        _check(hello, chain)
        return hello
    raise RpcError(Code.DEADLINE_EXCEEDED, f"no hello within {timeout_s} s", reason="HANDSHAKE_TIMEOUT")


def _check(hello: Hello, chain: ChainId) -> None:
    if hello.protocol_version != PROTOCOL_VERSION:
        raise _refusal("WRONG_PROTOCOL", "protocol version", PROTOCOL_VERSION, hello.protocol_version)
    if hello.chain_id != chain.chain_id:
        raise _refusal("WRONG_CHAIN", "chain id", chain.chain_id, hello.chain_id)
    if hello.genesis_hash != chain.genesis_hash:
        raise _refusal("WRONG_GENESIS", "genesis hash", chain.genesis_hash.hex(), hello.genesis_hash.hex())
    if hello.genesis_file_hash != chain.genesis_file_hash:
        # Nodes that agree on block 0 but not on the rules would ban each other at the first block that shows it.
        what = "block 0 is the same, but the genesis files differ (addresses of registries, intervals or limits): "
        what += "use the file that all agreed on; its hash"
        raise _refusal("WRONG_GENESIS_FILE", what, chain.genesis_file_hash.hex(), hello.genesis_file_hash.hex())


def _refusal(reason: str, what: str, ours: object, theirs: object) -> RpcError:
    return RpcError(
        Code.FAILED_PRECONDITION,
        f"{what} is {theirs}, expected {ours}",
        reason=reason,
        metadata={"expected": str(ours), "found": str(theirs)},
    )
