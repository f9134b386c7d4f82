"""What this validator says itself, and in which order it is made to last.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import DoBroadcast, DoBuildBlock, DoCommit, DoPersist, DoRecordSignState
from alatau.consensus.inputs import InBlockBuilt, InStart, InTransactionsAvailable
from alatau.consensus.messages import VotesMessage
from alatau.consensus.records import OwnVoteRecord, SignStep
from alatau.types.block import Block
from alatau.types.vote import VoteKind
from tests.simulation.chain import GENESIS, address_of
from tests.support.table import Table


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
            assert DoPersist not in kinds[recorded:]
        if DoCommit in kinds:
            assert kinds.index(DoCommit) == len(kinds) - 1
        table.do(f"timeout propose r{table.core.view().round}")


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


def test_last_height_reach_the_next_block() -> None:
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


def test_votes_of_one_step_travel_together() -> None:
    """Who checks a block last finds the polka: prevote and precommit are durable first, then one message has both."""
    table = Table(me=2)
    table.start()
    for line in ("v4 proposes A r0", "v1 prevotes A r0", "v3 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    effects = table.do("A is valid")
    (said,) = [e for e in effects if isinstance(e, DoBroadcast)]
    assert isinstance(said.message, VotesMessage)
    assert [(vote.kind, vote.block_hash) for vote in said.message.votes] == [
        (VoteKind.PREVOTE, table.blocks["A"].hash),
        (VoteKind.PRECOMMIT, table.blocks["A"].hash),
    ]
    at = effects.index(said)
    before, after = effects[:at], effects[at + 1 :]
    (recorded,) = [e for e in effects if isinstance(e, DoRecordSignState)]
    assert recorded in before
    assert recorded.sign_state.step is SignStep.PRECOMMIT
    logged = [e.record.vote for e in before if isinstance(e, DoPersist) and isinstance(e.record, OwnVoteRecord)]
    assert set(said.message.votes) <= set(logged)
    assert not any(isinstance(e, DoPersist | DoRecordSignState) for e in after)


# ---------------------------------------------------------------- blocks that the host builds


def test_a_block_for_another_round_is_not_proposed_in_this_one() -> None:
    """v4 built for round 0; in round 1 it is v3's turn, and a block that the host gives for it is not asked for."""
    Table(me=4).play("""
        start                      ->
        transaction                -> wait propose, build r0
        v1 prevotes nil r1         ->
        v2 prevotes nil r1         -> wait propose, request any r1 to v3
        A is built r0              ->
        B is built r1              ->
    """)


@pytest.mark.parametrize("change", [{"number": 2}, {"parent_hash": bytes(32)}], ids=str)
def test_a_block_that_was_built_on_another_tip_is_dropped(change: dict[str, object]) -> None:
    """The host began it before blocks were fetched: it serves no later turn either."""
    table = Table(me=4)
    for line in ("start", "transaction"):
        table.do(line)
    stale = Block(replace(table.blocks["A"].header, **change), (), None)  # type: ignore[arg-type]
    assert table.feed(InBlockBuilt(0, stale)) == []
    assert table.core._height.spare is None


@pytest.mark.parametrize(("age_ms", "told"), [(500, "propose A r4"), (501, "build r4")])
def test_a_spare_block_serves_while_its_time_is_near(age_ms: int, told: str) -> None:
    """Others would find an older one out of time."""
    table = Table(me=4)
    for line in ("start", "transaction", "timeout propose r0", "A is built r0", "v1 prevotes nil r4"):
        table.do(line)
    table.now_ms = table.blocks["A"].header.timestamp * 1_000 + age_ms
    assert told in table.told(table.do("v2 prevotes nil r4"))


@pytest.mark.parametrize(("late_ms", "seconds"), [(-9_000, 0), (999, 0), (1_000, 1), (61_500, 61)])
def test_a_block_has_our_time_but_none_before_its_parent(late_ms: int, seconds: int) -> None:
    """Whole seconds of our clock; a clock that lies behind the parent repeats the parent's second."""
    table = Table(me=4)
    table.start()
    parent = GENESIS.header.timestamp
    table.now_ms = parent * 1_000 + late_ms
    [build] = [e for e in table.do("transaction") if isinstance(e, DoBuildBlock)]
    assert build.timestamp == parent + seconds


def test_a_proposer_that_lost_its_log_proposes_nothing_below_its_sign_state() -> None:
    """It prevoted in this round already: a second proposal would be one too many; the next turn is its own again."""
    table = Table(me=4)
    for line in ("start", "transaction", "A is built r0"):
        table.do(line)
    table.log.clear()
    table.do("restart")
    assert table.told(table.do("transaction")) == ["wait propose", "build r0"]
    assert table.do("B is built r0") == []
    assert not table.core.view().proposal_received
