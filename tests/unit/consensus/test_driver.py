"""Rules fire on the set of messages, whatever their order."""

from itertools import permutations

from alatau.consensus.driver import Driver
from alatau.consensus.inputs import TimerKind
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.state_machine import CastVote, Decide, Output, Schedule, Step
from alatau.types.vote import VoteKind
from tests.support.table import Table

TABLE = Table()
HASH = TABLE.blocks["A"].hash
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def drain(driver: Driver) -> list[Output]:
    """Everything that the rules want now."""
    outputs: list[Output] = []
    while more := driver.advance():
        outputs += more
    return outputs


def test_a_decision_does_not_depend_on_the_order_of_messages() -> None:
    """Proposal, verdict after it, and precommits in all 60 orders: the same decision, by the last of them."""
    precommits = [TABLE.vote(n, PRECOMMIT, "A", 0) for n in (1, 3, 4)]
    steps = [
        lambda d: d.proposals.add(Kept(TABLE.proposal(4, "A", 0), timely=True)),
        lambda d: d.proposals.judge(HASH, valid=True),
        *(lambda d, v=v: d.votes.add(v) for v in precommits),
    ]
    for order in permutations(steps):
        if order.index(steps[0]) > order.index(steps[1]):
            continue
        driver = Driver(TABLE.validators)
        driver.start_round(0, is_proposer=False)
        outputs: list[Output] = []
        for happens in order:
            assert Decide(0, HASH) not in outputs
            happens(driver)
            outputs += drain(driver)
        assert outputs[-1] == Decide(0, HASH)
        assert driver.state.step is Step.DECIDED


def test_nothing_is_voted_before_the_block_is_judged() -> None:
    """valid(v) is the host's to say."""
    driver = Driver(TABLE.validators)
    driver.start_round(0, is_proposer=False)
    driver.proposals.add(Kept(TABLE.proposal(4, "A", 0), timely=True))
    assert drain(driver) == []
    assert driver.to_validate() == [TABLE.blocks["A"]]
    driver.proposals.judge(HASH, valid=False)
    assert drain(driver) == [CastVote(PREVOTE, None)]
    assert driver.to_validate() == []


def test_an_untimely_proposal_gets_nil_without_execution() -> None:
    """But a quorum that found it timely may still lock and decide it."""
    driver = Driver(TABLE.validators)
    driver.start_round(0, is_proposer=False)
    driver.proposals.add(Kept(TABLE.proposal(4, "A", 0), timely=False))
    assert drain(driver) == [CastVote(PREVOTE, None)]
    driver.proposals.judge(HASH, valid=True)
    for n in (1, 3, 4):
        driver.votes.add(TABLE.vote(n, PREVOTE, "A", 0))
    assert CastVote(PRECOMMIT, HASH) in drain(driver)


def test_the_second_block_of_a_round_is_executed_only_if_votes_name_it() -> None:
    """A proposer that sends two blocks does not make everybody execute two."""
    driver = Driver(TABLE.validators)
    driver.start_round(0, is_proposer=False)
    for name in "AB":
        driver.proposals.add(Kept(TABLE.proposal(4, name, 0), timely=True))
    assert driver.to_validate() == [TABLE.blocks["A"]]
    for n in (1, 3, 4):
        driver.votes.add(TABLE.vote(n, PREVOTE, "B", 0))
    assert driver.to_validate() == [TABLE.blocks["A"], TABLE.blocks["B"]]
    assert driver.is_wanted(TABLE.blocks["B"].hash)


def test_a_block_that_a_quorum_names_is_missed() -> None:
    """By a polka of this round, or by precommits of any."""
    driver = Driver(TABLE.validators)
    driver.start_round(3, is_proposer=False)
    for n in (1, 3, 4):
        driver.votes.add(TABLE.vote(n, PRECOMMIT, "A", 1))
        driver.votes.add(TABLE.vote(n, PREVOTE, "B", 3))
    assert driver.missing_blocks() == [(1, HASH), (3, TABLE.blocks["B"].hash)]


def test_a_block_proposed_again_waits_for_the_polka_of_its_valid_round() -> None:
    """L28: a polka of an earlier or a later round proves nothing about the round that the proposal names."""
    driver = Driver(TABLE.validators)
    driver.start_round(3, is_proposer=False)
    driver.proposals.add(Kept(TABLE.proposal(1, "A", 3, 1), timely=True))
    driver.proposals.judge(HASH, valid=True)
    for round_ in (0, 2):
        for n in (1, 3, 4):
            driver.votes.add(TABLE.vote(n, PREVOTE, "A", round_))
        assert drain(driver) == []
    for n in (1, 3, 4):
        assert drain(driver) == []
        driver.votes.add(TABLE.vote(n, PREVOTE, "A", 1))
    assert drain(driver) == [CastVote(PREVOTE, HASH)]


def test_a_late_polka_does_not_hold_up_the_rules_behind_it() -> None:
    """L42 only notes the valid value; where the same message completed the precommits, their timer starts too (L47)."""
    driver = Driver(TABLE.validators)
    driver.start_round(0, is_proposer=False)
    assert drain(driver) == []
    driver.time_out(TimerKind.PROPOSE, 0)
    driver.time_out(TimerKind.PREVOTE, 0)
    driver.proposals.add(Kept(TABLE.proposal(4, "A", 0), timely=True))
    driver.proposals.judge(HASH, valid=True)
    for n in (1, 3, 4):
        driver.votes.add(TABLE.vote(n, PREVOTE, "A", 0))
    for n, name in ((1, "nil"), (3, "nil"), (4, "A")):
        driver.votes.add(TABLE.vote(n, PRECOMMIT, name, 0))
    assert drain(driver) == [Schedule(TimerKind.PRECOMMIT)]
    assert driver.state.valid_hash == HASH


def test_a_second_proposal_is_judged_once_its_polka_is_here() -> None:
    """A proposer that signs two: the first is judged, the other only where a polka of its valid round asks for it."""
    driver = Driver(TABLE.validators)
    driver.start_round(1, is_proposer=False)
    driver.proposals.add(Kept(TABLE.proposal(3, "B", 1), timely=True))
    driver.proposals.add(Kept(TABLE.proposal(3, "A", 1, valid_round=0), timely=True))
    assert driver.to_validate() == [TABLE.blocks["B"]]
    for n in (1, 3, 4):
        driver.votes.add(TABLE.vote(n, PREVOTE, "A", 0))
    assert driver.to_validate() == [TABLE.blocks["B"], TABLE.blocks["A"]]


def test_proposals_of_rounds_that_are_over_are_forgotten() -> None:
    """Those of the round before stay: its votes may still come."""
    driver = Driver(TABLE.validators)
    driver.start_round(0, is_proposer=False)
    driver.proposals.add(Kept(TABLE.proposal(4, "A", 0), timely=True))
    driver.start_round(1, is_proposer=False)
    assert len(driver.proposals.in_round(0)) == 1
    driver.start_round(2, is_proposer=False)
    assert driver.proposals.in_round(0) == ()
