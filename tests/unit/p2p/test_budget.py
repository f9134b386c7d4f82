"""What a peer's messages cost, and what it may spend."""

from dataclasses import replace

import pytest

from alatau.consensus.messages import ProposalMessage, RoundCertificate, StatusMessage, VotesMessage
from alatau.p2p.budget import BURST_S, Budget
from alatau.p2p.counters import Counters
from alatau.p2p.methods import Lane
from alatau.types.vote import Proposal, Vote, VoteKind
from alatau.wire.consensus import ControlMessage, write_control, write_proposal
from alatau.wire.gossip import write_batch
from alatau.wire.session import Ping, PublicKeys, write_session
from tests.support.ministries import QUICK, Blocks

VOTE = Vote(VoteKind.PRECOMMIT, 5, 0, b"h" * 32, b"v" * 20, b"s" * 65)
SETTINGS = replace(QUICK, votes_per_s=100.0, transactions_per_s=100.0, blocks_per_s=2.0, block_size_bytes_max=1_000_000)


@pytest.mark.parametrize(
    ("message", "cost"),
    [
        (VotesMessage((VOTE,) * 200), 200),
        (RoundCertificate(5, 1, (VOTE,) * 30), 30),
        (VotesMessage(()), 1),
        (StatusMessage(5, 0, bytes(32)), 1),
    ],
    ids=["votes", "certificate", "no votes", "status"],
)
def test_what_is_counted_are_votes_and_not_messages(message: ControlMessage, cost: int) -> None:
    """Each is a signature to check; a message without any costs one."""
    assert Budget(SETTINGS, Counters()).cost(Lane.CONSENSUS, write_control(message)) == cost


def test_messages_of_the_session_cost_too() -> None:
    """A ping one, a list of keys by its length."""
    assert Budget(SETTINGS, Counters()).cost(Lane.CONSENSUS, write_session(Ping(1))) == 1
    assert Budget(SETTINGS, Counters()).cost(Lane.CONSENSUS, write_session(PublicKeys((b"k" * 91,) * 800))) == 100


def test_a_block_costs_its_bytes_and_its_proof() -> None:
    """But never less than a tenth of the longest."""
    block, _ = Blocks.of_height(1).chain[0]
    proposal = Proposal(1, 0, block.hash, -1, 1_700_000_000_000, b"p" * 20, b"q" * 65)
    envelope = write_proposal(ProposalMessage(proposal, block, (VOTE,) * 10))
    assert Budget(SETTINGS, Counters()).cost(Lane.PROPOSALS, envelope) == 100_000
    envelope.proposal.block = bytes(900_000)
    assert Budget(SETTINGS, Counters()).cost(Lane.PROPOSALS, envelope) == 900_000 + 10 * 4_096


def test_transactions_cost_by_number_and_length() -> None:
    """An empty batch costs one."""
    budget = Budget(SETTINGS, Counters())
    assert budget.cost(Lane.TRANSACTIONS, write_batch([bytes(110)] * 50 + [bytes(10_240)], [])) == 61
    assert budget.cost(Lane.TRANSACTIONS, write_batch([], [])) == 1


def test_above_the_budget_a_peer_waits_and_no_message_waits_for_ever() -> None:
    """A message that costs more than a full purse takes the purse."""
    counters = Counters()
    budget = Budget(SETTINGS, counters)
    large = write_control(VotesMessage((VOTE,) * 510))
    assert budget.take(Lane.CONSENSUS, large) == 0
    assert 0 < budget.take(Lane.CONSENSUS, large) <= BURST_S
    assert budget.take(Lane.TRANSACTIONS, write_batch([b"x"], [])) == 0
    assert counters.throttled == {Lane.CONSENSUS: 1}
