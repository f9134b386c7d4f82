"""A proposer's prevote travels with its proposal, and counts however the two arrive."""

from dataclasses import replace

import pytest

from alatau.consensus.effects import (
    DoBroadcast,
    DoPersist,
    DoRecordSignState,
    DoReportPeer,
    DoSend,
    DoSetTimer,
    Effect,
)
from alatau.consensus.inputs import Timer, TimerKind
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.records import OwnVoteRecord, ProposalRecord, SignStep
from alatau.consensus.signed_together import sign_together
from alatau.types.block import Block
from alatau.types.vote import NO_ROUND, Proposal, VoteKind
from tests.simulation.chain import GENESIS_SECONDS, address_of, build_header, forge
from tests.support.table import Table


def test_a_proposer_says_its_prevote_with_its_proposal() -> None:
    """One message; before it the records of both and one sign state, after it nothing that must be durable."""
    table = Table(me=4)
    for line in ("start", "transaction"):
        table.do(line)
    effects = table.do("A is built r0")
    [said] = [e for e in effects if isinstance(e, DoBroadcast)]
    assert isinstance(said.message, ProposalMessage)
    assert said.message.prevote == table.vote(4, VoteKind.PREVOTE, "A", 0)
    at = effects.index(said)
    logged = [e.record for e in effects[:at] if isinstance(e, DoPersist)]
    assert [type(record) for record in logged] == [ProposalRecord, OwnVoteRecord]
    assert [e.sign_state.step for e in effects[:at] if isinstance(e, DoRecordSignState)] == [SignStep.PREVOTE]
    assert not any(isinstance(e, DoPersist | DoRecordSignState) for e in effects[at:])


def test_it_counts_as_if_it_had_come_alone() -> None:
    """Two more prevotes are a polka."""
    table = started()
    table.say(4, with_prevote(table))
    table.do("A is valid")
    assert prevoters(table) == {2, 4}
    assert table.told(table.do("v1 prevotes A r0")) == ["precommit A r0"]


def test_a_copy_from_which_it_was_taken_hides_nothing() -> None:
    """Whoever strips it and is faster wins nothing: the vote of the right copy counts, known as its proposal is."""
    table = started()
    whole = with_prevote(table)
    table.say(1, replace(whole, prevote=None))
    assert prevoters(table) == set()
    assert table.say(4, whole) == []
    assert prevoters(table) == {4}


def test_it_counts_at_the_next_height_when_it_came_early() -> None:
    """The proposer of a height is often there before others have committed the last."""
    table = started()
    commit, parent = table.commit_of("A", 0, (1, 2, 4)), table.blocks["A"]
    header = build_header(parent.header, parent.hash, address_of(3), table.validators, GENESIS_SECONDS, (), commit)
    table.blocks["F"] = Block(header, (), commit)
    unsigned = Proposal(2, 0, table.blocks["F"].hash, NO_ROUND, table.now_ms, address_of(3), b"")
    prevote = table.vote(3, VoteKind.PREVOTE, "F", 0, height=2)
    assert dropped(table.say(3, replace(table.signed(unsigned, table.blocks["F"]), prevote=prevote))) == []
    table.say(4, with_prevote(table))
    for line in ("A is valid", "v1 prevotes A r0", "v1 precommits A r0", "v4 precommits A r0"):
        table.do(line)
    assert dropped(table.do("A is committed by v1 v2 v4")) == []
    view = table.core.view()
    assert (view.height, view.proposer, view.proposal_received) == (2, address_of(3), True)
    assert prevoters(table) == {3}


@pytest.mark.parametrize(
    "change",
    [{"kind": VoteKind.PRECOMMIT}, {"round": 1}, {"height": 2}, {"block_hash": None}, {"block_hash": bytes(32)},
     {"validator": address_of(1)}],
    ids=str,
)  # fmt: skip
def test_no_other_vote_comes_with_a_proposal(change: dict[str, object]) -> None:
    """Signed or not: the sender is dropped, and nothing of the message is kept."""
    table = started()
    vote = table.vote(4, VoteKind.PREVOTE, "A", 0)
    other = table.resigned(replace(vote, **change))  # type: ignore[arg-type]
    assert dropped(table.say(4, replace(with_prevote(table), prevote=other))) == ["malformed"]
    assert not table.core.view().proposal_received
    assert prevoters(table) == set()


def test_a_forged_prevote_costs_its_sender_the_connection_and_the_proposal_nothing() -> None:
    """The proposal proves itself; the vote does not count."""
    table = started()
    right = with_prevote(table)
    assert right.prevote is not None
    forged = replace(right, prevote=replace(right.prevote, signature=forge(address_of(4))))
    assert dropped(table.say(1, forged)) == ["signature"]
    assert table.core.view().proposal_received
    assert prevoters(table) == set()


def test_what_is_kept_logged_and_passed_on_is_without_it() -> None:
    """A proposal that is asked for comes as it is kept; a log has each vote in a record of its own."""
    table = started()
    table.say(4, with_prevote(table))
    [sent] = [e.message for e in table.do("v3 asks for any r0") if isinstance(e, DoSend)]
    assert sent == replace(with_prevote(table), prevote=None)
    for line in ("A is valid", "v1 prevotes A r0"):
        table.do(line)
    logged = [record.message for record in table.log if isinstance(record, ProposalRecord)]
    assert logged == [sent]


def started() -> Table:
    """v2 waits for v4's proposal."""
    table = Table()
    for line in ("start", "transaction"):
        table.do(line)
    return table


def with_prevote(table: Table) -> ProposalMessage:
    """What v4 says in its step."""
    return replace(table.proposal(4, "A", 0), prevote=table.vote(4, VoteKind.PREVOTE, "A", 0))


def prevoters(table: Table) -> set[int]:
    """Whose prevotes of round 0 count."""
    return {int.from_bytes(address, "big") for address in table.core.view().prevotes}


def dropped(effects: list[Effect]) -> list[str]:
    """Why peers are reported."""
    return [e.error.reason for e in effects if isinstance(e, DoReportPeer)]


def test_whatever_else_a_step_asks_for_stays_where_it_was() -> None:
    """Before, between and after the two signatures: only records, sign states and what is said move."""
    table = Table(me=4)
    for line in ("start", "transaction"):
        table.do(line)
    built = table.do("A is built r0")
    [recorded] = [e for e in built if isinstance(e, DoRecordSignState)]
    earlier = DoRecordSignState(replace(recorded.sign_state, step=SignStep.PROPOSAL))
    records = [e for e in built if isinstance(e, DoPersist)]
    whole = with_prevote(table)
    assert whole.prevote is not None
    timers: list[Effect] = [DoSetTimer(Timer(kind, 1, 0), 1) for kind in TimerKind]
    effects: list[Effect] = [
        timers[0], records[0], earlier, timers[1], DoBroadcast(replace(whole, prevote=None)), timers[2], records[1],
        recorded, DoBroadcast(VotesMessage((whole.prevote,))), timers[3], timers[4],
    ]  # fmt: skip
    assert sign_together(effects) == [
        timers[0], records[0], records[1], recorded, timers[1], DoBroadcast(whole), timers[2], timers[3], timers[4],
    ]  # fmt: skip
