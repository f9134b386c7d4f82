"""What every test of a network ends with: all nodes tell the same story."""

from typing import TypeAlias

from alatau.wire.block import BlockRecord
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.watch import client_of, height_of, wait_for_height
from tests.e2e.background_load import Acknowledged

_Story: TypeAlias = tuple[bytes, bytes, tuple[bytes, ...]]

RECOVERY_S = 20.0
"""A node that comes back has caught up within this (CONTRIBUTING.md, tests)."""


def assert_agreement(network: Devnet) -> int:
    """Wait until all nodes are at one height, and compare every block from genesis; gives the height."""
    height = max(height_of(node) for node in network.nodes)
    wait_for_height(network.nodes, height, RECOVERY_S)
    stories = [_stories(node, height) for node in network.nodes]
    assert len(stories[0]) == height + 1
    for node, story in zip(network.nodes, stories, strict=True):
        assert story == stories[0], f"{node.name} tells another story"
    return height


def assert_kept(network: Devnet, done: Acknowledged) -> None:
    """Everything that was acknowledged as final is final on every node, at the same height."""
    assert done.receipts, "the load got nothing through, so the test shows nothing"
    for node in network.nodes:
        with client_of(node) as client:
            for transaction_hash, height in done.receipts.items():
                assert client.receipt(transaction_hash).position.height == height


def _stories(node: DevnetNode, height: int) -> list[_Story]:
    with client_of(node) as client:
        return [_story(block) for block in client.blocks(0, height)]


def _story(block: BlockRecord) -> _Story:
    return block.hash, block.header.state_root, block.transaction_hashes
