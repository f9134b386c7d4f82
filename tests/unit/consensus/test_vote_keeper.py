"""Counting votes: by validator, within bounds, and never by accident."""

from alatau.consensus.vote_keeper import VoteKeeper, VoteStatus
from alatau.types.validator import validator_set
from alatau.types.vote import Vote, VoteKind
from tests.simulation.chain import address_of, equal_validators, validator

A, B, C = b"A" * 32, b"B" * 32, b"C" * 32
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def vote(who: int, kind: VoteKind, round_: int, block: bytes | None) -> Vote:
    """A vote; the keeper never looks at signatures."""
    return Vote(kind, 1, round_, block, address_of(who), b"")


def keeper_with(*votes: Vote, count: int = 4) -> VoteKeeper:
    """A keeper that counted these."""
    keeper = VoteKeeper(equal_validators(count))
    for entry in votes:
        keeper.add(entry)
    return keeper


def test_a_polka_is_more_than_two_thirds_for_one_block() -> None:
    """Three of four; a fourth for something else changes nothing."""
    keeper = keeper_with(vote(1, PREVOTE, 0, A), vote(2, PREVOTE, 0, A), vote(4, PREVOTE, 0, B))
    assert keeper.polka(0) is None
    assert keeper.has_quorum(PREVOTE, 0)
    keeper.add(vote(3, PREVOTE, 0, A))
    assert keeper.polka(0) == A
    assert keeper.has_polka(0, A)
    assert not keeper.has_polka(0, None)


def test_power_counts_not_heads() -> None:
    """One of four that holds most of the power is a quorum by itself."""
    keeper = VoteKeeper(validator_set([validator(1, 7), validator(2), validator(3), validator(4)]))
    for who in (2, 3, 4):
        keeper.add(vote(who, PREVOTE, 0, A))
    assert keeper.polka(0) is None
    keeper.add(vote(1, PREVOTE, 0, A))
    assert keeper.polka(0) == A


def test_a_vote_counts_once_however_often_it_comes() -> None:
    """Pantheon 827: the same signature twice."""
    keeper = keeper_with(*[vote(1, PRECOMMIT, 0, A)] * 5, vote(2, PRECOMMIT, 0, A))
    assert keeper.status(vote(1, PRECOMMIT, 0, A)) is VoteStatus.DUPLICATE
    assert keeper.decisive == {}
    assert not keeper.has_quorum(PRECOMMIT, 0)


def test_an_equivocator_counts_for_both_blocks_but_once_among_voters() -> None:
    """As in the paper's log of messages; and no third lie is kept."""
    keeper = keeper_with(vote(1, PREVOTE, 0, A), vote(1, PREVOTE, 0, B), vote(2, PREVOTE, 0, A), vote(3, PREVOTE, 0, A))
    assert keeper.status(vote(1, PREVOTE, 0, C)) is VoteStatus.IGNORED
    assert keeper.polka(0) == A
    assert not keeper_with(vote(1, PREVOTE, 0, A), vote(1, PREVOTE, 0, B), vote(2, PREVOTE, 0, A)).has_quorum(
        PREVOTE, 0
    )
    assert keeper.conflicting(vote(1, PREVOTE, 0, B)) == vote(1, PREVOTE, 0, A)


def test_a_decision_is_found_in_any_round() -> None:
    """L49 does not ask where the node is."""
    keeper = keeper_with()
    keeper.start_round(7)
    for who in (1, 2, 3):
        keeper.add(vote(who, PRECOMMIT, 2, B))
    assert keeper.decisive == {2: B}


def test_a_third_of_a_later_round_is_worth_a_skip() -> None:
    """f+1 by power, prevotes and precommits together, each validator once."""
    keeper = keeper_with(vote(1, PREVOTE, 5, A), vote(1, PRECOMMIT, 5, None))
    assert keeper.skip_round() is None
    keeper.add(vote(2, PRECOMMIT, 5, None))
    assert keeper.skip_round() == 5
    keeper.start_round(5)
    assert keeper.skip_round() is None


def test_a_million_rounds_of_one_validator_hold_two() -> None:
    """Besu GHSA-23rh-rrqg-wq82: rounds ahead are bounded for each validator, its latest are kept."""
    keeper = keeper_with()
    for round_ in range(10, 5_000):
        assert keeper.status(vote(1, PREVOTE, round_, A)) is VoteStatus.NEW
        keeper.add(vote(1, PREVOTE, round_, A))
    assert sorted(keeper._rounds) == [4_998, 4_999]
    assert keeper.status(vote(1, PREVOTE, 20, A)) is VoteStatus.IGNORED
    assert keeper.status(vote(2, PREVOTE, 20, A)) is VoteStatus.NEW


def test_rounds_that_are_over_keep_only_votes_for_blocks() -> None:
    """They may still decide; nil never does."""
    keeper = keeper_with(
        vote(1, PREVOTE, 0, None), vote(2, PRECOMMIT, 0, A), vote(1, PREVOTE, 1, None), vote(1, PREVOTE, 3, None)
    )
    keeper.start_round(4)
    assert keeper.votes_for(PRECOMMIT, 0, A) == (vote(2, PRECOMMIT, 0, A),)
    assert sorted(keeper._rounds) == [0, 3]
    assert keeper.status(vote(3, PREVOTE, 1, None)) is VoteStatus.IGNORED


def test_a_certificate_lets_others_enter_the_round() -> None:
    """The quorum of precommits that ended the round before, or a third that is in it already."""
    keeper = keeper_with(*(vote(who, PRECOMMIT, 0, None) for who in (1, 2, 3)), vote(4, PREVOTE, 1, A))
    assert len(keeper.certificate(1)) == 3
    assert keeper_with(vote(4, PREVOTE, 1, A)).certificate(1) == (vote(4, PREVOTE, 1, A),)
    assert keeper_with().certificate(1) == ()
