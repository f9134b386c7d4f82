"""Counting votes: by validator, within bounds, and never by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


# ---------------------------------------------------------------- rounds ahead


def rounds_of(keeper: VoteKeeper, who: int) -> list[int]:
    """The rounds of which a validator's votes are kept."""
    return [round_ for round_ in range(50) if keeper.votes_of(address_of(who), round_)]


def test_this_round_the_next_and_the_two_highest_are_kept() -> None:
    """Of one validator, from where the node is: before its first round as later."""
    keeper = keeper_with(*(vote(1, PREVOTE, r, A) for r in range(6)))
    assert rounds_of(keeper, 1) == [0, 1, 4, 5]
    keeper = keeper_with()
    keeper.start_round(7)
    for round_ in range(7, 13):
        keeper.add(vote(1, PREVOTE, round_, A))
    assert rounds_of(keeper, 1) == [7, 8, 11, 12]


def test_a_round_that_has_come_near_leaves_room_for_others() -> None:
    """It counts among those ahead no more, and stays; what is still ahead goes on counting."""
    keeper = keeper_with(vote(1, PREVOTE, 2, A), vote(1, PREVOTE, 3, A))
    keeper.start_round(1)
    keeper.add(vote(1, PREVOTE, 4, A))
    assert rounds_of(keeper, 1) == [2, 3, 4]
    keeper.add(vote(1, PREVOTE, 5, A))
    assert rounds_of(keeper, 1) == [2, 4, 5]


def test_both_votes_of_a_round_ahead_are_one_round() -> None:
    """Prevote and precommit take one place."""
    keeper = keeper_with(vote(1, PREVOTE, 10, A), vote(1, PRECOMMIT, 10, A), vote(1, PREVOTE, 11, A))
    assert rounds_of(keeper, 1) == [10, 11]


@pytest.mark.parametrize("known", [False, True])
def test_whoever_is_far_ahead_is_still_heard_near(*, known: bool) -> None:
    """Below its two highest rounds a vote is too far, but for this round and the next, whoever else is in them."""
    keeper = keeper_with(vote(1, PREVOTE, 10, A), vote(1, PREVOTE, 11, A))
    for who, round_ in ((2, 5), (2, 6), (3, 8), (3, 9), (4, 0), (4, 1)) if known else ():
        keeper.add(vote(who, PREVOTE, round_, A))
    taken = [r for r in range(13) if keeper.status(vote(1, PRECOMMIT, r, A)) is VoteStatus.NEW]
    assert taken == [0, 1, 10, 11, 12]


@pytest.mark.parametrize("known", [False, True])
def test_a_vote_that_a_quorum_carries_is_kept_however_far(*, known: bool) -> None:
    """Counted with the others of its quorum; whoever is in the round is heard in it from then on."""
    keeper = keeper_with(vote(1, PREVOTE, 10, A), vote(1, PREVOTE, 11, A))
    if known:
        keeper.add(vote(2, PREVOTE, 5, A))
    for who in (1, 2, 3):
        keeper.add(vote(who, PREVOTE, 5, A))
    assert keeper.polka(5) == A
    assert keeper.status(vote(1, PRECOMMIT, 5, A)) is VoteStatus.NEW


def test_a_quorum_that_decided_a_round_ahead_is_never_forgotten() -> None:
    """Whoever signed it may run ahead before the block comes: the precommits are the commit, and stay one."""
    keeper = keeper_with(*(vote(who, PRECOMMIT, 5, A) for who in (1, 2, 3)))
    assert keeper.decisive == {5: A}
    for who in (1, 2, 3, 4):
        for round_ in (60, 700, 8_000, 90_000):
            keeper.add(vote(who, PRECOMMIT, round_, None))
    commit = keeper.votes_for(PRECOMMIT, 5, A)
    assert [each.validator for each in commit] == [address_of(who) for who in (1, 2, 3)]
    assert [round_ for round_ in (60, 700, 8_000, 90_000) if keeper.votes_of(address_of(1), round_)] == [8_000, 90_000]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0, 5, 60, 700]), st.sampled_from([A, A, A, B])), min_size=20)
)
def test_what_is_decisive_has_its_quorum_whatever_comes(cast: list[tuple[int, int, bytes]]) -> None:
    """Votes of anybody in any round and order, each in the round of whoever counts: a decision keeps its proof."""
    keeper = keeper_with()
    validators = equal_validators(4)
    for who, round_, block in cast:
        each = vote(who, PRECOMMIT, round_, block)
        if keeper.status(each) is not VoteStatus.IGNORED:
            keeper.add(each)
        for decided, name in keeper.decisive.items():
            power = sum(validators.power_of(v.validator) for v in keeper.votes_for(PRECOMMIT, decided, name))
            assert validators.has_quorum(power)


def test_what_is_forgotten_of_one_takes_nothing_from_others() -> None:
    """Its prevote goes; the precommits of the round, in which it had no part, are a quorum as before."""
    others = (vote(2, PRECOMMIT, 10, A), vote(3, PRECOMMIT, 10, A), vote(4, PRECOMMIT, 10, B))
    keeper = keeper_with(vote(1, PREVOTE, 10, A), *others)
    keeper.add(vote(1, PREVOTE, 11, A))
    keeper.add(vote(1, PREVOTE, 12, A))
    assert keeper.votes_of(address_of(1), 10) == ()
    assert keeper.has_quorum(PRECOMMIT, 10)
    assert not keeper.has_quorum(PREVOTE, 10)
    assert keeper.decisive == {}


# ---------------------------------------------------------------- rounds that are over


def test_what_is_taken_of_rounds_that_are_over() -> None:
    """Votes for blocks of any; nil of the round before, whose timer may still run, and of none below."""
    keeper = keeper_with()
    keeper.start_round(7)
    assert [keeper.status(vote(1, PRECOMMIT, r, A)) for r in (0, 5, 6)] == [VoteStatus.NEW] * 3
    nil = [keeper.status(vote(1, PRECOMMIT, r, None)) for r in (0, 4, 5, 6)]
    assert nil == [VoteStatus.IGNORED] * 3 + [VoteStatus.NEW]


def test_what_is_kept_of_rounds_that_are_over() -> None:
    """Prevotes for blocks as well as precommits, and nil of the round before."""
    keeper = keeper_with(
        vote(1, PREVOTE, 0, A), vote(2, PREVOTE, 0, None), vote(1, PREVOTE, 1, None), vote(1, PRECOMMIT, 1, None)
    )
    keeper.start_round(2)
    assert keeper.votes_for(PREVOTE, 0, A) == (vote(1, PREVOTE, 0, A),)
    assert keeper.votes_for(PREVOTE, 0, None) == ()
    assert keeper.votes_for(PREVOTE, 1, None) == (vote(1, PREVOTE, 1, None),)
    keeper.start_round(3)
    assert rounds_of(keeper, 1) == [0]


def test_others_in_a_round_are_new_to_it() -> None:
    """A round that is known to one vote is open to the others."""
    keeper = keeper_with(vote(1, PREVOTE, 0, A))
    assert keeper.status(vote(2, PREVOTE, 0, B)) is VoteStatus.NEW
    assert keeper.status(vote(1, PREVOTE, 0, B)) is VoteStatus.CONFLICTING
    assert keeper.status(vote(1, PRECOMMIT, 0, B)) is VoteStatus.NEW


# ---------------------------------------------------------------- asking


def test_nothing_is_a_polka_without_votes() -> None:
    """Not even where one validator is enough."""
    keeper = keeper_with(count=1)
    assert not keeper.has_polka(0, A)
    assert keeper.polka(0) is None
    assert not keeper.has_quorum(PREVOTE, 0)


def test_a_polka_for_nil_hides_none_for_a_block() -> None:
    """With more than a third lying there can be both; the one for the block is a fact all the same."""
    votes = [vote(who, PREVOTE, 0, None) for who in (1, 2, 3)] + [vote(who, PREVOTE, 0, A) for who in (1, 2, 4)]
    keeper = keeper_with(*votes)
    assert keeper.polka(0) == A
    assert keeper.has_polka(0, None)


def test_the_last_votes_of_a_validator_are_of_its_highest_round() -> None:
    """What a node that lost its disks must not contradict."""
    keeper = keeper_with(vote(1, PREVOTE, 0, A), vote(1, PREVOTE, 1, None), vote(2, PREVOTE, 2, A))
    assert keeper.last_votes_of(address_of(1)) == (vote(1, PREVOTE, 1, None),)
    assert keeper.last_votes_of(address_of(3)) == ()


def test_what_neither_the_decision_nor_a_quorum_explains_deviates() -> None:
    """A prevote for the decided block never does, nor nil with a quorum; a third block and a lone nil do."""
    keeper = keeper_with(
        vote(1, PREVOTE, 0, A), *(vote(who, PRECOMMIT, 0, None) for who in (1, 2, 3)), vote(4, PRECOMMIT, 0, B),
        vote(3, PREVOTE, 0, None), vote(2, PREVOTE, 1, C),
    )  # fmt: skip
    assert keeper.deviating(A) == (vote(3, PREVOTE, 0, None), vote(4, PRECOMMIT, 0, B), vote(2, PREVOTE, 1, C))


def test_the_blocks_of_a_round_are_named_with_who_votes_for_them() -> None:
    """By either kind of vote, the first validator by address; nil names nothing."""
    keeper = keeper_with(
        vote(3, PREVOTE, 0, A), vote(2, PREVOTE, 0, A), vote(1, PRECOMMIT, 0, B), vote(4, PREVOTE, 0, None)
    )
    assert keeper.named(0) == {A: address_of(2), B: address_of(1)}
    assert keeper.named(1) == {}


def test_nobody_is_named_for_a_block_whose_votes_were_forgotten() -> None:
    """The validator went on to later rounds, and another is still in this one."""
    keeper = keeper_with(vote(1, PREVOTE, 10, A), vote(2, PREVOTE, 10, B))
    keeper.add(vote(1, PREVOTE, 11, A))
    keeper.add(vote(1, PREVOTE, 12, A))
    assert keeper.named(10) == {B: address_of(2)}


def test_a_contradiction_is_another_vote_of_the_same_step() -> None:
    """Of the same validator and for something else; nil counts as such."""
    keeper = keeper_with(vote(1, PREVOTE, 0, A), vote(2, PREVOTE, 0, None), vote(1, PRECOMMIT, 0, B))
    assert keeper.conflicting(vote(1, PREVOTE, 0, None)) == vote(1, PREVOTE, 0, A)
    assert keeper.conflicting(vote(2, PREVOTE, 0, A)) == vote(2, PREVOTE, 0, None)
    for none in (vote(1, PREVOTE, 0, A), vote(3, PREVOTE, 0, A), vote(1, PREVOTE, 1, B)):
        assert keeper.conflicting(none) is None


def test_a_certificate_has_one_vote_of_each() -> None:
    """Prevotes and precommits of the round apart; of a liar one of each; in order of address."""
    keeper = keeper_with(
        vote(3, PREVOTE, 2, A), vote(1, PREVOTE, 2, A), vote(1, PREVOTE, 2, B), vote(1, PRECOMMIT, 2, None),
        *(vote(who, PRECOMMIT, 1, None) for who in (2, 3)),
    )  # fmt: skip
    assert keeper.certificate(2) == (vote(1, PREVOTE, 2, A), vote(3, PREVOTE, 2, A), vote(1, PRECOMMIT, 2, None))
    keeper.add(vote(1, PRECOMMIT, 1, A))
    assert keeper.certificate(2) == (
        vote(1, PRECOMMIT, 1, A), vote(2, PRECOMMIT, 1, None), vote(3, PRECOMMIT, 1, None),
    )  # fmt: skip
    assert keeper.cast(PREVOTE, 2) == {address_of(1): A, address_of(3): A}
