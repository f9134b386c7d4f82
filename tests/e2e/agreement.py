"""What every test of a network ends with: all nodes tell the same story."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from alatau.wire.block import BlockRecord
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.watch import client_of, height_of, wait_for_height
from tests.e2e.background_load import Acknowledged

_Story: TypeAlias = tuple[bytes, bytes, tuple[bytes, ...]]

RECOVERY_S = 20.0
"""A node that comes back has caught up within this (CONTRIBUTING.md, tests)."""


RECOVERIES = Path(__file__).parents[2] / "build" / "e2e" / "recoveries.jsonl"
"""How long each recovery took: a line for each, with its test."""


def assert_recovery(nodes: Iterable[DevnetNode], height: int) -> None:
    """Whoever was away, or cut off, reaches a height within the bound. Notes how long it took."""
    began = time.monotonic()
    wait_for_height(nodes, height, RECOVERY_S)
    test = os.environ["PYTEST_CURRENT_TEST"].removesuffix(" (call)")
    RECOVERIES.parent.mkdir(parents=True, exist_ok=True)
    with RECOVERIES.open("a") as lines:
        lines.write(json.dumps({"test": test, "seconds": round(time.monotonic() - began, 2)}) + "\n")


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
