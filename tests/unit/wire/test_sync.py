"""Committed blocks on the wire."""

from dataclasses import replace

import pytest

from alatau.types.block import last
from alatau.wire.bounds import WireError
from alatau.wire.sync import BlockRange, read_committed, read_range, write_committed, write_range
from tests.support.ministries import Blocks

BLOCK, COMMIT = Blocks.of_height(2).chain[1]


def test_what_is_written_is_read() -> None:
    """A block with its commit, and the question for it."""
    assert last(read_committed(write_committed(BLOCK, COMMIT))) == (BLOCK, COMMIT)
    assert read_range(write_range(5, 64)) == BlockRange(5, 64)


@pytest.mark.parametrize(
    "commit", [replace(COMMIT, height=1), replace(COMMIT, block_hash=bytes(32))], ids=["height", "hash"]
)
def test_a_commit_for_another_block_is_refused(commit: object) -> None:
    """They are said to belong together."""
    with pytest.raises(WireError, match="another block"):
        last(read_committed(write_committed(BLOCK, commit)))  # type: ignore[arg-type]


def test_a_block_that_cannot_be_read_is_refused() -> None:
    """The peer's fault."""
    response = write_committed(BLOCK, COMMIT)
    response.block = response.block[:-1]
    with pytest.raises(WireError, match="cannot be read"):
        last(read_committed(response))
