"""Which messages of peers come to count.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.inputs import InNewHeight
from alatau.consensus.messages import VotesMessage
from alatau.types.block import Block
from alatau.types.vote import Commit, VoteKind
from tests.simulation.chain import address_of, forge
from tests.support.table import Table


def test_equivocation_is_reported_once_for_each_validator() -> None:
    """Two proposals, two prevotes: one proof each is enough for the registry."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        v4 proposes B r0           -> evidence against v4
        v4 proposes C r0           ->
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v1 prevotes B r0           -> evidence against v1
        v1 prevotes C r0           ->
        v1 precommits A r0         ->
        v1 precommits nil r0       ->
    """)


def test_a_proposal_out_of_time_gets_nil_at_once() -> None:
    """Proposer-based timestamps: too far from our clock, no need to execute it first."""
    table = Table()
    table.start()
    late = table.proposal(4, "A", 0, timestamp_ms=table.now_ms + 501)
    assert table.told(table.say(4, late)) == ["wait propose", "prevote nil r0", "validate A"]


def test_a_claimed_lock_without_proof_is_waited_out() -> None:
    """A liar names a valid round that never was: no polka, no prevote, until the propose timeout says nil."""
    table = Table()
    table.start()
    table.do("v1 prevotes nil r1")
    table.do("v4 prevotes nil r1")
    message = replace(table.proposal(3, "A", 1, 0), proof_of_lock=())
    table.say(3, message)
    assert table.told(table.do("A is valid")) == []
    assert table.told(table.do("timeout propose r1")) == ["prevote nil r1", "precommit nil r1"]


def test_messages_of_the_next_height_are_kept_for_it() -> None:
    """A faster peer's vote is counted as soon as the height begins, without checking its signature again."""
    table = Table()
    table.start()
    table.say(1, VotesMessage((table.vote(1, VoteKind.PREVOTE, "nil", 0, height=2),)))
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    table.feed(InNewHeight(context))
    assert table.core.view().prevotes == {address_of(1): None}


def test_a_proposal_with_its_proof_of_lock_is_accepted() -> None:
    """L28: the proof comes with the proposal, so no vote of that round need have arrived before."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        timeout propose r0         -> prevote nil r0
        v1 prevotes nil r1         ->
        v3 prevotes nil r1         -> wait propose, request any r1 to v3
        v3 reproposes A r1 of r0   -> validate A
        A is valid                 -> prevote A r1, wait prevote
    """)


# ---------------------------------------------------------------- votes


def kept(table: Table, kind: VoteKind, name: str, round_: int) -> set[int]:
    """Whose votes for a block count."""
    block_hash = None if name == "nil" else table.blocks[name].hash
    votes = table.core._height.driver.votes.votes_for(kind, round_, block_hash)
    return {int.from_bytes(vote.validator, "big") for vote in votes}


def test_a_third_lie_is_kept_only_in_a_quorum() -> None:
    """Alone it proves nothing that the first two do not; a polka is a fact, whoever is in it."""
    table = Table()
    for line in ("start", "v1 prevotes A r0", "v1 prevotes B r0", "v1 prevotes C r0", "v1 prevotes nil r0"):
        table.do(line)
    assert [kept(table, VoteKind.PREVOTE, name, 0) for name in ("A", "B", "C", "nil")] == [{1}, {1}, set(), set()]
    polka = tuple(table.vote(n, VoteKind.PREVOTE, "C", 0) for n in (1, 3, 4))
    assert "request C r0 to v3" in table.told(table.say(3, VotesMessage(polka)))
    assert kept(table, VoteKind.PREVOTE, "C", 0) == {1, 3, 4}


def test_old_votes_for_nothing_are_not_kept_even_of_a_quorum() -> None:
    """Nil of a round that is over decides nothing and locks nobody."""
    table = Table()
    for line in ("start", "v1 prevotes nil r5", "v3 prevotes nil r5"):
        table.do(line)
    table.say(3, VotesMessage(tuple(table.vote(n, VoteKind.PRECOMMIT, "nil", 0) for n in (1, 3, 4))))
    assert kept(table, VoteKind.PRECOMMIT, "nil", 0) == set()
    table.say(3, VotesMessage(tuple(table.vote(n, VoteKind.PRECOMMIT, "A", 0) for n in (1, 3, 4))))
    assert kept(table, VoteKind.PRECOMMIT, "A", 0) == {1, 3, 4}


@pytest.mark.parametrize(("signer", "round_", "reason"), [(9, 0, "stranger"), (1, 2**31, "malformed")])
def test_a_right_signature_does_not_make_a_vote(signer: int, round_: int, reason: str) -> None:
    """By somebody who has no vote, or of a round that cannot be: the sender is dropped."""
    table = Table()
    table.start()
    vote = table.vote(signer, VoteKind.PREVOTE, "A", round_)
    assert table.told(table.say(1, VotesMessage((vote,)))) == [f"report v1 for {reason}"]


# ---------------------------------------------------------------- proposals


def test_proposals_of_four_rounds_ahead_are_kept() -> None:
    """A faster proposer's block need not be asked for; further ones would only be memory."""
    table = Table()
    table.do("start")
    for round_ in range(1, 8):
        proposer = table.core._height.proposer(round_)
        table.say(1, table.proposal(int.from_bytes(proposer, "big"), "A", round_))
    ahead = [bool(table.core._height.driver.proposals.in_round(round_)) for round_ in range(1, 8)]
    assert ahead == [True] * 4 + [False] * 3


def test_a_proposal_that_is_known_costs_nothing() -> None:
    """Whoever passes it on once more."""
    table = Table()
    table.do("start")
    message = table.proposal(4, "A", 0)
    table.say(4, message)
    work = dict(table.core._height.work)
    assert table.say(4, message) == table.say(1, message) == []
    assert table.core._height.work == work


def test_a_proposal_that_comes_after_the_decision_is_left() -> None:
    """The height is over here: not even a lie is looked at."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    for line in ("v1 precommits A r0", "v4 precommits A r0"):
        table.do(line)
    assert table.told(table.do("v4 proposes B r0")) == []
    assert len(table.core._height.driver.proposals.in_round(0)) == 1


def test_a_block_on_another_parent_is_refused() -> None:
    """Whoever brings it, since no correct node passes it on."""
    table = Table()
    table.do("start")
    block = table.blocks["A"]
    block = Block(replace(block.header, parent_hash=bytes(32)), (), None)
    message = table.signed(replace(table.proposal(4, "A", 0).proposal, block_hash=block.hash), block)
    assert table.told(table.say(1, message)) == ["report v1 for malformed"]


def test_a_third_proposal_is_kept_only_while_its_block_is_missing() -> None:
    """Votes ask for C, which is here once: the same block with another time is one lie too many."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "v4 proposes B r0"):
        table.do(line)
    table.say(3, VotesMessage(tuple(table.vote(n, VoteKind.PREVOTE, "C", 0) for n in (1, 3, 4))))
    table.do("v4 proposes C r0")
    assert len(table.core._height.driver.proposals.in_round(0)) == 3
    table.say(4, table.proposal(4, "C", 0, timestamp_ms=table.now_ms + 1))
    assert len(table.core._height.driver.proposals.in_round(0)) == 3


# ---------------------------------------------------------------- equivocation


def test_our_own_contradiction_is_for_others_to_report() -> None:
    """Another process signs with our key: that is an alarm here, and no evidence against ourselves."""
    table = Table(me=4)
    for line in ("start", "transaction", "A is built r0"):
        table.do(line)
    told = table.told(table.say(1, table.proposal(4, "B", 0)))
    assert "alarm key_in_use" in told
    assert not [words for words in told if words.startswith("evidence")]
    told = table.told(table.say(1, VotesMessage((table.vote(4, VoteKind.PREVOTE, "B", 0),))))
    assert not [words for words in told if words.startswith("evidence")]


def test_a_contradiction_of_a_vote_that_is_gone_is_no_proof() -> None:
    """Nil of a round that is over is forgotten: with one of two votes nothing can be shown."""
    table = Table()
    for line in ("start", "v1 prevotes nil r0", "v3 prevotes A r0", "v1 prevotes nil r5", "v3 prevotes nil r5"):
        table.do(line)
    assert table.told(table.do("v1 prevotes A r0")) == []


# ---------------------------------------------------------------- the commit in a block


def second_height(*lines: str) -> Table:
    """Height 2, after these and the decision of A by v1, v2 and v4."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0", *lines):
        table.do(line)
    for line in ("v1 precommits A r0", "v4 precommits A r0", "A is committed by v1 v2 v4"):
        table.do(line)
    return table


def proposed_with(table: Table, commit: Commit) -> list[str]:
    """A proposal of height 2 whose block carries a commit of its parent; what is told, but for the block itself."""
    proposer = int.from_bytes(table.core.view().proposer, "big")
    table.block_after("A", "F", commit)
    told = table.told(table.say(proposer, table.proposal(proposer, "F", 0, height=2)))
    return [words for words in told if words not in ("wait propose", "validate F")]


def test_a_commit_in_a_block_shows_who_said_something_else_to_us() -> None:
    """v3 told us nil; the proposer got its precommit for the block."""
    commit = second_height().commit_of("A", 0, (1, 2, 3, 4))
    table = second_height("v3 precommits nil r0")
    assert proposed_with(table, commit) == ["evidence against v3"]
    assert proposed_with(second_height(), commit) == []


def test_who_was_reported_in_the_last_height_is_not_reported_by_its_commit() -> None:
    """One proof for each validator and height."""
    table = second_height("v3 prevotes A r0", "v3 prevotes B r0", "v3 precommits nil r0")
    assert proposed_with(table, table.commit_of("A", 0, (1, 2, 3, 4))) == []


def test_a_forged_signature_in_a_commit_proves_nothing() -> None:
    """The proposer put it there: nobody is accused by it."""
    table = second_height("v3 precommits nil r0")
    right = table.commit_of("A", 0, (1, 2, 3, 4))
    forged = [replace(s, signature=forge(s.validator)) if s.validator == address_of(3) else s for s in right.signatures]
    assert proposed_with(table, replace(right, signatures=tuple(forged))) == []


def test_a_commit_of_another_block_accuses_nobody() -> None:
    """A right signature for B in the same round is no word about the parent, which the block must carry a commit of."""
    table = second_height()
    assert proposed_with(table, table.commit_of("B", 0, (1, 3, 4))) == []
