"""A small network of real peers on loopback: real keys, real TLS, real gRPC, one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import trio

from alatau.p2p.handshake import ChainId
from alatau.p2p.member import Member, member
from alatau.p2p.network import Network
from alatau.p2p.settings import Settings
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.credentials import IdentityHolder
from alatau.types.block import Block
from alatau.types.header import EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, EMPTY_ROOT, NONCE, ZERO_HASH, Header
from alatau.types.vote import Commit, CommitSignature

CHAIN = ChainId(7773, bytes([7]) * 32, bytes([9]) * 32)
QUICK = Settings(
    host="127.0.0.1",
    redial_s=0.02,
    redial_max_s=0.1,
    redial_refused_s=0.1,
    fallback_dial_s=0.3,
    gossip_interval_s=0.005,
    ban_s=0.3,
)


def header(height: int, parent: bytes) -> Header:
    """A header that is right in form."""
    return Header(
        parent, EMPTY_OMMERS_HASH, bytes(20), EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT, bytes(256), 0, height, 10**8, 0,
        1_700_000_000 + height, bytes(32), bytes(32), NONCE, 0, EMPTY_ROOT, 0, 0, ZERO_HASH, EMPTY_REQUESTS_HASH,
    )  # fmt: skip


@dataclass
class Blocks:
    """A committed chain in memory."""

    chain: list[tuple[Block, Commit]] = field(default_factory=list)

    def height(self) -> int:
        """Height of the tip."""
        return len(self.chain)

    def committed(self, height: int) -> tuple[Block, Commit] | None:
        """A block with its commit."""
        return self.chain[height - 1] if 1 <= height <= len(self.chain) else None

    @classmethod
    def of_height(cls, height: int) -> "Blocks":
        """A chain of so many empty blocks."""
        blocks, parent = cls(), ZERO_HASH
        for number in range(1, height + 1):
            block = Block(header(number, parent), (), None)
            parent = block.hash
            signature = CommitSignature(bytes(20), bytes(65))
            blocks.chain.append((block, Commit(number, 0, block.hash, (signature,))))
        return blocks


@dataclass
class Node:
    """A node's fixed part: its key, its name in the network, its chain."""

    identity: TlsIdentity
    address: bytes
    name: str
    blocks: Blocks = field(default_factory=Blocks)
    port: int = 0

    def member(self) -> Member:
        """How the others know it."""
        endpoint = f"127.0.0.1:{self.port}" if self.port else ""
        return member(self.identity.public_key, endpoint, validator=self.address, name=self.name)

    @asynccontextmanager
    async def running(
        self, members: list[Member], chain: ChainId = CHAIN, settings: Settings = QUICK
    ) -> AsyncIterator[Network]:
        """The node's network, up until the block is left; it keeps its port from one run to the next."""
        network = Network(
            identity=IdentityHolder(self.identity),
            chain=chain,
            blocks=self.blocks,
            members=members,
            settings=replace(settings, port=self.port),
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(network.run)
            self.port = network.port
            yield network
            nursery.cancel_scope.cancel()


def ministry(number: int) -> Node:
    """A validator's node."""
    name = f"ministry-{number}"
    return Node(issue_identity(new_key(), name), bytes([number]) * 20, name)
