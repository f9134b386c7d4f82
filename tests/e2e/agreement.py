"""What every test of a network ends with: all nodes tell the same story."""

from alatau.wire.block import BlockRecord
from alatau_devnet.network import Devnet
from alatau_devnet.watch import block_of, client_of, height_of, wait_for_height
from tests.e2e.background_load import Acknowledged

RECOVERY_S = 20.0
"""A node that comes back has caught up within this (CONTRIBUTING.md, tests)."""


def assert_agreement(network: Devnet) -> int:
    """Wait until all nodes are at one height, and compare every block from genesis; gives the height."""
    height = max(height_of(node) for node in network.nodes)
    wait_for_height(network.nodes, height, RECOVERY_S)
    stories = [[_story(block_of(node, h)) for h in range(height + 1)] for node in network.nodes]
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


def _story(block: BlockRecord) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    return block.hash, block.header.state_root, block.transaction_hashes
