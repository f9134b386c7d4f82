"""Scenarios of one validator, as transcripts: what happens -> what the core does.

Validator v2 of four; the proposers of rounds 0, 1, 2, 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import DoBroadcast, DoBuildBlock, DoCommit, DoPersist, DoRecordSignState, DoSetTimer
from alatau.consensus.inputs import InBlockBuilt, InNewHeight, InStart, InTransactionsAvailable, TimerKind
from alatau.consensus.messages import VotesMessage
from alatau.consensus.state_machine import Step
from alatau.types.vote import VoteKind
from tests.simulation.chain import GENESIS, address_of
from tests.unit.consensus.table import Table


def test_a_height_is_decided() -> None:
    """Proposal, prevotes, precommits, commit; three of four are enough."""
    Table().play("""
        start                              ->
        transaction                        -> wait propose
        v4 proposes A r0                   -> validate A
        A is valid                         -> prevote A r0
        v4 prevotes A r0                   ->
        v1 prevotes A r0                   -> precommit A r0
        v4 precommits A r0                 ->
        v1 precommits A r0                 -> commit A r0 by 3
        A is committed by v1 v2 v4         ->
    """)


def test_what_others_see_is_recorded_first() -> None:
    """A vote goes to the log, then to the sign state, then out: in this order whatever else happens."""
    table = Table(verbose=True)
    table.start()
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == ["log OwnVoteRecord", "sign state prevote", "prevote A r0"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_effects_that_are_seen_follow_records_in_every_step(count: int) -> None:
    """Written once, then said; and a commit comes after the broadcast of the precommit that completes it."""
    table = Table(count=count, me=1)
    table.start()
    table.feed(InTransactionsAvailable())
    for _ in range(count):
        for effect in list(table.effects):
            if isinstance(effect, DoBuildBlock):
                table.feed(InBlockBuilt(effect.round, table.blocks["A"]))
        kinds = [type(e) for e in table.effects]
        said = [i for i, e in enumerate(table.effects) if isinstance(e, DoBroadcast)]
        if any(isinstance(table.effects[i].message, VotesMessage) for i in said):
            assert kinds.count(DoRecordSignState) == 1
            recorded = kinds.index(DoRecordSignState)
            assert recorded < said[0]
            assert all(at < recorded for at, kind in enumerate(kinds) if kind is DoPersist)
        if DoCommit in kinds:
            assert kinds.index(DoCommit) == len(kinds) - 1
        table.do(f"timeout propose r{table.core.view().round}")


def test_a_lone_validator_decides_alone() -> None:
    """One of one: the block is built and decided in a single step."""
    table = Table(count=1, me=1)
    table.play("""
        start                  ->
        transaction            -> wait propose, build r0
        A is built r0          -> propose A r0, prevote A r0, precommit A r0, commit A r0 by 1
        A is committed by v1   ->
    """)


def test_without_a_proposal_the_round_ends_in_nil() -> None:
    """A dead proposer costs the propose timeout and the precommit timeout, then the next has its turn."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        timeout propose r0         -> prevote nil r0
        v1 prevotes nil r0         ->
        v3 prevotes nil r0         -> precommit nil r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote B r1
    """)


def test_a_lock_is_kept_and_proposed_again() -> None:
    """L23: locked on A, a new block B gets nil. L16: on our turn the valid block goes out again, with its round."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote nil r1
        v1 prevotes nil r1         ->
        v3 prevotes B r1           -> wait prevote
        timeout prevote r1         -> precommit nil r1
        v1 precommits nil r1       ->
        v3 precommits nil r1       -> wait precommit
        timeout precommit r1       -> wait propose, propose A r2 of r0, prevote A r2
    """)


def test_a_later_polka_moves_the_lock() -> None:
    """L36 of a later round: the quorum chose B, so do we, lock or not."""
    table = Table()
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
        v1 prevotes B r1           ->
        v3 prevotes B r1           -> wait propose, request any r1 to v3
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote nil r1, wait prevote
        v4 prevotes B r1           -> precommit B r1
    """)
    assert table.core.view().locked_round == 1


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


def test_a_decision_of_a_past_round_is_taken() -> None:
    """L49: precommits never expire; what a later round is doing does not matter."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes nil r0         ->
        v3 prevotes nil r0         -> wait prevote
        timeout prevote r0         -> precommit nil r0
        v1 precommits nil r0       ->
        v3 precommits A r0         -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        v4 precommits A r0         ->
        v1 precommits A r0         -> evidence against v1, commit A r0 by 3
    """)


def test_later_rounds_of_a_third_are_joined() -> None:
    """L55: f+1 of a later round hold a correct validator; ask its proposer for what we missed."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        v1 prevotes nil r7         ->
        v3 prevotes nil r7         -> wait propose, request any r7 to v1
    """)


def test_a_block_that_a_quorum_names_is_asked_for() -> None:
    """The decision is there but not the block: ask a voter, and another one at the next rebroadcast."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        v1 precommits A r0         ->
        v3 precommits A r0         ->
        v4 precommits A r0         -> wait precommit, request A r0 to v3
        timeout rebroadcast r0     -> status h1 r0, request any r0 to v4, request A r0 to v4
        v4 proposes A r0           -> validate A
        A is valid                 -> commit A r0 by 3
    """)


def test_a_decided_block_that_is_invalid_here_stops_the_node() -> None:
    """Going on would contradict the network: after that nothing is done any more."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is invalid               -> prevote nil r0
        v1 precommits A r0         ->
        v3 precommits A r0         ->
        v4 precommits A r0         -> wait precommit, halt
        transaction                ->
    """)


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


def test_the_proposer_builds_and_proposes() -> None:
    """Our turn in round 0, so v4 plays: the interval first, then the block."""
    table = Table(me=4)
    table.play("""
        start                      ->
        transaction                -> wait propose, build r0
        A is built r0              -> propose A r0, prevote A r0
    """)


def test_a_block_built_too_slowly_serves_the_next_turn() -> None:
    """Besu 11005: a builder slower than its round must not build for ever."""
    Table(me=4).play("""
        start                      ->
        transaction                -> wait propose, build r0
        timeout propose r0         -> prevote nil r0
        A is built r0              ->
        v1 prevotes nil r4         ->
        v2 prevotes nil r4         -> wait propose, propose A r4, prevote A r4, wait prevote
    """)


def test_a_restart_says_the_same_again() -> None:
    """The log gives back the vote with its lock; the sign state agrees; nothing is signed anew."""
    table = Table()
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
    """)
    signed = table.sign_state
    told = table.told(table.do("restart"))
    assert told == [
        "prevote A r0", "precommit A r0", "v1's prevote A r0", "v4's prevote A r0", "status h1 r0", "validate A",
    ]  # fmt: skip
    assert table.sign_state == signed
    assert table.core.view().locked_round == 0
    assert table.core.view().step is Step.PRECOMMIT


def test_a_restart_in_a_late_round_keeps_the_proof_of_its_lock() -> None:
    """Votes of the locked round are old by then; without them the block could not be proposed again."""
    table = Table()
    table.start()
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    for round_ in range(1, 9):
        for who in (1, 3):
            table.do(f"v{who} prevotes nil r{round_}")
        table.do(f"timeout propose r{round_}")
    table.do("restart")
    proof = {vote.validator for effect in table.effects if isinstance(effect, DoBroadcast)
             if isinstance(effect.message, VotesMessage) for vote in effect.message.votes
             if vote.round == 0 and vote.kind is VoteKind.PREVOTE}  # fmt: skip
    assert proof == {address_of(1), address_of(2), address_of(4)}


def test_a_proposer_that_restarts_proposes_the_same() -> None:
    """Its proposal is in the log: no second block for the round."""
    table = Table(me=4)
    table.do("start")
    table.do("transaction")
    table.do("A is built r0")
    table.log = table.log[:1]  # The crash came after the proposal and before the prevote.
    table.sign_state = None
    assert table.told(table.do("restart")) == ["wait propose", "propose A r0", "validate A"]
    assert table.sign_state is not None


def test_the_first_transaction_wakes_the_proposer_after_the_interval() -> None:
    """Not sooner than the block interval after the last block, and no timer but two while idle."""
    table = Table(me=3, verbose=True)
    table.start()
    table.do("v4 proposes A r0")
    for line in ("A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0", "v4 precommits A r0"):
        table.do(line)
    table.now_ms += 50
    assert table.told(table.do("A is committed by v1 v3 v4")) == ["wait interval", "wait heartbeat"]
    [delay] = [e.delay_ms for e in table.effects if isinstance(e, DoSetTimer) and e.timer.kind is TimerKind.INTERVAL]
    assert delay == 150
    assert table.told(table.do("transaction")) == []
    assert table.told(table.do("timeout interval")) == ["wait rebroadcast", "wait propose", "build r0"]


def test_an_idle_network_makes_a_block_at_the_heartbeat() -> None:
    """Empty blocks only then."""
    table = Table(me=4)
    table.play("""
        start                      ->
        timeout interval           ->
        timeout heartbeat          -> wait propose, build r0
    """)


def test_who_is_behind_asks_for_blocks() -> None:
    """One height behind: wait a moment. More: at once. A peer that fails is not asked before the next pause."""
    Table().play("""
        start                      ->
        v1 decides h2              -> wait sync
        timeout sync               -> wait sync, sync from h1 with v1
        v1 fails to show it        ->
        timeout sync               ->
        v3 decides h9              -> wait sync, sync from h1 with v3
        v4 decides h9              ->
        timeout sync               -> wait sync, sync from h1 with v3
    """)


def test_who_says_it_is_behind_gets_the_commit() -> None:
    """The precommits of the last height are all that a validator lacks that has the block."""
    table = Table()
    table.start()
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    table.do("v4 precommits A r0")
    table.do("A is committed by v1 v2 v4")
    assert table.told(table.do("v3 decides h1")) == ["status h2 r0 to v3", "3 votes to v3"]


def test_who_connects_is_told_where_we_stand() -> None:
    """And what it may have missed of the round."""
    table = Table()
    table.start()
    table.do("v4 proposes A r0")
    table.do("A is valid")
    assert table.told(table.do("v3 connects")) == ["status h1 r0 to v3", "1 votes to v3"]


def test_costly_answers_to_one_peer_are_bounded() -> None:
    """A peer that asks for the block a thousand times gets it eight times."""
    table = Table()
    table.start()
    table.do("v4 proposes A r0")
    answers = [told for _ in range(1_000) for told in table.told(table.do("v1 asks for A r0"))]
    assert answers == ["proposal A r0 to v1"] * 8


def test_late_precommits_reach_the_next_block() -> None:
    """The slowest validator's precommit comes after the decision and is still carried as a sign of life."""
    table = Table(me=3)
    table.start()
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    table.do("v4 precommits A r0")
    table.do("v2 precommits A r0")  # While the host commits.
    table.do("A is committed by v1 v3 v4")
    table.now_ms += 200
    table.do("timeout interval")
    [build] = [e for e in table.do("transaction") if isinstance(e, DoBuildBlock)]
    assert build.last_commit is not None
    assert [s.validator for s in build.last_commit.signatures] == [address_of(n) for n in (1, 2, 3, 4)]


def test_messages_of_the_next_height_are_kept_for_it() -> None:
    """A faster peer's vote is counted as soon as the height begins, without checking its signature again."""
    table = Table()
    table.start()
    table.say(1, VotesMessage((table.vote(1, VoteKind.PREVOTE, "nil", 0, height=2),)))
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    table.feed(InNewHeight(context))
    assert table.core.view().prevotes == {address_of(1): None}


def test_an_observer_follows_without_a_word() -> None:
    """No key, no vote; but it decides what the validators decided."""
    Table(me=None).play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 ->
        v1 prevotes A r0           ->
        v3 prevotes A r0           ->
        v4 prevotes A r0           ->
        v1 precommits A r0         ->
        v3 precommits A r0         ->
        v4 precommits A r0         -> commit A r0 by 3
    """)


def test_a_validator_told_not_to_sign_is_silent() -> None:
    """The host found its sign state older than its chain: it follows, an operator decides."""
    table = Table()
    table.feed(InStart(table.context_after(GENESIS, None), (), None, may_sign=False, fresh=False))
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == []
    assert not table.core.view().may_sign
