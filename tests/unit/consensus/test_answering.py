"""What peers are answered, and what they are asked for: once, within bounds, and never ourselves.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from alatau.consensus.effects import DoSend
from alatau.consensus.inputs import InNewHeight
from alatau.consensus.messages import VotesMessage
from alatau.types.vote import VoteKind
from tests.support.table import Table

PREVOTE = VoteKind.PREVOTE

LOCKED = ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0")


def after(*lines: str, **who: int) -> Table:
    """A table at which this has happened."""
    table = Table(**who)
    for line in lines:
        table.do(line)
    return table


# ---------------------------------------------------------------- greeting


def test_each_of_our_votes_is_shown_once() -> None:
    """Locked in this round, our precommit is one of the round's votes, not another."""
    table = after(*LOCKED)
    assert table.told(table.do("v3 connects")) == ["status h1 r0 to v3", "2 votes to v3"]


def test_the_precommit_that_locked_us_is_shown_in_later_rounds() -> None:
    """It may still decide; the prevote before it does not."""
    table = after(*LOCKED, "v1 prevotes nil r1", "v3 prevotes nil r1", "timeout propose r1")
    assert table.told(table.do("v5 connects")) == ["status h1 r1 to v5", "3 votes to v5", "certificate r1 to v5"]
    [shown] = [e.message.votes for e in table.effects if isinstance(e, DoSend) and isinstance(e.message, VotesMessage)]
    assert shown[2] == table.vote(2, VoteKind.PRECOMMIT, "A", 0)


def test_while_a_height_is_committed_a_newcomer_gets_our_status_only() -> None:
    """The round is over; the commit follows with the next height."""
    table = after(*LOCKED, "v1 precommits A r0", "v4 precommits A r0")
    assert table.told(table.do("v3 connects")) == ["status h1 r0 to v3"]


def test_a_newcomer_is_shown_why_the_second_round_was_entered() -> None:
    """As in every later one."""
    table = after("start", "v1 prevotes nil r1", "v3 prevotes nil r1")
    assert table.told(table.do("v4 connects")) == ["status h1 r1 to v4", "certificate r1 to v4"]


# ---------------------------------------------------------------- answering


def test_what_is_not_here_is_not_answered() -> None:
    """Nor counted as an answer: the block is sent when it is here."""
    table = after("start", "v4 proposes A r0")
    told = [table.told(table.do("v1 asks for B r0")) for _ in range(20)]
    assert told == [[]] * 20
    assert table.told(table.do("v1 asks for A r0")) == ["proposal A r0 to v1"]


def test_who_is_far_behind_gets_our_status_alone() -> None:
    """The votes of the last height would not help it; it fetches blocks."""
    table = after(*LOCKED, "v1 precommits A r0", "v4 precommits A r0", "A is committed by v1 v2 v4")
    assert table.told(table.do("v3 decides h0")) == ["status h2 r0 to v3"]


def test_where_there_is_no_last_commit_none_is_sent() -> None:
    """The first height follows on genesis, which nobody voted for."""
    table = after("start")
    assert table.told(table.do("v3 decides h0")) == ["status h1 r0 to v3"]


def test_help_for_one_peer_is_bounded() -> None:
    """A peer that says a thousand times that it is behind is helped eight times, and others all the same."""
    table = after(*LOCKED, "v1 precommits A r0", "v4 precommits A r0", "A is committed by v1 v2 v4")
    told = [word for _ in range(1_000) for word in table.told(table.do("v3 decides h1"))]
    assert told == ["status h2 r0 to v3", "3 votes to v3"] * 8
    assert table.told(table.do("v4 decides h1")) == ["status h2 r0 to v4", "3 votes to v4"]


# ---------------------------------------------------------------- asking


def test_a_missing_block_is_asked_for_once_until_the_next_round_or_rebroadcast() -> None:
    """Whatever else happens meanwhile; then of another voter."""
    after("start", "transaction", "v1 precommits A r0", "v3 precommits A r0").play("""
        v4 precommits A r0         -> wait precommit, request A r0 to v3
        transaction                ->
        timeout propose r0         -> prevote nil r0
        timeout precommit r0       -> wait propose, request A r0 to v4
        transaction                ->
    """)


def test_a_proposer_asks_nobody_for_its_own_block() -> None:
    """It is still being built when the round is repeated."""
    table = after("start", "transaction", me=4)
    assert table.told(table.do("timeout rebroadcast r0")) == ["status h1 r0"]


def test_the_other_block_of_a_proposer_is_asked_for_as_proof() -> None:
    """Once, of a validator that voted for it; not of one's own word, and not where it was caught already."""
    after("start", "v4 proposes A r0").play("""
        v1 prevotes B r0           -> request B r0 to v1
        v3 prevotes B r0           ->
        v4 proposes B r0           -> evidence against v4
        v1 precommits C r0         ->
    """)


def test_two_other_blocks_of_a_round_are_asked_for_at_most() -> None:
    """Liars name as many as they like: in one message or one after the other."""
    for order in ("BCDE", "EDCB", "CEBD"):
        together, apart = after("start", "v4 proposes A r0"), after("start", "v4 proposes A r0")
        names = list(zip((1, 1, 3, 3), order, strict=True))
        votes = [together.vote(who, PREVOTE, name, 0) for who, name in names]
        told = together.told(together.say(1, VotesMessage(tuple(votes))))
        assert len([words for words in told if words.startswith("request")]) == 2
        told = [words for vote in votes for words in apart.told(apart.say(1, VotesMessage((vote,))))]
        assert len([words for words in told if words.startswith("request")]) == 2


def test_a_block_that_only_we_voted_for_is_not_asked_of_ourselves() -> None:
    """After a restart: our vote is in the log, the proposal is not, and its proposer now shows another."""
    table = after("start", "v4 proposes A r0", "A is valid", "restart")
    assert table.told(table.do("v4 proposes B r0")) == ["validate B"]


# ---------------------------------------------------------------- following


def test_whoever_is_two_heights_ahead_is_followed_at_once() -> None:
    """One height ahead may be a moment."""
    assert after("start").told(after("start").do("v1 decides h2")) == ["wait sync"]
    table = after("start")
    assert table.told(table.do("v1 decides h3")) == ["wait sync", "sync from h1 with v1"]


def test_while_the_host_commits_nobody_is_followed() -> None:
    """The height is about to be over; then the claim counts."""
    table = after(*LOCKED, "v1 precommits A r0", "v4 precommits A r0")
    assert table.told(table.do("v1 decides h5")) == []
    assert table.told(table.do("A is committed by v1 v2 v4")) == ["wait sync", "sync from h2 with v1"]


def test_votes_of_a_height_that_was_fetched_are_not_shown() -> None:
    """What was not decided here explains nothing, so nothing deviates from it."""
    table = after("start", "v4 proposes A r0", "A is valid", "v1 prevotes B r0")
    context = table.context_after(table.blocks["C"], table.commit_of("C", 0, (1, 3, 4)))
    assert table.told(table.feed(InNewHeight(context))) == []
    assert table.core.height == 2
