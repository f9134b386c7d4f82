"""Proposals and blocks of a height, within bounds."""

from dataclasses import replace

from alatau.consensus.proposal_keeper import Kept, ProposalKeeper
from tests.support.table import Table

TABLE = Table()


def kept(name: str, round_: int) -> Kept:
    """A proposal that passed its checks."""
    return Kept(TABLE.proposal(4, name, round_), timely=True)


def test_a_block_is_one_block_in_whatever_round() -> None:
    """Its hash does not depend on the round (Besu 6732), so neither does what the host found out."""
    keeper = ProposalKeeper()
    keeper.add(kept("A", 0))
    keeper.judge(TABLE.blocks["A"].hash, valid=True)
    keeper.add(kept("A", 3))
    assert [keeper.block(TABLE.blocks[name].hash) is not None for name in "AB"] == [True, False]
    assert keeper.verdict(TABLE.blocks["A"].hash) is True
    assert keeper.verdict(TABLE.blocks["B"].hash) is None


def test_a_proposal_is_known_by_all_that_its_proposer_signed() -> None:
    """The same block with another valid round or time is another; the same once more, signed anew, is not."""
    keeper = ProposalKeeper()
    first = kept("A", 2)
    keeper.add(first)
    proposal = first.message.proposal
    assert keeper.knows(replace(proposal, signature=bytes(65)))
    for change in ({"round": 3}, {"valid_round": 1}, {"timestamp_ms": 7}, {"block_hash": bytes(32)}):
        assert not keeper.knows(replace(proposal, **change))  # type: ignore[arg-type]


def test_a_round_has_room_for_two_blocks() -> None:
    """The lie and the block that others may have got."""
    keeper = ProposalKeeper()
    for name, room in (("A", True), ("B", False)):
        keeper.add(kept(name, 0))
        assert keeper.has_room(0) is room
    assert [k.message.block for k in keeper.in_round(0)] == [TABLE.blocks["A"], TABLE.blocks["B"]]


def test_a_proposal_is_found_by_round_or_by_block() -> None:
    """For whoever asks: the round's, or the latest of that block."""
    keeper = ProposalKeeper()
    keeper.add(kept("A", 0))
    keeper.add(kept("A", 2))
    found = keeper.find(5, TABLE.blocks["A"].hash)
    assert found is not None
    assert found.proposal.round == 2
    assert keeper.find(5, None) is None
    assert keeper.find(0, None) == kept("A", 0).message
    assert keeper.find(0, TABLE.blocks["B"].hash) is None


def test_rounds_that_are_over_keep_only_wanted_blocks() -> None:
    """A hostile proposer of round after round does not fill memory."""
    keeper = ProposalKeeper()
    for round_, name in enumerate("ABCD"):
        keeper.add(kept(name, round_))
        keeper.judge(TABLE.blocks[name].hash, valid=True)
    keeper.forget(3, {TABLE.blocks["B"].hash})
    assert [keeper.block(TABLE.blocks[n].hash) is not None for n in "ABCD"] == [False, True, False, True]
    assert keeper.verdict(TABLE.blocks["A"].hash) is None
    assert keeper.verdict(TABLE.blocks["B"].hash) is True


def test_a_verdict_on_a_forgotten_block_is_dropped() -> None:
    """It arrives after its round: deciding on it would be deciding on a block that is not here."""
    keeper = ProposalKeeper()
    keeper.judge(TABLE.blocks["A"].hash, valid=True)
    assert keeper.verdict(TABLE.blocks["A"].hash) is None
