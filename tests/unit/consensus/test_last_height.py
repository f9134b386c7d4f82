"""The commit that the next block carries."""

from alatau.consensus.last_height import LastHeight
from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of
from tests.support.table import Table

TABLE = Table()
COMMIT = TABLE.commit_of("A", 1, (1, 2, 3))


def test_a_late_precommit_completes_the_commit() -> None:
    """In order of address, each once; the votes can be given back to whoever lacks them."""
    late = LastHeight(COMMIT, TABLE.validators)
    vote = TABLE.vote(4, VoteKind.PRECOMMIT, "A", 1)
    assert late.fits(vote)
    late.add(vote)
    assert not late.fits(vote)
    assert late.commit == TABLE.commit_of("A", 1, (1, 2, 3, 4))
    assert late.votes == tuple(TABLE.vote(n, VoteKind.PRECOMMIT, "A", 1) for n in (1, 2, 3, 4))


def test_only_precommits_of_that_block_in_that_round_fit() -> None:
    """A commit is of one round; strangers never fit; without the set nothing does."""
    late = LastHeight(COMMIT, TABLE.validators)
    wrong = [
        TABLE.vote(4, VoteKind.PREVOTE, "A", 1),
        TABLE.vote(4, VoteKind.PRECOMMIT, "A", 0),
        TABLE.vote(4, VoteKind.PRECOMMIT, "B", 1),
        TABLE.vote(4, VoteKind.PRECOMMIT, "nil", 1),
        TABLE.vote(4, VoteKind.PRECOMMIT, "A", 1, height=2),
        TABLE.vote(9, VoteKind.PRECOMMIT, "A", 1),
    ]
    assert not any(late.fits(vote) for vote in wrong)
    assert not LastHeight(COMMIT, None).fits(TABLE.vote(4, VoteKind.PRECOMMIT, "A", 1))
    assert LastHeight(COMMIT, None).commit == COMMIT
    assert LastHeight(None, TABLE.validators).commit is None
    assert LastHeight(None, TABLE.validators).votes == ()
    assert address_of(9) not in TABLE.validators.by_address


def test_what_contradicts_the_commit_is_found() -> None:
    """Only a precommit of the commit's round, by a validator of that height who signed it, for something else."""
    late = LastHeight(COMMIT, TABLE.validators)
    nil = TABLE.vote(2, VoteKind.PRECOMMIT, "nil", 1)
    assert late.conflicting(nil) == TABLE.vote(2, VoteKind.PRECOMMIT, "A", 1)
    others = [
        TABLE.vote(2, VoteKind.PRECOMMIT, "A", 1),
        TABLE.vote(4, VoteKind.PRECOMMIT, "nil", 1),
        TABLE.vote(2, VoteKind.PREVOTE, "nil", 1),
        TABLE.vote(2, VoteKind.PRECOMMIT, "nil", 0),
        TABLE.vote(2, VoteKind.PRECOMMIT, "nil", 1, height=2),
        TABLE.vote(9, VoteKind.PRECOMMIT, "nil", 1),
    ]
    assert [late.conflicting(vote) for vote in others] == [None] * len(others)
    assert LastHeight(COMMIT, None).conflicting(nil) is None, "without the set nobody is accused"
    nothing = LastHeight(None, TABLE.validators)
    assert nothing.conflicting(nil) is None
    assert not nothing.fits(nil)


def test_what_was_heard_at_the_height_contradicts_too() -> None:
    """Votes of all rounds, of both kinds; of another height the same place means nothing."""
    heard = VoteKeeper(TABLE.validators)
    heard.add(TABLE.vote(4, VoteKind.PREVOTE, "A", 0))
    late = LastHeight(COMMIT, TABLE.validators, heard)
    assert late.conflicting(TABLE.vote(4, VoteKind.PREVOTE, "B", 0)) == TABLE.vote(4, VoteKind.PREVOTE, "A", 0)
    assert late.conflicting(TABLE.vote(4, VoteKind.PREVOTE, "B", 0, height=2)) is None
    assert late.conflicting(TABLE.vote(4, VoteKind.PREVOTE, "A", 0)) is None
