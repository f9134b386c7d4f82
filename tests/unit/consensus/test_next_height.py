"""Early messages: a fixed share for each validator."""

from dataclasses import replace

from alatau.consensus.next_height import NextHeight
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of
from tests.support.table import Table

TABLE = Table()


def test_votes_of_four_rounds_are_kept_once_each() -> None:
    """Two kinds each; a second vote in a step waits for the height itself."""
    early = NextHeight(1, TABLE.validators)
    for round_ in range(100):
        for kind in VoteKind:
            vote = TABLE.vote(1, kind, "A", round_)
            if early.wants_vote(vote):
                early.add_vote(vote)
            assert not early.wants_vote(TABLE.vote(1, kind, "B", round_))
    assert len(early.votes) == 8
    assert not early.wants_vote(TABLE.vote(9, VoteKind.PREVOTE, "A", 0))


def test_one_proposal_of_each_validator_is_kept() -> None:
    """Whose turn it is follows from a block that is not decided yet."""
    early = NextHeight(1, TABLE.validators)
    for name in "AB":
        for by in (1, 2):
            message = TABLE.proposal(by, name, 0)
            if early.wants_proposal(message):
                early.add_proposal(address_of(7), message)
    assert [(who, m.block) for who, m in early.proposals] == [(address_of(7), TABLE.blocks["A"])] * 2
    assert not early.wants_proposal(TABLE.proposal(3, "A", 4))
    assert not early.wants_proposal(TABLE.proposal(9, "A", 0))


def test_four_proposals_are_kept() -> None:
    """Of seven validators that all lie: four blocks of memory, whoever comes first."""
    table = Table(count=7)
    early = NextHeight(1, table.validators)
    for by in range(1, 8):
        message = table.proposal(by, "A", 0)
        if early.wants_proposal(message):
            early.add_proposal(address_of(by), message)
    assert [who for who, _ in early.proposals] == [address_of(n) for n in (1, 2, 3, 4)]


def test_only_the_first_proposal_of_the_very_next_height_waits_for_it() -> None:
    """Its proposer's second is left to the height itself; those of later heights are not kept at all."""
    table = Table()
    table.start()
    block = table.block_after("A", "F", table.commit_of("A", 0, (1, 2, 4)))
    table.block_after("B", "G", table.commit_of("B", 0, (1, 2, 4)))
    table.block_after("F", "H", replace(table.commit_of("A", 0, (1, 2, 4)), height=2, block_hash=block.hash))
    for name, height in (("H", 3), ("F", 2), ("G", 2)):
        table.say(3, table.proposal(3, name, 0, height=height))
    assert [message.block for _, message in table.core._next.proposals] == [block]
    table.say(3, table.proposal(1, "H", 0, height=3))
    assert [message.block for _, message in table.core._next.proposals] == [block]
