"""Whether a first proposal came in time; the other checks are in ``tests/simulation/test_survival.py``."""

from dataclasses import replace

import pytest

from alatau.consensus.message_checks import is_timely
from alatau.types.block import Block
from tests.support.table import NOW_MS, PARAMETERS, Table

TABLE = Table()
DRIFT = PARAMETERS.clock_drift_ms_max
PARENT = NOW_MS // 1_000 - 60


@pytest.mark.parametrize(
    ("offset", "timely"), [(0, True), (DRIFT, True), (-DRIFT, True), (DRIFT + 1, False), (-DRIFT - 1, False)]
)
def test_a_proposal_is_near_our_clock(offset: int, *, timely: bool) -> None:
    """To either side: a proposer may neither hurry time nor hold it."""
    message = TABLE.proposal(4, "A", 0, timestamp_ms=NOW_MS)
    assert is_timely(message, PARENT, NOW_MS + offset, PARAMETERS) is timely


@pytest.mark.parametrize(("seconds", "timely"), [(0, True), (-1, True), (-2, False), (1, False)])
def test_the_header_is_near_the_proposal(seconds: int, *, timely: bool) -> None:
    """The header's time is what contracts read: it is not above the proposal's, nor long before."""
    message = TABLE.proposal(4, "A", 0)
    header = replace(message.block.header, timestamp=NOW_MS // 1_000 + seconds)
    assert is_timely(replace(message, block=Block(header, (), None)), PARENT, NOW_MS, PARAMETERS) is timely


def test_a_block_proposed_again_is_timely_by_its_polka() -> None:
    """It was near a quorum's clocks when it was new."""
    assert is_timely(TABLE.proposal(3, "A", 1, 0), PARENT, NOW_MS + 10**9, PARAMETERS)


def test_clocks_that_were_set_back_do_not_stop_the_network() -> None:
    """The parent is an hour ahead of every clock: its children repeat its second until time has caught up."""
    message = TABLE.proposal(4, "A", 0)
    header = replace(message.block.header, timestamp=NOW_MS // 1_000 + 3_600)
    message = replace(message, block=Block(header, (), None))
    assert is_timely(message, header.timestamp, NOW_MS, PARAMETERS)
    assert not is_timely(message, header.timestamp - 1, NOW_MS, PARAMETERS)
