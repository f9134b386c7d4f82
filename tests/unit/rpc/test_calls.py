"""In which block's environment calls run."""

import pytest

from alatau.client import RpcError
from alatau.client.queries import CallMessage
from tests.support.solo_node import SoloNode, running

# TIMESTAMP, NUMBER, PREVRANDAO and BLOCKHASH(NUMBER - 1), returned as four words.
TELLS = CallMessage(None, bytes.fromhex("425f524360205244604052600143034060605260805ff3"))


def refused_before(time: int) -> CallMessage:
    """A call that reverts in a block with an earlier timestamp: what a decision does that is not ripe."""
    # PUSH8 time, TIMESTAMP, LT, PUSH1 17, JUMPI, PUSH0, PUSH0, RETURN; JUMPDEST, PUSH0, PUSH0, REVERT
    return CallMessage(None, bytes.fromhex("67") + time.to_bytes(8, "big") + bytes.fromhex("42106011575f5ff35b5f5ffd"))


def words(output: bytes) -> list[int]:
    """An output as words."""
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]


@pytest.mark.trio
async def test_a_call_without_a_height_runs_as_in_the_next_block(node: SoloNode) -> None:
    """Time, number, randomness and the parent's hash are those that the block then has."""
    node.commit_block()
    async with running(node) as served, served.connect() as client:
        outcome = await client.call(TELLS)
        traced = await client.trace_call(TELLS)
        tip_hash = node.store.tip_hash
        header = node.commit_block().block.header
        expected = [header.timestamp, header.number, int.from_bytes(header.mix_hash), int.from_bytes(tip_hash)]
        assert words(outcome.output) == words(traced.calls[0].output) == expected
        assert outcome.height == header.number - 1


@pytest.mark.trio
async def test_a_call_at_a_height_runs_in_that_block(node: SoloNode) -> None:
    """Today's answer about the past is yesterday's, the tip being no exception."""
    headers = [node.commit_block().block.header for _ in range(3)]
    async with running(node) as served, served.connect() as client:
        for header in headers:
            outcome = await client.call(TELLS, header.number)
            assert words(outcome.output)[:2] == [header.timestamp, header.number]
            assert outcome.height == header.number


@pytest.mark.trio
async def test_what_is_due_now_is_not_refused_on_an_idle_chain(node: SoloNode) -> None:
    """By call, estimate and trace alike; what is due one second after the next block still is."""
    node.commit_block()
    due = node.next_block_time()
    async with running(node) as served, served.connect() as client:
        await client.call(refused_before(due))
        assert await client.estimate_gas(refused_before(due)) > 0
        assert (await client.trace_call(refused_before(due))).calls[0].error is None
        for refused in (client.call, client.estimate_gas):
            with pytest.raises(RpcError, match="EXECUTION_REVERTED"):
                await refused(refused_before(due + 1))
        with pytest.raises(RpcError, match="EXECUTION_REVERTED"):
            await client.estimate_gas(refused_before(due), node.store.tip.number)
