"""One condition of consensus each, which a mutant of the core once lost without any test noticing.

Validator v2 of four at a table, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import (
    DoBroadcast,
    DoCommit,
    DoPersist,
    DoRecordSignState,
    DoReportPeer,
    DoResetLog,
    Effect,
)
from alatau.consensus.inputs import InNewHeight, InStart
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.types.validator import validator_set
from alatau.types.vote import NO_ROUND, Vote, VoteKind
from tests.simulation.chain import address_of, forge, validator
from tests.support.table import Table

PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT

LOCK_A = ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0")
"""v2 is locked on A in round 0."""


def after(*lines: str) -> Table:
    """A table at which this happened."""
    table = Table()
    for line in lines:
        table.do(line)
    return table


def dropped(effects: list[Effect]) -> list[str]:
    """Why peers were dropped."""
    return [effect.error.reason for effect in effects if isinstance(effect, DoReportPeer)]


# ------------------------------------------------------------------ rounds


def next_round(table: Table, round_: int = 0) -> None:
    """Leave a round without a decision."""
    for line in (f"v1 precommits nil r{round_}", f"v3 precommits nil r{round_}", f"timeout precommit r{round_}"):
        table.do(line)


def test_a_polka_of_another_round_locks_nothing() -> None:
    """L36: only prevotes of this round lead to a precommit; those of the last one, arriving late, do not."""
    table = after("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "timeout prevote r0")
    for line in ("v1 precommits nil r0", "v3 precommits nil r0", "v4 precommits nil r0", "timeout precommit r0"):
        table.do(line)
    table.do("timeout propose r1")
    assert table.core.view().round == 1
    assert table.told(table.do("v4 prevotes A r0")) == []
    assert table.core.view().locked_round == NO_ROUND
    assert table.core.view().precommits == {}


@pytest.mark.parametrize("change", [{"round": 1}, {"kind": PRECOMMIT}, {"height": 2}, {"block_hash": b"B" * 32}])
def test_a_proof_of_lock_is_of_its_round_kind_height_and_block(change: dict[str, object]) -> None:
    """A polka of something else, in whole or in one vote, proves nothing: the proposal is refused."""
    for wrong in (1, 3):
        table = after("start", "v1 prevotes nil r3", "v3 prevotes nil r3")
        message = table.proposal(1, "A", 3, 0)
        votes = tuple(
            table.resigned(replace(vote, **change)) if n < wrong else vote  # type: ignore[arg-type]
            for n, vote in enumerate(message.proof_of_lock)
        )
        assert dropped(table.say(1, replace(message, proof_of_lock=votes))) == ["malformed"]
        assert not table.core.view().proposal_received


def test_a_reproposal_counts_with_the_polka_of_its_valid_round_only() -> None:
    """L28: v2 is locked on A since round 1; B with a polka of round 0 gets nil, A with one of round 1 is taken."""
    table = after("start", "timeout propose r0", "v1 prevotes nil r0", "v3 prevotes nil r0")
    next_round(table)
    for line in ("v3 proposes A r1", "A is valid", "v1 prevotes A r1", "v3 prevotes A r1"):
        table.do(line)
    assert table.core.view().locked_round == 1
    for line in ("v1 prevotes nil r3", "v3 prevotes nil r3"):
        table.do(line)
    table.do("v1 reproposes B r3 of r0")
    told = table.told(table.do("B is valid"))
    assert "prevote nil r3" in told
    assert "prevote B r3" not in told


def test_our_own_reproposal_carries_its_polka() -> None:
    """L16: the valid block is proposed again in round 2, with every prevote that made it valid."""
    table = after(*LOCK_A)
    next_round(table)
    table.do("timeout propose r1")
    for line in ("v1 prevotes nil r1", "v3 prevotes nil r1"):
        table.do(line)
    next_round(table, 1)
    [message] = [e.message for e in table.effects if isinstance(e, DoBroadcast) and type(e.message) is ProposalMessage]
    assert (message.proposal.round, message.proposal.valid_round) == (2, 0)
    assert message.block == table.blocks["A"]
    assert {vote.validator for vote in message.proof_of_lock} == {address_of(n) for n in (1, 2, 4)}
    assert {(vote.kind, vote.round, vote.block_hash) for vote in message.proof_of_lock} == {
        (PREVOTE, 0, table.blocks["A"].hash)
    }


def test_the_locked_precommit_is_said_again_in_later_rounds() -> None:
    """It may still decide (L49): two others precommitted A and wait for the third."""
    table = after(*LOCK_A)
    next_round(table)
    table.do("timeout propose r1")
    told = table.told(table.do("timeout rebroadcast r1"))
    assert "precommit A r0" in told
    assert {"prevote A r1", "prevote nil r1"} & set(told)


# ------------------------------------------------------------------ signatures


def test_a_forged_proposal_is_refused() -> None:
    """Nobody votes on it, nothing is kept of it, and its sender is dropped; also when it comes a height early."""
    table = after("start")
    forged = replace(table.proposal(4, "A", 0).proposal, signature=forge(address_of(4)))
    message = replace(table.proposal(4, "A", 0), proposal=forged)
    assert dropped(table.say(4, message)) == ["signature"]
    assert not table.core.view().proposal_received
    assert table.told(table.do("v4 proposes A r0")) == ["wait propose", "validate A"]
    early = table.proposal(3, "A", 0, height=2)
    other = replace(table.blocks["A"].header, number=2)
    block = replace(early.block, header=other)
    unsigned = replace(early.proposal, block_hash=block.hash, signature=forge(address_of(3)))
    assert "signature" in dropped(table.say(3, ProposalMessage(unsigned, block)))
    assert table.core._next.proposals == ()


def test_a_forged_early_vote_is_refused() -> None:
    """It would be counted when its height begins."""
    table = after("start")
    vote = replace(table.vote(1, PREVOTE, "nil", 0, height=2), signature=forge(address_of(1)))
    assert dropped(table.say(3, VotesMessage((vote,)))) == ["signature"]
    table.feed(InNewHeight(table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))))
    assert table.core.view().prevotes == {}


def test_a_forged_late_precommit_is_refused() -> None:
    """It would go into the commit of our block, which nobody would take."""
    table = after("start")
    table.feed(InNewHeight(table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 2, 4)))))
    vote = replace(table.vote(3, PRECOMMIT, "A", 0), signature=forge(address_of(3)))
    assert dropped(table.say(1, VotesMessage((vote,)))) == ["signature"]
    assert table.core._height.last.commit == table.commit_of("A", 0, (1, 2, 4))


def test_early_messages_are_of_the_set_that_decides() -> None:
    """Checked against a set that turns out not to decide the height, they do not count."""
    table = after("start")
    table.say(1, VotesMessage((table.vote(1, PREVOTE, "nil", 0, height=2),)))
    assert len(table.core._next.votes) == 1
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    others = validator_set([validator(1, 5), *(validator(n) for n in (2, 3, 4))])
    table.feed(InNewHeight(replace(context, validators=others)))
    assert table.core.view().prevotes == {}


# ------------------------------------------------------------------ beginning


def test_a_fresh_node_waits_until_it_has_heard_of_everybody() -> None:
    """Empty disks, a proposal, a transaction: no vote before the others have said where they stand, or a pause."""
    for release in ("v3 decides h1", "timeout join"):
        table = Table()
        table.start(fresh=True)
        assert table.told(table.do("transaction")) == []
        assert table.told(table.do("v4 proposes A r0")) == ["validate A"]
        for line in ("A is valid", "v1 decides h1", "v4 decides h1"):
            assert table.told(table.do(line)) == []
        assert "prevote A r0" in table.told(table.do(release))


def test_a_fresh_node_does_not_begin_behind_others() -> None:
    """Somebody is ahead: it follows, whatever pause is over."""
    table = Table()
    table.start(fresh=True)
    table.do("v1 decides h7")
    table.do("timeout join")
    table.do("v4 proposes A r0")
    assert not any("prevote" in words for words in table.told(table.do("A is valid")))


def test_a_host_that_forbids_signing_is_obeyed() -> None:
    """``may_sign`` false: it follows, counts and commits, and signs nothing, as a proposer neither."""
    table = Table()
    table.core = table._new_core()
    table.feed(InStart(table._context, (), None, may_sign=False, fresh=False))
    table.do("transaction")
    said = [effect for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v3 prevotes A r0",
                                "v4 prevotes A r0", "v1 precommits A r0", "v3 precommits A r0", "v4 precommits A r0")
            for effect in table.do(line)]  # fmt: skip
    assert not any(isinstance(effect, DoRecordSignState | DoBroadcast) for effect in said)
    assert any(isinstance(effect, DoCommit) for effect in said)


# ------------------------------------------------------------------ order


def test_the_log_is_begun_anew_only_after_the_commit() -> None:
    """Until the block is durable the log is all that is left of our votes."""
    table = after(*LOCK_A)
    effects = [effect for line in ("v1 precommits A r0", "v4 precommits A r0") for effect in table.do(line)]
    assert any(isinstance(effect, DoCommit) for effect in effects)
    assert not any(isinstance(effect, DoResetLog) for effect in effects)
    assert any(isinstance(effect, DoResetLog) for effect in table.do("A is committed by v1 v2 v4"))


def test_nothing_signed_leaves_before_log_and_sign_state() -> None:
    """In every step that says something of ours: records, then the sign state, then the message."""
    table = after("start", "v4 proposes A r0")
    for line in ("A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        effects = table.do(line)
        said = [n for n, e in enumerate(effects) if isinstance(e, DoBroadcast) and ours(e)]
        recorded = [n for n, e in enumerate(effects) if isinstance(e, DoRecordSignState)]
        logged = [n for n, e in enumerate(effects) if isinstance(e, DoPersist)]
        if said:
            assert max(logged) < min(recorded) < min(said)


def ours(effect: DoBroadcast) -> bool:
    """Whether a broadcast carries a vote of v2."""
    votes: tuple[Vote, ...] = getattr(effect.message, "votes", ())
    return any(vote.validator == address_of(2) for vote in votes)
