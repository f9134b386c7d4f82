"""Which messages of peers come to count.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

from alatau.consensus.inputs import InNewHeight
from alatau.consensus.messages import VotesMessage
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of
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
