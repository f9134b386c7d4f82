"""What a message must be; more of it is in ``tests/simulation/test_survival.py``."""

from dataclasses import replace

import pytest

from alatau.consensus.errors import MalformedMessageError, StrangerError
from alatau.consensus.message_checks import ROUND_MAX, check_body, check_proposal, check_vote, is_timely
from alatau.trie.ordered import ordered_root
from alatau.types.block import Block, block_size
from alatau.types.vote import VoteKind
from tests.simulation.chain import payment
from tests.support.table import CONFIG, NOW_MS, PARAMETERS, Table

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


@pytest.mark.parametrize(("beyond_ms", "timely"), [(0, True), (1, False)])
def test_a_header_is_at_most_the_drift_and_its_own_second_old(beyond_ms: int, *, timely: bool) -> None:
    """A header has no parts of a second."""
    message = TABLE.proposal(4, "A", 0, timestamp_ms=NOW_MS + DRIFT + 1_000 + beyond_ms)
    assert is_timely(message, PARENT, NOW_MS + DRIFT + 1_000, PARAMETERS) is timely


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


# ---------------------------------------------------------------- votes and proposals


@pytest.mark.parametrize(("round_", "exists"), [(-1, False), (0, True), (ROUND_MAX, True), (ROUND_MAX + 1, False)])
def test_rounds_are_those_that_a_signature_can_cover(round_: int, *, exists: bool) -> None:
    """A proposal signs its valid round as an int32, so no vote or proposal is of a later one."""
    assert ROUND_MAX == 2**31 - 1
    vote = replace(TABLE.vote(1, VoteKind.PREVOTE, "A", 0), round=round_)
    proposal = TABLE.proposal(4, "A", 0)
    proposal = replace(proposal, proposal=replace(proposal.proposal, round=round_))
    if exists:
        check_vote(vote, TABLE.validators)
        check_proposal(proposal, TABLE.validators)
        return
    with pytest.raises(MalformedMessageError):
        check_vote(vote, TABLE.validators)
    with pytest.raises(MalformedMessageError):
        check_proposal(proposal, TABLE.validators)


def test_strangers_neither_vote_nor_propose() -> None:
    """Their signatures are right, and they are named as what they are."""
    with pytest.raises(StrangerError):
        check_vote(TABLE.vote(9, VoteKind.PREVOTE, "A", 0), TABLE.validators)
    with pytest.raises(StrangerError):
        check_proposal(TABLE.proposal(9, "A", 0), TABLE.validators)


# ---------------------------------------------------------------- bodies


def test_a_block_is_as_large_as_the_chain_allows() -> None:
    """By the gas that its transactions use at least, and by its bytes: a full block is taken, one more is not."""
    transactions = (payment(1, 0), payment(2, 0))
    root = ordered_root([tx.encoded for tx in transactions])
    block = Block(replace(TABLE.blocks["A"].header, transactions_root=root), transactions, None)
    full = replace(CONFIG, block_gas_limit=42_000, block_size_bytes_max=block_size(block))
    check_body(block, full)
    for change in ({"block_gas_limit": 41_999}, {"block_size_bytes_max": block_size(block) - 1}):
        with pytest.raises(MalformedMessageError, match="too large"):
            check_body(block, replace(full, **change))
