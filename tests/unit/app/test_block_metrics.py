from types import SimpleNamespace
from typing import cast

from alatau.app.block_metrics import BlockMetrics
from alatau.app.metrics import Metrics
from alatau.chain.executed import ExecutedBlock
from alatau.rpc.node import Node
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit, CommitSignature
from tests.support.scrape import samples

SET = validator_set(Validator(bytes([n]) * 20, 1, bytes([n]) * 32, "h:1", f"M{n}") for n in (1, 2, 3, 4))
NODE = cast("Node", SimpleNamespace(validators=lambda height: SET if height >= 1 else None))


def _block(number: int, builder: int, signers: tuple[int, ...], sizes: tuple[int, ...] = ()) -> ExecutedBlock:
    signatures = tuple(CommitSignature(bytes([n]) * 20, bytes(65)) for n in signers)
    block = SimpleNamespace(
        header=SimpleNamespace(number=number, beneficiary=bytes([builder]) * 20),
        transactions=[SimpleNamespace(encoded=bytes(size)) for size in sizes],
        last_commit=Commit(number - 1, 0, bytes(32), signatures) if number > 1 else None,
    )
    return cast("ExecutedBlock", SimpleNamespace(block=block))


def test_blocks_are_counted_by_pace_payload_and_builder() -> None:
    """The first block has no interval: nobody knows when the one before it came."""
    metrics = Metrics()
    counted = BlockMetrics(metrics)
    counted.count(NODE, _block(1, 2, ()), 10.0)
    counted.count(NODE, _block(2, 3, (1, 2, 3, 4), (100, 50)), 10.25)
    counted.count(NODE, _block(3, 3, (1, 2, 3), (7,)), 10.45)
    found = samples(metrics)
    assert found["consensus_block_interval_seconds_count", ()] == 2
    assert found["consensus_block_interval_seconds_bucket", (("le", "0.2"),)] == 1
    assert found["consensus_txs_total", ()] == 3
    assert found["consensus_block_bytes_total", ()] == 157
    assert found["consensus_blocks_built_total", (("validator", "M3"),)] == 2


def test_those_who_decided_the_parent_are_not_looked_up_again() -> None:
    """They are of the past by then, and a node would read them from the parent's state; only after a gap it must."""
    asked: list[int] = []

    class Asked:
        def validators(self, height: int) -> ValidatorSet | None:
            asked.append(height)
            return NODE.validators(height)

    counted = BlockMetrics(Metrics())
    for number in (2, 3, 4, 8, 9):
        counted.count(cast("Node", Asked()), _block(number, 1, (1, 2, 3)), float(number))
    assert asked == [2, 1, 3, 4, 8, 7, 9]


def test_a_validator_that_is_always_missing_stands_out() -> None:
    """One precommit too few in a commit says little; the same one in all of them says that it is down."""
    metrics = Metrics()
    counted = BlockMetrics(metrics)
    for number in range(2, 10):
        counted.count(NODE, _block(number, 1, (1, 2, 3)), float(number))
    found = samples(metrics)
    assert found["consensus_absent_commits_total", (("validator", "M4"),)] == 8
    assert ("consensus_absent_commits_total", (("validator", "M1"),)) not in found
