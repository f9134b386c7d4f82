"""What an operator reads when blocks do or do not come."""

from dataclasses import replace

import pytest

from alatau.consensus.state_machine import Step
from alatau.consensus.view import RoundView
from alatau.rpc.node import NodeStatus, SyncState
from alatau.rpc.stall import Diagnosis, diagnose
from tests.support.round_view import (
    ALL,
    DIGITAL,
    FINANCE,
    HEALTH,
    JUSTICE,
    LATE,
    SYNCED,
    TIMING,
    VALIDATORS,
    VIEW,
)


def say(view: RoundView | None = VIEW, status: NodeStatus = SYNCED, connected: set[bytes] = ALL) -> Diagnosis:
    """Diagnose at height 9."""
    return diagnose(view, status, connected, TIMING, 9, VALIDATORS)


def test_all_is_well() -> None:
    """A round under way is not stalled, and says only that."""
    assert say() == Diagnosis(stalled=False, sentences=("Block 10 is being decided, round 0.",))


def test_an_idle_network_says_when_the_next_block_comes() -> None:
    """Without transactions an empty block follows after the heartbeat."""
    idle = say(replace(VIEW, step=Step.UNSTARTED), replace(SYNCED, pool_transactions=0, since_last_block_ms=4_000))
    assert idle.sentences == ("No transaction waits; an empty block follows in 6.0 s at the latest.",)


def test_a_node_that_others_have_banned_says_so_before_all_else() -> None:
    """Whatever it does meanwhile; the operator reads what its key was seen to do, and what to do about it."""
    banned = replace(SYNCED, kept_out_by={"Digital": "BAD_TRANSACTION", "Justice": "BAD_TRANSACTION"})
    sentence = (
        "Digital, Justice keep this node out for a while, because its key sent what no correct node sends "
        "(BAD_TRANSACTION). If this node did not, somebody else holds its TLS key: rotate it."
    )
    assert say(status=banned, connected={FINANCE, HEALTH}).sentences[0] == sentence
    assert say(view=None, status=banned).sentences[0] == sentence
    assert say(status=replace(banned, sync_state=SyncState.SYNCING)).sentences[0] == sentence


def test_a_lost_quorum_comes_first() -> None:
    """Two of four down: no decision is possible, and who must come back is named."""
    lost = say(VIEW, LATE, connected={FINANCE, DIGITAL})
    assert lost.stalled
    assert lost.sentences[0] == (
        "No decision is possible: validators with 2 of 4 voting power can be reached, more than two thirds are "
        "needed. Bring back Justice, Health."
    )
    assert lost.sentences[-1] == (
        "The last block, 9, was decided 60.0 s ago; with 3 transactions waiting the next was due after 0.2 s."
    )


def test_a_validator_that_starts_while_too_few_stand_says_who_must_come_back() -> None:
    """It has not joined, so it has no round to speak of, and it never will have until a quorum can be heard."""
    starting = replace(LATE, sync_state=SyncState.STARTING, highest_peer_height=0)
    alone = say(None, starting, connected={FINANCE, DIGITAL})
    assert alone.stalled
    assert alone.sentences == (
        (
            "No decision is possible: validators with 2 of 4 voting power can be reached, more than two thirds are "
            "needed. Bring back Justice, Health."
        ),
        "This node is at height 9 and has not heard yet how far the network is.",
    )


@pytest.mark.parametrize(
    ("status", "connected"),
    [
        (LATE, {FINANCE, DIGITAL, JUSTICE}),  # a quorum can be heard
        (SYNCED, {FINANCE}),  # it has only just started: connections take a moment
        (replace(LATE, validator_address=None), {FINANCE, DIGITAL}),  # an observer waits for no quorum
    ],
)
def test_a_node_that_starts_does_not_speak_of_a_lost_quorum_too_early(
    status: NodeStatus, connected: set[bytes]
) -> None:
    """Before the patience of a round has passed, with a quorum in reach, or without a part in decisions."""
    assert say(None, replace(status, sync_state=SyncState.STARTING), connected) == Diagnosis(
        stalled=False, sentences=("This node is at height 9 and has not heard yet how far the network is.",)
    )


def test_one_missing_validator_is_mentioned_though_blocks_go_on() -> None:
    """An operator should know before the second one fails."""
    assert say(connected=ALL - {HEALTH}).sentences[0] == (
        "Health cannot be reached; decisions go on with 3 of 4 voting power."
    )


def test_a_missing_proposal_names_the_proposer() -> None:
    """The round waits for one validator."""
    waiting = say(VIEW, LATE)
    assert waiting.sentences[0] == "Round 0 waits for the proposal of Digital."


def test_missing_votes_name_who_is_silent() -> None:
    """The power that voted, and those who did not."""
    voting = replace(VIEW, round=1, step=Step.PREVOTE, prevotes={FINANCE: b"\x01" * 32, DIGITAL: None})
    assert say(voting).sentences[0] == (
        "Round 1 of height 10 has prevotes of 2 of 4 voting power; those of Justice, Health are missing."
    )
    precommitting = replace(voting, step=Step.PRECOMMIT, precommits=dict.fromkeys(ALL, None))
    assert say(precommitting).sentences[0] == (
        "All validators sent their precommits of round 1, not all for one block: the next round follows."
    )


def test_many_rounds_are_a_stall_whatever_the_clock_says() -> None:
    """Rounds that fail one after another show that something is wrong."""
    assert say(replace(VIEW, round=3)).stalled


def test_a_stall_without_a_visible_cause_says_where_to_look() -> None:
    """Never empty words."""
    odd = say(replace(VIEW, step=Step.UNSTARTED), LATE)
    assert odd.sentences[0] == "This node has seen nothing that explains the wait: look at its log and its clock."


def test_a_node_that_is_behind_says_how_far() -> None:
    """Catching up and starting are no stall of the network."""
    syncing = say(None, replace(SYNCED, sync_state=SyncState.SYNCING, highest_peer_height=109))
    assert syncing.sentences == ("This node is catching up: it is at height 9, 100 blocks behind its peers.",)
    assert not syncing.stalled
    starting = say(None, replace(SYNCED, sync_state=SyncState.STARTING))
    assert "has not heard yet how far the network is" in starting.sentences[0]
    observer = say(None)
    assert observer.sentences == ("This node follows the network at height 9 and takes no part in consensus.",)


def test_a_proposer_that_left_is_named_as_such() -> None:
    """A set that changes between two views must not break the words."""
    gone = say(replace(VIEW, proposer=b"\x09" * 20), LATE)
    assert gone.sentences[0] == "Round 0 waits for the proposal of a validator that left the set."


def test_a_healthy_node_with_waiting_transactions_says_that_a_block_is_due() -> None:
    """Between two blocks, within the interval."""
    assert say(replace(VIEW, step=Step.UNSTARTED)).sentences == ("3 transactions waiting; block 10 is due.",)
