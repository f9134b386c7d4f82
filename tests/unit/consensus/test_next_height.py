"""Early messages: a fixed share for each validator."""

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
