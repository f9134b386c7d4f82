"""What a restart puts back from the log of its height.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

from alatau.consensus.effects import DoBroadcast, DoSend
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.records import OwnProposalRecord
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
