"""What a restart puts back from the log of its height.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import DoBroadcast, DoSend
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.records import OwnProposalRecord, ProposalRecord, VoteRecord
from alatau.consensus.state_machine import Step
from alatau.types.vote import VoteKind
from tests.support.table import Table


def test_a_validator_comes_back_with_its_round_step_and_lock() -> None:
    """And says both of its votes again, the very same."""
    table = Table()
    for line in ("start", "transaction", "v4 proposes A r0", "A is valid", "v4 prevotes A r0", "v1 prevotes A r0"):
        table.do(line)
    before = table.core.view()
    [said] = [e.message for e in table.start() if isinstance(e, DoBroadcast) and isinstance(e.message, VotesMessage)]
    view = table.core.view()
    assert (view.round, view.step, view.locked_round) == (0, Step.PRECOMMIT, 0)
    assert (view.round, view.step, view.locked_round) == (before.round, before.step, before.locked_round)
    assert {table.vote(2, kind, "A", 0) for kind in VoteKind} <= set(said.votes)


def test_a_proposer_comes_back_with_its_proposal() -> None:
    """It is shown to who asks, as it was signed, and its prevote is said again by itself."""
    table = Table(me=4)
    for line in ("start", "transaction", "A is built r0"):
        table.do(line)
    [first] = [e.message for e in table.effects if isinstance(e, DoBroadcast)]
    assert isinstance(first, ProposalMessage)
    said = [e.message for e in table.start() if isinstance(e, DoBroadcast)]
    assert VotesMessage((table.vote(4, VoteKind.PREVOTE, "A", 0),)) in said
    [shown] = [e.message for e in table.do("v1 asks for any r0") if isinstance(e, DoSend)]
    assert shown == replace(first, prevote=None)


def test_a_proposal_whose_block_is_not_in_the_log_is_remembered_as_signed() -> None:
    """It cannot be shown, but it is known to be ours: its return is no other self, and nothing else is proposed."""
    table = Table(me=4)
    for line in ("start", "transaction", "A is built r0"):
        table.do(line)
    proposal = table.proposal(4, "A", 0)
    table.log[:] = [OwnProposalRecord(proposal.proposal), *table.log[1:]]
    table.start()
    assert not table.core.view().proposal_received
    assert not [e for e in table.say(1, proposal) if "Alarm" in type(e).__name__]
    assert table.core.view().may_sign
    assert table.core.view().proposal_received


def test_a_node_that_crashed_on_entering_a_round_goes_back_in_at_once() -> None:
    """Its log holds only why it entered: no transaction, no proposal and no peer has to wake it."""
    table = Table()
    table.start()
    table.log[:] = [VoteRecord(table.vote(n, VoteKind.PREVOTE, "nil", 1)) for n in (1, 3)]
    assert "wait propose" in table.told(table.do("restart"))
    assert table.core.view().round == 1


def test_a_log_with_nothing_but_a_signed_proposal_begins_the_height() -> None:
    """Its block is lost, the round is not."""
    table = Table(me=4)
    table.start()
    table.log[:] = [OwnProposalRecord(table.proposal(4, "A", 0).proposal)]
    assert "wait propose" in table.told(table.do("restart"))


def test_our_own_proposal_is_timely_whenever_it_comes_back() -> None:
    """It was near our clock when it was signed; its block stands in the record of an earlier round."""
    table = Table(me=4)
    table.start()
    first, again = table.proposal(4, "A", 0), table.proposal(4, "A", 4)
    votes = [VoteRecord(table.vote(n, VoteKind.PREVOTE, "nil", 4)) for n in (1, 3)]
    table.log[:] = [ProposalRecord(first, timely=True), OwnProposalRecord(again.proposal), *votes]
    table.now_ms += 60_000
    table.do("restart")
    assert table.core.view().round == 4
    assert "prevote A r4" in table.told(table.do("A is valid"))


@pytest.mark.parametrize("me", [4, 2])
def test_what_we_signed_stays_in_the_log_when_it_is_written_anew(me: int) -> None:
    """Also what was signed before a restart, and only that: others' proposals are not ours."""
    table = Table(me=me)
    for line in ("start", "transaction", "A is built r0" if me == 4 else "v4 proposes A r0", "A is valid"):
        table.do(line)
    for who in {1, 2, 3, 4} - {me}:
        table.do(f"v{who} prevotes A r0")
    table.do("restart")
    table.core._height.rewrite_at_bytes = 0
    for line in ("v1 prevotes nil r1", "v3 prevotes nil r1"):
        table.do(line)
    own = [record.proposal for record in table.log if isinstance(record, OwnProposalRecord)]
    assert own == ([table.proposal(4, "A", 0).proposal] if me == 4 else [])
