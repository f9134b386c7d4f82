"""Proposals and blocks of a height, within bounds."""

from alatau.consensus.proposal_keeper import Kept, ProposalKeeper
from tests.unit.consensus.table import Table

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
    assert keeper.knows(0, TABLE.blocks["A"].hash)
    assert keeper.knows(3, TABLE.blocks["A"].hash)
    assert not keeper.knows(1, TABLE.blocks["A"].hash)
    assert keeper.verdict(TABLE.blocks["A"].hash) is True
    assert keeper.verdict(TABLE.blocks["B"].hash) is None


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
